/** What a life has to do: tasks of each part, what hands them in, and what they leave behind. */
import { batch, event, every, task, when, type Broker, type DomainEvent, type Errand, type Job, type Task } from "../../src/index.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Process } from "../../src/conformance/process.ts";
import type { Seeded } from "../../src/testing/seeded.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Part, Plan } from "./plan.ts";
import type { Bounds } from "./storeWatch.ts";

interface Work {
  readonly n: number;
  readonly key: string;
  readonly ms: number;
  /** It fails so often before it succeeds. */
  readonly fails: number;
}

export const bounds: Bounds = {
  laneOf: ({ task: name, payload }) => (name === "ordered" ? (JSON.parse(payload) as Work).key : undefined),
  running: { limited: 2 },
  starts: { rated: { most: 5, everyMs: 10_000 } },
};
const keys = 4;
const tickEvery = "5s";
export const tickEveryMs = 5_000;
const triesMax = 20;
const retry = { attempts: 4, first: "1s", backoff: "fixed" } as const;

/** What runs did, over all processes. */
export interface Ledger {
  /** By task and number: how many runs came to their end. */
  readonly done: Map<string, number>;
  /** What is read, changed and written under a lock, and how often. */
  readonly counter: { value: number; fence: number; writes: number };
}

export interface HandedIn {
  readonly part: Part;
  readonly n: number;
  readonly key: string;
  /** Undefined: it is not known whether it was stored. */
  id: string | undefined;
  isDuplicate: boolean;
  /** Nothing was stored, for sure. */
  isRefused: boolean;
}

export function newLedger(): Ledger {
  return { done: new Map(), counter: { value: 0, fence: 0, writes: 0 } };
}

/** What one process knows: what runs there stands still with it, and ends with it. */
export interface Workload {
  readonly tasks: Record<"plain" | "ordered" | "unique" | "limited" | "rated" | "member" | "closing" | "parent" | "locking", Task<Work>>;
  readonly happened: DomainEvent<Work>;
  readonly definitions: Record<string, unknown>;
}

export function workloadOf(clock: SimulatedClock, ledger: Ledger, process: () => Process, plan: Plan): Workload {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, () => process().gate.pass(resolve)));
  const done = (name: string, n: number): void => void ledger.done.set(`${name} ${n}`, (ledger.done.get(`${name} ${n}`) ?? 0) + 1);
  const run =
    (name: string) =>
    async ({ n, ms, fails }: Work, job: Job): Promise<void> => {
      await sleep(ms);
      if (job.attempt <= fails) throw new Error("not yet");
      done(name, n);
    };
  const happened = event<Work>("happened");
  const hop = task<Work>("hop", { retry, run: run("hop") });
  const other = task<Work>("other", { retry, run: run("other") });
  const child = task<Work>("child", { retry, run: run("child") });
  const tick = task("tick", { retry, run: () => undefined });
  const tasks = {
    plain: task<Work>("plain", { retry, run: run("plain") }),
    ordered: task<Work>("ordered", { orderedBy: "key", ifDead: "continue", retry, run: run("ordered") }),
    unique: task<Work>("unique", { uniqueBy: "key", retry, run: run("unique") }),
    limited: task<Work>("limited", { limits: [{ running: bounds.running["limited"] ?? 1 }], retry, run: run("limited") }),
    rated: task<Work>("rated", { limits: [{ starts: bounds.starts["rated"]?.most ?? 1, every: "10s" }], retry, run: run("rated") }),
    member: task<Work>("member", { retry, run: run("member") }),
    closing: task<Work>("closing", { retry, run: run("closing") }),
    parent: task<Work>("parent", {
      retry,
      run: async (work, job) => {
        job.enqueue(child.with({ ...work, fails: 0 }));
        await run("parent")(work, job);
      },
    }),
    locking: task<Work>("locking", { retry, run: ({ ms }) => count(process().broker, ledger, () => sleep(ms)) }),
  };
  const subscriptions = plan.parts.includes("event")
    ? { happened, toHop: when(happened, hop, { name: "to-hop" }), toOther: when(happened, other, { name: "to-other" }) }
    : {};
  const schedules = plan.parts.includes("schedule") ? { ticking: every(tickEvery, tick.with({}), { missed: "run-all" }) } : {};
  return { tasks, happened, definitions: { ...tasks, hop, other, child, tick, ...subscriptions, ...schedules } };
}

/** Reads, waits, writes: nothing is lost of it where whoever writes looks at the fence. */
async function count(broker: Broker, { counter }: Ledger, wait: () => Promise<void>): Promise<void> {
  await using held = await broker.lock("counter", { for: "10s", wait: "30s" });
  if (held.fence < counter.fence) return;
  counter.fence = held.fence;
  const read = counter.value;
  await wait();
  if (held.fence < counter.fence) return;
  counter.value = read + 1;
  counter.writes++;
}

/** Hands in one work of a part, and again where the answer was lost. */
export async function handIn(producer: Broker, { tasks, happened }: Workload, part: Part, n: number, random: Seeded): Promise<HandedIn> {
  const handed: HandedIn = { part, n, key: `key ${Math.floor(random.random() * keys)}`, id: undefined, isDuplicate: false, isRefused: false };
  const work: Work = {
    n,
    key: handed.key,
    ms: Math.floor(random.random() ** 3 * 6_000),
    fails: random.random() < 0.2 ? 1 + Math.floor(random.random() * 2) : 0,
  };
  if (part === "event") await answered(handed, () => producer.publish(happened.with(work, { id: `event-${n}` })));
  else {
    const errand = errandOf(tasks, part, work, random);
    await answered(handed, () => producer.enqueue(errand));
  }
  return handed;
}

function errandOf(tasks: Workload["tasks"], part: Part, work: Work, random: Seeded): Errand {
  const priority = random.random() < 0.3 ? ("high" as const) : undefined;
  switch (part) {
    case "delayed":
      return tasks.plain.with(work, { in: `${Math.floor(random.random() * 20)}s` });
    case "batch": {
      const members = Array.from({ length: 1 + Math.floor(random.random() * 5) }, (_, nth) => tasks.member.with({ ...work, n: work.n * 10 + nth }));
      return batch(members, { whenAllEnd: tasks.closing.with({ ...work, ms: 0, fails: 0 }) });
    }
    case "follow":
      return tasks.parent.with(work);
    case "lock":
      return tasks.locking.with(work);
    case "ordered":
    case "unique":
    case "limited":
    case "rated":
      return tasks[part].with(work);
    default:
      return tasks.plain.with(work, priority && { priority });
  }
}

async function answered(handed: HandedIn, send: () => Promise<unknown>): Promise<void> {
  let call = send;
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      const { id, isDuplicate } = (await call()) as { readonly id: string; readonly isDuplicate: boolean };
      handed.id = id;
      handed.isDuplicate = isDuplicate;
      return;
    } catch (error) {
      if (!ErrandError.is(error)) throw error;
      handed.isRefused = error.isDefinite;
      if (error.isDefinite && error.code !== "store-failed") return;
      call = () => error.again();
    }
  }
}
