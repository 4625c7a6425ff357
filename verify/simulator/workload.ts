/** What a life has to do: the tasks of each part, as one process knows them. What runs there stands still with the process, and ends with it. */
import { event, every, reconcile, task, when, type Broker, type DomainEvent, type Job, type Task } from "../../src/index.ts";
import type { Process } from "../../src/conformance/process.ts";
import type { SimulatedClock } from "./clock.ts";
import { act, firstVersion, lead, undone, versionOf, type Ledger } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import type { Bounds } from "./storeWatch.ts";

export interface Work {
  readonly n: number;
  readonly key: string;
  readonly ms: number;
  /** It fails so often before it succeeds. */
  readonly fails: number;
}

type Name =
  | "plain"
  | "ordered"
  | "unique"
  | "debounced"
  | "limited"
  | "rated"
  | "member"
  | "closing"
  | "parent"
  | "locking"
  | "steps"
  | "guarded"
  | "effect"
  | "bomb";

export interface Workload {
  readonly tasks: Readonly<Record<Name, Task<Work>>> & { readonly guarded: Task<Work, { version: number }> };
  readonly happened: DomainEvent<Work>;
  readonly definitions: Record<string, unknown>;
}

const tickEvery = "5s";
export const tickEveryMs = 5_000;
/** How often a job is tried, where it does not fail for good. */
const retry = { attempts: 4, first: "1s", backoff: "fixed" } as const;
const stepsOfJob = 4;
const leaderRestsMs = 2_000;
export const membersMost = 5;

const workOf = (payload: string): Work => JSON.parse(payload) as Work;
export const memberId = (n: number, nth: number): number => n * 10 + nth;

export const bounds: Bounds = {
  laneOf: ({ task: name, payload }) => (name === "ordered" ? workOf(payload).key : undefined),
  batchOf: (name, payload) => (name === "member" ? Math.floor(workOf(payload).n / 10) : undefined),
  callbackOf: ({ task: name, payload }) => (name === "closing" ? workOf(payload).n : undefined),
  running: { limited: 2 },
  starts: { rated: { most: 5, everyMs: 10_000 } },
  attemptsMax: retry.attempts,
};

/** What the process of a workload is able to do beside its work. */
export interface Body {
  readonly process: () => Process;
  readonly die: () => void;
}

export function workloadOf(clock: SimulatedClock, ledger: Ledger, body: Body, plan: Plan): Workload {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, () => body.process().gate.pass(resolve)));
  const run =
    (name: string) =>
    async ({ n, ms, fails }: Work, job: Job): Promise<void> => {
      await sleep(ms);
      if (job.attempt <= fails) throw new Error("not yet");
      if (!body.process().gate.isCrashed) ledger.done.set(`${name} ${n}`, (ledger.done.get(`${name} ${n}`) ?? 0) + 1);
    };
  const happened = event<Work>("happened");
  const plainly = (name: string): Task<Work> => task<Work>(name, { retry, run: run(name) });
  const [hop, other, child] = [plainly("hop"), plainly("other"), plainly("child")];
  const tasks = {
    plain: plainly("plain"),
    member: plainly("member"),
    closing: plainly("closing"),
    ordered: task<Work>("ordered", { orderedBy: "key", ifDead: "continue", retry, run: run("ordered") }),
    unique: task<Work>("unique", { uniqueBy: "key", retry, run: run("unique") }),
    debounced: task<Work>("debounced", { uniqueBy: "key", ifTaken: { debounce: "2s", atMost: "8s" }, retry, run: run("debounced") }),
    limited: task<Work>("limited", { limits: [{ running: bounds.running["limited"] ?? 1 }], retry, run: run("limited") }),
    rated: task<Work>("rated", { limits: [{ starts: bounds.starts["rated"]?.most ?? 1, every: "10s" }], retry, run: run("rated") }),
    parent: task<Work>("parent", {
      retry,
      run: async (work, job) => {
        job.enqueue(child.with({ ...work, fails: 0 }));
        await run("parent")(work, job);
      },
    }),
    locking: task<Work>("locking", { retry, run: ({ ms }) => count(body.process().broker, ledger, () => sleep(ms)) }),
    steps: task<Work>("steps", {
      retry,
      run: async (work, job) => {
        for (let step = Number(job.checkpoint ?? 0); step < stepsOfJob; step++) {
          await sleep(work.ms / stepsOfJob);
          await job.save(step + 1);
        }
        await run("steps")({ ...work, ms: 0 }, job);
      },
    }),
    guarded: task("guarded", {
      retry,
      current: ({ n }: Work) => ({ version: versionOf(ledger, n) }),
      run: async (work, job, current) => {
        if (current?.version !== firstVersion) ledger.complaints.push(`I19 guarded ${work.n} runs on version ${current?.version}`);
        await run("guarded")(work, job);
      },
    }),
    effect: task<Work>("effect", {
      uniqueBy: "n",
      retry,
      run: async ({ n, ms }, job) => {
        await sleep(ms);
        if (!body.process().gate.isCrashed) act(ledger, n, job.fence);
      },
    }),
    bomb: task<Work>("bomb", {
      retry,
      run: async ({ n, ms }) => {
        await sleep(ms);
        ledger.deaths.set(n, (ledger.deaths.get(n) ?? 0) + 1);
        body.die();
        await new Promise(() => undefined);
      },
    }),
  };
  return { tasks, happened, definitions: { ...tasks, hop, other, child, ...extra(plan, ledger, { happened, hop, other, effect: tasks.effect }) } };
}

interface Connected {
  readonly happened: DomainEvent<Work>;
  readonly hop: Task<Work>;
  readonly other: Task<Work>;
  readonly effect: Task<Work>;
}

/** What does something by itself once a worker knows it. */
function extra({ parts }: Plan, ledger: Ledger, { happened, hop, other, effect }: Connected): Record<string, unknown> {
  const tick = task("tick", { retry, run: () => undefined });
  return {
    tick,
    ...(parts.includes("event") && { happened, toHop: when(happened, hop, { name: "to-hop" }), toOther: when(happened, other, { name: "to-other" }) }),
    ...(parts.includes("schedule") && { ticking: every(tickEvery, tick.with({}), { missed: "run-all" }) }),
    ...(parts.includes("effect") && {
      undone: reconcile(effect, { every: "5s", find: async () => Promise.resolve(undone(ledger).map((n) => ({ n, key: "", ms: 0, fails: 0 }))) }),
    }),
  };
}

/** Reads, waits, writes: nothing is lost of it where whoever writes looks at the fence. */
async function count(broker: Broker, { counter }: Ledger, wait: () => Promise<void>): Promise<void> {
  const held = await broker.lock("counter", { for: "10s", wait: "30s" });
  try {
    if (held.fence < counter.fence) return;
    counter.fence = held.fence;
    const read = counter.value;
    await wait();
    if (held.fence < counter.fence) return;
    counter.value = read + 1;
    counter.writes++;
  } finally {
    await held.release().catch(() => undefined); // its time may be over
  }
}

/** Runs for leader for as long as its process lives. */
export function candidate(clock: SimulatedClock, ledger: Ledger, process: Process): void {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, () => process.gate.pass(resolve)));
  const leading = async ({ fence, signal }: { readonly fence: number; readonly signal: AbortSignal }): Promise<void> => {
    while (!signal.aborted) {
      if (!process.gate.isCrashed) lead(ledger, process.name, fence);
      await sleep(leaderRestsMs);
    }
  };
  process.broker.lead("captain", leading).catch(() => clock.after(leaderRestsMs, () => process.gate.pass(() => candidate(clock, ledger, process))));
}
