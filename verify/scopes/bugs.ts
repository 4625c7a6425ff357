/** For each scope a bug that it must go red for: a right engine, distorted at the port. */
import type { Atom, At, Engine, NewJob, Outcome, Uniqueness } from "../../src/core/engine.ts";
import {
  doublesHistory,
  fencesStandStill,
  changesIgnored,
  jobs,
  notes,
  now,
  outcomes,
  settlesWhatWasLost,
  subscriptions,
  type Distortion,
} from "../../test/conformance/planted.ts";

export interface PlantedBug {
  readonly scope: string;
  readonly bug: string;
  readonly distortion: Distortion;
  /** What its complaint begins with. */
  readonly caughtAs: string;
}

const withoutField =
  (name: keyof NewJob) =>
  (job: NewJob): NewJob =>
    Object.fromEntries(Object.entries(job).filter(([field]) => field !== name)) as unknown as NewJob;
const inMode = (mode: Uniqueness["mode"]): Distortion => jobs((job) => (job.unique === undefined ? job : { ...job, unique: { ...job.unique, mode } }));
const inLane = (more: Partial<NonNullable<NewJob["lane"]>>): Distortion =>
  jobs((job) => (job.lane === undefined ? job : { ...job, lane: { ...job.lane, ...more } }));

const forgetsCheckpoints: Distortion = (inner) => ({
  claim: async (wanted, at) => {
    const claimed = await inner.claim(wanted, at);
    return { ...claimed, jobs: claimed.jobs.map(({ checkpoint: _, ...job }) => job) };
  },
});

const runsSuspectsBesideOthers: Distortion = (inner) => ({
  claim: async (wanted, at) => {
    const claimed = await inner.claim(wanted, at);
    return claimed.jobs.length > 0 || wanted.alone === "only"
      ? claimed
      : { ...(await inner.claim({ ...wanted, alone: "only", settling: [] }, at)), settled: claimed.settled };
  },
});

const bearsWithoutALease: Distortion = (inner) => ({
  enqueue: async (atoms, at) => {
    const answers = await inner.enqueue(
      atoms.map((atom): Atom => ({ ...atom, works: atom.works.map((work) => (work.kind === "job" ? withoutField("lease")(work) : work)) })),
      at,
    );
    const stamp = { fence: (at.now ?? 0) * 1_000 + 1, now: at.now ?? 0 };
    return answers.map((answer, nth) =>
      Array.isArray(answer)
        ? answer.map((one, place) => ((atoms[nth]?.works[place] as NewJob | undefined)?.lease && !one.isDuplicate ? { ...one, leased: stamp } : one))
        : answer,
    );
  },
});

const forgetsIdsThatEnded: Distortion = (inner) => ({
  enqueue: async (atoms, at) => {
    await inner.change({ ids: atoms.flatMap((atom) => atom.works.map(({ id }) => id)) }, { do: "delete" }, 100, at);
    return inner.enqueue(atoms, at);
  },
});

const claimsDropWhatIsHandedIn: Distortion = (inner) => ({
  claim: (wanted, at) => inner.claim({ ...wanted, settling: wanted.settling.map(({ follow: _, ...outcome }): Outcome => outcome) }, at),
});

const deletesNothing: Distortion = (inner) => ({
  change: async (which, change, limit, at) =>
    change.do === "delete" && "ids" in which
      ? { jobs: which.ids.map((id) => ({ id, is: "deleted" as const })), hasMore: false }
      : inner.change(which, change, limit, at),
});

const cancelsNoBatch: Distortion = (inner) => ({
  change: async (which, change, limit, at) => ("join" in which ? { jobs: [], hasMore: false } : inner.change(which, change, limit, at)),
});

const handsInAfterwards: Distortion = (inner) => ({
  settle: async (list, at: At<unknown>) => {
    const answers = await inner.settle(
      list.map(({ follow: _, ...outcome }) => outcome),
      at,
    );
    for (const [nth, { follow }] of list.entries())
      if (follow !== undefined && answers[nth]?.is === "settled") await inner.enqueue([{ works: follow }], now(at));
    return answers;
  },
});

const withoutTerms: Distortion = (inner) => ({ claim: ({ terms: _, ...wanted }, at) => inner.claim(wanted, at) });
const locks =
  (change: (request: Parameters<Engine["lock"]>[0]) => Parameters<Engine["lock"]>[0]): Distortion =>
  (inner) => ({ lock: (request, at) => inner.lock(change(request), at) });

