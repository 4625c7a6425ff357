/** Hands in one work of a part, and again where the answer was lost. */
import { batch, type Broker, type Errand } from "../../src/index.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Seeded } from "../../src/testing/seeded.ts";
import { firstVersion, type Ledger } from "./ledger.ts";
import type { Part } from "./plan.ts";
import { memberId, membersMost, type Work, type Workload } from "./workload.ts";

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

const keys = 4;
const triesMax = 20;

export async function handIn(producer: Broker, workload: Workload, ledger: Ledger, handed: HandedIn, random: Seeded): Promise<void> {
  const { part, n } = handed;
  const work: Work = {
    n,
    key: handed.key,
    ms: Math.floor(random.random() ** 3 * 6_000),
    fails: random.random() < 0.2 ? 1 + Math.floor(random.random() * 2) : 0,
  };
  if (part === "effect") ledger.effects.set(n, { times: 0, fence: 0 });
  if (part === "event") {
    await answered(handed, () => producer.publish(workload.happened.with(work, { id: `event-${n}` })));
    return;
  }
  const errand = errandOf(workload.tasks, part, work, random);
  if (part === "guard" && random.random() < 0.4) ledger.versions.set(n, firstVersion + 1);
  await answered(handed, () => (part === "try" ? producer.tryNow(errand, { timeout: "2s" }) : producer.enqueue(errand)));
}

export function newHandedIn(part: Part, n: number, random: Seeded): HandedIn {
  return { part, n, key: `key ${Math.floor(random.random() * keys)}`, id: undefined, isDuplicate: false, isRefused: false };
}

function errandOf(tasks: Workload["tasks"], part: Part, work: Work, random: Seeded): Errand {
  const priority = random.random() < 0.3 ? ("high" as const) : undefined;
  switch (part) {
    case "delayed":
      return tasks.plain.with(work, { in: `${Math.floor(random.random() * 20)}s` });
    case "batch": {
      const size = 1 + Math.floor(random.random() * membersMost);
      const members = Array.from({ length: size }, (_, nth) => tasks.member.with({ ...work, n: memberId(work.n, nth) }));
      return batch(members, { whenAllEnd: tasks.closing.with({ ...work, ms: 0, fails: 0 }) });
    }
    case "follow":
      return tasks.parent.with(work);
    case "lock":
      return tasks.locking.with(work);
    case "guard":
      return tasks.guarded.with(work, { expecting: { version: firstVersion } });
    case "debounce":
      return tasks.debounced.with(work);
    case "effect":
      return tasks.effect.with({ ...work, key: "", fails: 0 });
    case "ordered":
    case "unique":
    case "limited":
    case "rated":
    case "steps":
    case "bomb":
      return tasks[part].with(work);
    default:
      return tasks.plain.with(work, priority && { priority });
  }
}

async function answered(handed: HandedIn, send: () => Promise<unknown>): Promise<void> {
  let call = send;
  let isDoubtful = false;
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      handed.isRefused = false; // who hands in may die before it knows
      const { id, isDuplicate } = (await call()) as { readonly id: string; readonly isDuplicate: boolean };
      handed.id = id;
      handed.isDuplicate = isDuplicate;
      return;
    } catch (error) {
      if (!ErrandError.is(error)) throw error;
      isDoubtful ||= !error.isDefinite;
      handed.isRefused = !isDoubtful;
      if (error.isDefinite && !error.code.startsWith("store-")) return;
      if (!error.isDefinite) call = () => error.again();
    }
  }
}
