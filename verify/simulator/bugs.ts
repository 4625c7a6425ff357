/** What goes wrong at the store, by the port, and by which invariant a simulated life sees it. */
import type { Claimed, ClaimedJob, Engine, Outcome } from "../../src/core/engine.ts";
import { jobs, type Distortion } from "../../test/conformance/planted.ts";
import type { Fault, Part } from "./plan.ts";

export interface Bug {
  readonly name: string;
  readonly distortion: Distortion;
  readonly caughtAs: string;
  /** Lives that have these show it: others are not lived. */
  readonly parts?: readonly Part[];
  readonly fault?: Fault;
}

/** Each call of its own kind is counted: every so-many-th goes wrong. */
function everyTenth(): () => boolean {
  let calls = 0;
  return () => ++calls % 10 === 0;
}

const claimedWith =
  (change: (claimed: Claimed) => Claimed): Distortion =>
  (inner) => ({ claim: async (wanted, at) => change(await inner.claim(wanted, at)) });

const handedWith = (change: (job: ClaimedJob) => ClaimedJob): Distortion => claimedWith((claimed) => ({ ...claimed, jobs: claimed.jobs.map(change) }));

const settling =
  (change: (outcomes: readonly Outcome[]) => readonly Outcome[]): Distortion =>
  (inner) => ({
    settle: (outcomes, at) => inner.settle(change(outcomes), at),
    claim: (wanted, at) => inner.claim({ ...wanted, settling: change(wanted.settling) }, at),
  });

function losing(inner: Engine): Partial<Engine> {
  const isLost = everyTenth();
  return {
    enqueue: async (atoms, at) => {
      const only = atoms.length === 1 && atoms[0]?.works.length === 1 ? atoms[0].works[0] : undefined;
      if (only?.kind !== "job" || only.join !== undefined || !isLost()) return inner.enqueue(atoms, at);
      return [[{ id: only.id, isDuplicate: false, state: "ready" }]];
    },
  };
}

function droppingCompletions(inner: Engine): Partial<Engine> {
  const isDropped = everyTenth();
  return {
    claim: async (wanted, at) => {
      const kept = wanted.settling.filter(({ is }) => is !== "completed" || !isDropped());
      const claimed = await inner.claim({ ...wanted, settling: kept }, at);
      const settled = wanted.settling.map(
        ({ id }) => claimed.settled.find((one) => one.id === id) ?? { id, is: "settled" as const, state: "completed" as const },
      );
      return { ...claimed, settled };
    },
  };
}

/** Of each store, the fence that its first claim was given: those that are told begin there. */
const firstFences: WeakMap<Engine, number> = new WeakMap();

function fencesBeginAnew(inner: Engine): Partial<Engine> {
  const first = (): number => firstFences.get(inner) ?? 0;
  const truth = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.map((one) => ({ ...one, fence: one.fence + first() }));
  return {
    settle: (outcomes, at) => inner.settle(truth(outcomes), at),
    claim: async (wanted, at) => {
      const claimed = await inner.claim({ ...wanted, settling: truth(wanted.settling) }, at);
      if (!firstFences.has(inner)) firstFences.set(inner, claimed.fence - 1);
      return { ...claimed, fence: claimed.fence - first() };
    },
  };
}

const cancelsAreForgotten: Distortion = (inner) => ({
  change: async (which, change, limit, at) => {
    if (change.do !== "cancel" || !("ids" in which)) return inner.change(which, change, limit, at);
    const { rows } = await inner.find({ of: "jobs", ids: which.ids }, at.now === undefined ? {} : { now: at.now });
    const running = rows.filter(({ state }) => state === "running").map(({ id }) => id);
    const rest = await inner.change({ ids: which.ids.filter((id) => !running.includes(id)) }, change, limit, at);
    return { ...rest, jobs: [...rest.jobs, ...running.map((id) => ({ id, is: "cancelling" as const }))] };
  },
});

export const bugs: readonly Bug[] = [
  { name: "every tenth job is acknowledged and not stored", distortion: losing, caughtAs: "I1" },
  { name: "fences stand still", distortion: claimedWith((claimed) => ({ ...claimed, fence: 1 })), caughtAs: "I4" },
  { name: "fences begin anew with each era", distortion: fencesBeginAnew, caughtAs: "I4", fault: "rewindMean" },
  {
    name: "leases are not renewed, and jobs are taken back all the same",
    distortion: (inner) => ({ beat: (process, _leaseMs, at) => inner.beat(process, 1, at) }),
    caughtAs: "I5",
  },
  {
    name: "delays are forgotten where a run asks for one",
    distortion: settling((outcomes) => outcomes.map((one) => ({ ...one, delayMs: 0 }))),
    caughtAs: "I12",
  },
  { name: "lanes do not hold", distortion: jobs(({ lane: _, ...job }) => job), caughtAs: "I6" },
  {
    name: "limits of tasks are not asked for",
    distortion: (inner) => ({ claim: ({ terms: _, ...wanted }, at) => inner.claim(wanted, at) }),
    caughtAs: "I14",
  },
  { name: "unique keys do not hold", distortion: jobs(({ unique: _, ...job }) => job), caughtAs: "I10" },
  {
    name: "what a run hands in is dropped",
    distortion: settling((outcomes) => outcomes.map(({ follow: _, ...one }) => one)),
    caughtAs: "I8",
  },
  { name: "callbacks do not wait for their batch", distortion: jobs(({ after: _, ...job }) => job), caughtAs: "I8", parts: ["batch"] },
  { name: "nobody's jobs are taken back", distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }), caughtAs: "I21" },
  { name: "a completion is answered as settled and not written", distortion: droppingCompletions, caughtAs: "I3" },
  { name: "who runs is told to be cancelled, and is not", distortion: cancelsAreForgotten, caughtAs: "I11", parts: ["cancel"] },
  { name: "a job is tried more often than it may be", distortion: handedWith((job) => ({ ...job, attempt: job.attempt + 4 })), caughtAs: "I13" },
  {
    name: "nothing is ever put aside",
    distortion: (inner) => ({ claim: (wanted, at) => inner.claim({ ...wanted, alone: "no" }, at) }),
    caughtAs: "I21",
    parts: ["bomb"],
  },
  { name: "progress is forgotten", distortion: handedWith(({ checkpoint: _, ...job }) => job), caughtAs: "I18", parts: ["steps"] },
  {
    name: "premises are forgotten",
    distortion: handedWith(({ expecting: _, ...job }) => job),
    caughtAs: "I19",
    parts: ["guard"],
  },
  {
    name: "a lock for one lets three in",
    distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, permits: 3 }, at) }),
    caughtAs: "I16",
    parts: ["lock"],
  },
  {
    name: "two lead at once",
    distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, permits: 3 }, at) }),
    caughtAs: "I17",
    parts: ["leader"],
  },
  {
    name: "one more is counted as completed than is there",
    distortion: (inner) => ({ count: async (at) => (await inner.count(at)).map((row) => (row.state === "completed" ? { ...row, jobs: row.jobs + 1 } : row)) }),
    caughtAs: "I20",
  },
  {
    name: "a store that forgot tells nobody of another era",
    distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), era: "one and the same" }) }),
    caughtAs: "I21",
    parts: ["effect"],
    fault: "rewindMean",
  },
];