export const bugs: readonly PlantedBug[] = [
  { scope: "claim, settle, expire", bug: "a run that was taken back settles all the same", distortion: settlesWhatWasLost, caughtAs: "G3" },
  {
    scope: "retry and release against expiry",
    bug: "a release is charged as an attempt",
    distortion: outcomes((one) => (one.is === "released" ? { ...one, is: "retry", delayMs: 0 } : one)),
    caughtAs: "G",
  },
  { scope: "checkpoint against zombie", bug: "checkpoints are forgotten", distortion: forgetsCheckpoints, caughtAs: "G2" },
  { scope: "quarantine against success", bug: "suspects run beside others", distortion: runsSuspectsBesideOthers, caughtAs: "G13" },
  { scope: "born leased against claim and expiry", bug: "a birth under a lease is answered, and not made", distortion: bearsWithoutALease, caughtAs: "G3" },
  { scope: "the same id again, against its end", bug: "an id is forgotten when its job has ended", distortion: forgetsIdsThatEnded, caughtAs: "G1" },
  { scope: "due times against claims and clocks", bug: "a snooze is not waited for", distortion: outcomes((one) => ({ ...one, delayMs: 0 })), caughtAs: "G5" },
  { scope: "settled in the next claim", bug: "what an outcome hands in with a claim is dropped", distortion: claimsDropWhatIsHandedIn, caughtAs: "G2" },
  { scope: "cancel against claim", bug: "a cancel is answered and not made", distortion: changesIgnored("cancel", "cancelled"), caughtAs: "G4" },
  { scope: "redrive against delete and death", bug: "a delete is answered and not made", distortion: deletesNothing, caughtAs: "G2" },
  { scope: "pause against claim", bug: "a pause is not written", distortion: notes((note) => (note.value === undefined ? note : undefined)), caughtAs: "G9" },
  {
    scope: "what comes after, against the end and the cancel of what is before",
    bug: "what comes after runs however that ended",
    distortion: jobs((job) => (job.after === undefined ? job : { ...job, after: job.after.map(({ id }) => ({ id, when: "ended" })) })),
    caughtAs: "G11",
  },
  { scope: "unique against completion: keep", bug: "unique keys do not hold", distortion: jobs(withoutField("unique")), caughtAs: "G6" },
  { scope: "unique against completion: replace", bug: "nothing is replaced", distortion: inMode({ is: "keep" }), caughtAs: "G6" },
  { scope: "unique against completion: throttle", bug: "the key ends with its job", distortion: inMode({ is: "keep" }), caughtAs: "G6" },
  { scope: "unique against completion: one-more", bug: "none waits while one runs", distortion: inMode({ is: "keep" }), caughtAs: "G6" },
  { scope: "unique against completion: debounce", bug: "the deadline of a debounce is forgotten", distortion: inMode({ is: "replace" }), caughtAs: "G5" },
  {
    scope: "unique against completion: gather",
    bug: "one too many is gathered",
    distortion: inMode({ is: "gather", quietMs: 5_000, atMostMs: 8_000, most: 3 }),
    caughtAs: "G6",
  },
  { scope: "a batch's last members", bug: "members are not held together", distortion: jobs(withoutField("join")), caughtAs: "G11" },
  {
    scope: "a batch sealed against a member's end",
    bug: "members are not held together",
    distortion: jobs(withoutField("join")),
    caughtAs: "G11",
  },
  { scope: "a member adds a member", bug: "what a run hands in is stored after its end", distortion: handsInAfterwards, caughtAs: "G11" },
  { scope: "a batch cancelled against its members", bug: "a batch is told to be cancelled, and is not", distortion: cancelsNoBatch, caughtAs: "G11" },
  { scope: "per-key hand-over: continue", bug: "two of a key run at once", distortion: inLane({ width: 2 }), caughtAs: "G7" },
  { scope: "per-key hand-over: block", bug: "the next goes on behind a dead one", distortion: inLane({ ifDead: "continue" }), caughtAs: "G7" },
  { scope: "per-key hand-over: park", bug: "a death closes no key", distortion: inLane({ ifDead: "block" }), caughtAs: "G" },
  { scope: "per-key hand-over: several in a row", bug: "two of a key run at once", distortion: inLane({ width: 2 }), caughtAs: "G7" },
  { scope: "a key's limit of running jobs", bug: "limits of keys are not asked for", distortion: jobs(withoutField("keyLimits")), caughtAs: "G9" },
  {
    scope: "a key's limit of starts is refilled",
    bug: "room comes back too early",
    distortion: jobs((job) => (job.keyLimits === undefined ? job : { ...job, keyLimits: [{ key: "rate", is: { starts: 1, everyMs: 100 } }] })),
    caughtAs: "G9",
  },
  { scope: "a limit of all is changed against claims", bug: "limits are not asked for", distortion: withoutTerms, caughtAs: "G9" },
  {
    scope: "a read lock becomes a write lock",
    bug: "a writer comes in beside readers",
    distortion: locks((request) => ({ ...request, mode: "read" })),
    caughtAs: "G17",
  },
  { scope: "a lock with two permits", bug: "one too many may hold it", distortion: locks((request) => ({ ...request, permits: 3 })), caughtAs: "G17" },
  { scope: "leader change", bug: "every leader has the same fence", distortion: fencesStandStill, caughtAs: "G17" },
  {
    scope: "subscribe against publish: from now on",
    bug: "history is given to who did not ask for it",
    distortion: subscriptions((one) => ({ ...one, since: "beginning" })),
    caughtAs: "G10",
  },
  {
    scope: "subscribe against publish: from the beginning",
    bug: "history is not given",
    distortion: subscriptions((one) => ({ ...one, since: "now" })),
    caughtAs: "G10",
  },
  {
    scope: "subscribe against publish: from now on, and unsubscribe",
    bug: "who has unsubscribed is still served",
    distortion: notes((note) => (note.value === undefined ? undefined : note)),
    caughtAs: "G10",
  },
  { scope: "subscribe against publish: from the beginning, and unsubscribe", bug: "history is given twice", distortion: doublesHistory, caughtAs: "G" },
  {
    scope: "two subscriptions, one unique key, and the end of a job",
    bug: "a subscription's unique key does not hold",
    distortion: subscriptions(({ uniqueBy: _, ...one }) => one),
    caughtAs: "G10",
  },
];
