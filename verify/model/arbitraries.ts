/** Random commands, and random lists of them. */
import fc from "fast-check";
import type { JobState } from "../../src/core/states.ts";
import { jobStates } from "../../src/core/states.ts";
import type {
  AfterPlan,
  AtomPlan,
  CallbackPlan,
  Command,
  EventPlan,
  InnerPlan,
  JobPlan,
  JoinPlan,
  NotePlan,
  OutcomePlan,
  QueuePlan,
  SelectionPlan,
} from "./commands.ts";

const upTo = (most: number): fc.Arbitrary<number> => fc.nat({ max: most });
/** The terms of plans.ts; those of fresh work and of retries matter in fewer of the lives. */
const terms = fc.constantFrom(0, 1, 2, 2, 3, 4, 5, 5, 6, 6);
const delays = fc.constantFrom(0, 50, 100, 250);

/** Leaves out what is undefined, so that a command prints short. */
function plan<T>(shape: { [K in keyof T]-?: fc.Arbitrary<T[K] | undefined> }): fc.Arbitrary<T> {
  return fc
    .record(shape as Record<string, fc.Arbitrary<unknown>>)
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T);
}

const maybe = <T>(weight: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ withCrossShrink: true }, { weight: 10 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value });

const after: fc.Arbitrary<AfterPlan> = plan<AfterPlan>({
  of: fc.constantFrom("previous", "previous", "live", "live", "live", "any", "any", "any", "unknown"),
  pick: upTo(20),
  when: fc.constantFrom(0, 0, 1, 2),
});
const afters = fc.array(after, { minLength: 1, maxLength: 2, size: "max" });

const job: fc.Arbitrary<JobPlan> = plan<JobPlan>({
  id: maybe(1, upTo(3)),
  content: maybe(2, upTo(1)),
  task: upTo(2),
  queue: upTo(1),
  priority: maybe(3, upTo(2)),
  delayMs: maybe(2, delays),
  dueInMs: maybe(1, fc.constantFrom(-100, 50, 150)),
  startWithinMs: maybe(1, fc.constantFrom(53, 153)),
  startByInMs: maybe(1, fc.constantFrom(-3, 103)),
  lane: maybe(5, upTo(6)),
  unique: maybe(3, upTo(8)),
  keep: maybe(3, upTo(2)),
  hasExtras: maybe(1, fc.constant(true)),
  join: maybe(2, upTo(5)),
  after: maybe(2, afters),
  keyLimits: maybe(3, upTo(7)),
  lease: maybe(1, upTo(2)),
  terms: maybe(5, terms),
});
const joiningJob: fc.Arbitrary<JobPlan> = fc.record({ task: upTo(2), queue: upTo(1), join: upTo(5) });
const members = fc.array(job, { maxLength: 3, size: "max" });
const inner: fc.Arbitrary<InnerPlan> = plan<InnerPlan>({ isStaged: maybe(2, fc.constant(true)), members: fc.array(job, { maxLength: 2, size: "max" }) });
const callback: fc.Arbitrary<CallbackPlan> = fc.record({ when: upTo(2), job });
const join: fc.Arbitrary<JoinPlan> = plan<JoinPlan>({
  isStaged: maybe(3, fc.constant(true)),
  size: maybe(2, fc.constantFrom("right" as const, "right" as const, "more" as const)),
  join: maybe(2, upTo(5)),
  after: maybe(2, afters),
  members,
  inner: maybe(2, fc.array(inner, { minLength: 1, maxLength: 2, size: "max" })),
  callbacks: maybe(7, fc.array(callback, { minLength: 1, maxLength: 2, size: "max" })),
});
const event: fc.Arbitrary<EventPlan> = plan<EventPlan>({ event: upTo(1), id: maybe(2, upTo(2)), key: upTo(1), isOrdered: maybe(5, fc.constant(true)) });
const note: fc.Arbitrary<NotePlan> = plan<NotePlan>({
  note: upTo(2),
  isDeleted: maybe(3, fc.constant(true)),
  ifVersion: maybe(6, fc.constantFrom("right" as const, "right" as const, 0, 1, 2)),
});
const atom: fc.Arbitrary<AtomPlan> = plan<AtomPlan>({
  joins: maybe(3, fc.array(join, { minLength: 1, maxLength: 2, size: "max" })),
  jobs: fc.array(job, { maxLength: 4, size: "max" }),
  events: maybe(2, fc.array(event, { minLength: 1, maxLength: 2, size: "max" })),
  notes: maybe(2, fc.array(note, { minLength: 1, maxLength: 2, size: "max" })),
});
const outcome: fc.Arbitrary<OutcomePlan> = plan<OutcomePlan>({
  of: fc.constantFrom(...Array.from({ length: 16 }, () => "running" as const), "former", "former", "wrong-fence", "wrong-claim", "unknown"),
  pick: upTo(20),
  is: fc.constantFrom("completed", "completed", "skipped", "dead", "dead", "retry", "snoozed", "released", "saved"),
  delayMs: maybe(5, delays),
  hasCheckpoint: maybe(2, fc.constant(true)),
  isPoison: maybe(1, fc.constant(true)),
  follow: maybe(2, fc.array(fc.oneof(job, joiningJob), { minLength: 1, maxLength: 2, size: "max" })),
});
const outcomes = fc.array(outcome, { minLength: 1, maxLength: 2, size: "max" });
const someStates: fc.Arbitrary<readonly JobState[]> = fc.oneof(
  fc.constantFrom<readonly JobState[]>(["running"], ["running"], ["parked"], ["dead"], ["parked", "dead"], ["blocked"], ["scheduled", "blocked"], ["ready"]),
  fc.uniqueArray(fc.constantFrom(...jobStates), { minLength: 1, maxLength: 3, size: "max" }),
);
const selection: fc.Arbitrary<SelectionPlan> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ join: upTo(5) }) },
  {
    weight: 2,
    arbitrary: plan<SelectionPlan>({
      ids: fc.uniqueArray(upTo(40), { minLength: 1, maxLength: 3, size: "max" }),
      states: fc.constant(undefined),
      queue: fc.constant(undefined),
      task: fc.constant(undefined),
      lane: fc.constant(undefined),
      unique: fc.constant(undefined),
      join: fc.constant(undefined),
      after: fc.constant(undefined),
      before: fc.constant(undefined),
    }),
  },
  {
    weight: 3,
    arbitrary: plan<SelectionPlan>({
      ids: fc.constant(undefined),
      states: maybe(8, someStates),
      queue: maybe(1, upTo(1)),
      task: maybe(1, upTo(2)),
      lane: maybe(3, upTo(6)),
      unique: maybe(1, upTo(8)),
      join: maybe(2, upTo(5)),
      after: maybe(1, upTo(20)),
      before: maybe(1, upTo(20)),
    }),
  },
);
const queue: fc.Arbitrary<QueuePlan> = fc.record({ slots: fc.constantFrom(0, 1, 1, 2, 2, 3, 3), ahead: fc.constantFrom(0, 0, 1, 2) });
const limit = maybe(2, fc.integer({ min: 1, max: 3 }));

const weighted: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Command> }[] = [
  {
    weight: 64,
    arbitrary: plan<Extract<Command, { do: "enqueue" }>>({ do: fc.constant("enqueue"), atoms: fc.array(atom, { minLength: 1, maxLength: 2, size: "max" }) }),
  },
  {
    weight: 16,
    arbitrary: plan<Extract<Command, { do: "stage" }>>({
      do: fc.constant("stage"),
      join: upTo(5),
      members,
      isSealed: maybe(6, fc.constant(true)),
      size: maybe(2, fc.constantFrom("right" as const, "right" as const, "more" as const)),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("again" as const), pick: upTo(9) }) },
  {
    weight: 16,
    arbitrary: plan<Extract<Command, { do: "limit" }>>({ do: fc.constant("limit"), what: upTo(4), number: maybe(8, upTo(2)) }),
  },
  {
    weight: 8,
    arbitrary: plan<Extract<Command, { do: "tick" }>>({
      do: fc.constant("tick"),
      schedule: upTo(1),
      slots: fc.integer({ min: 1, max: 2 }),
      isLate: maybe(3, fc.constant(true)),
    }),
  },
  {
    weight: 80,
    arbitrary: plan<Extract<Command, { do: "claim" }>>({
      do: fc.constant("claim"),
      worker: upTo(2),
      q1: maybe(9, queue),
      q2: maybe(8, queue),
      tasks: maybe(1, fc.uniqueArray(upTo(2), { maxLength: 2, size: "max" })),
      isAlone: maybe(1, fc.constant(true)),
      settling: maybe(3, outcomes),
      lastFenceAheadMs: maybe(1, fc.constantFrom(0, 5_000)),
      terms: maybe(3, terms),
      inRow: maybe(3, fc.constantFrom(0, 2, 2, 3, 3)),
    }),
  },
  { weight: 72, arbitrary: plan<Extract<Command, { do: "settle" }>>({ do: fc.constant("settle"), outcomes }) },
  { weight: 28, arbitrary: fc.record({ do: fc.constant("beat" as const), worker: upTo(2) }) },
  {
    weight: 12,
    arbitrary: plan<Extract<Command, { do: "crash" }>>({ do: fc.constant("crash"), worker: upTo(2), isTakenBack: maybe(5, fc.constant(true)) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("crashLoop" as const), worker: upTo(2), times: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 32, arbitrary: fc.record({ do: fc.constant("tidy" as const), items: fc.constantFrom(1, 2, 1_000), mayExpire: fc.boolean() }) },
  {
    weight: 36,
    arbitrary: plan<Extract<Command, { do: "cancel" | "retry" | "delete" }>>({
      do: fc.constantFrom("cancel", "cancel", "retry", "retry", "retry", "delete"),
      which: selection,
      limit,
      isHeard: maybe(5, fc.constant(true)),
    }),
  },
  { weight: 8, arbitrary: plan<Extract<Command, { do: "prioritise" }>>({ do: fc.constant("prioritise"), which: selection, priority: upTo(2), limit }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const), what: upTo(2) }) },
  { weight: 16, arbitrary: fc.record({ do: fc.constant("subscribe" as const), subscription: upTo(4), variant: upTo(7) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), subscription: upTo(4) }) },
  {
    weight: 12,
    arbitrary: plan<Extract<Command, { do: "lock" }>>({
      do: fc.constant("lock"),
      worker: upTo(2),
      lock: upTo(1),
      ticket: upTo(4),
      isRead: maybe(4, fc.constant(true)),
      permits: maybe(2, fc.integer({ min: 1, max: 3 })),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("unlock" as const), lock: upTo(1), ticket: upTo(4) }) },
  {
    weight: 12,
    arbitrary: plan<Extract<Command, { do: "find" }>>({
      do: fc.constant("find"),
      which: selection,
      limit: fc.integer({ min: 1, max: 4 }),
      newestFirst: maybe(5, fc.boolean()),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("page" as const), of: upTo(7), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("readNote" as const), note: upTo(2) }) },
  {
    weight: 48,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(50, 50, 50, 50, 100, 100, 100, 150, 150, 300, 300, 1_000, 12_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "passDays" as const }) },
  { weight: 12, arbitrary: plan<Extract<Command, { do: "handle" }>>({ do: fc.constant("handle"), handle: upTo(1), isFresh: maybe(2, fc.constant(true)) }) },
];

// ── runs ────────────────────────────────────────────────────────────────────────────────────────────

/** What a run is about: much of its work meets in one lane, under one unique key or limit, in one queue. Rules deep in one corner are met this way. */
interface Theme {
  readonly lane: number | undefined;
  readonly unique: number | undefined;
  readonly queue: number | undefined;
  readonly keyLimits: number | undefined;
  readonly terms: number | undefined;
  readonly inRow: number | undefined;
  /** What is tried again meets a bound on that: the terms under which all is claimed. */
  readonly retries: number | undefined;
  /** Undefined: no joins, and nothing comes after anything. */
  readonly isJoined: true | undefined;
}

const theme: fc.Arbitrary<Theme> = fc.record({
  lane: maybe(5, upTo(6)),
  unique: maybe(3, upTo(8)),
  queue: maybe(5, upTo(1)),
  keyLimits: maybe(2, upTo(7)),
  terms: maybe(2, terms),
  inRow: maybe(2, fc.integer({ min: 2, max: 3 })),
  retries: maybe(1, fc.constantFrom(5, 6)),
  isJoined: maybe(6, fc.constant(true as const)),
});

export function commandLists(most: number): fc.Arbitrary<Command[]> {
  const lists = fc.array(fc.oneof({ withCrossShrink: false }, ...weighted), { minLength: Math.ceil(most / 3), maxLength: most, size: "max" });
  return fc.tuple(theme, lists).map(([about, commands]) => commands.map((command) => themed(about, command)));
}

function themed(about: Theme, command: Command): Command {
  switch (command.do) {
    case "enqueue":
      return { ...command, atoms: command.atoms.map((one) => themedAtom(about, one)) };
    case "stage":
      return { ...command, members: command.members.map((one) => themedJob(about, one)) };
    case "claim":
      return themedClaim(about, command);
    case "settle":
      return about.retries !== undefined ? { ...command, outcomes: command.outcomes.map(triedAgain) } : command;
    case "cancel":
    case "retry":
    case "delete":
    case "prioritise":
      return about.lane === undefined || command.which.lane === undefined ? command : { ...command, which: { ...command.which, lane: about.lane } };
    default:
      return command;
  }
}

function themedAtom(about: Theme, { joins, ...one }: AtomPlan): AtomPlan {
  const themedOnes = (jobs: readonly JobPlan[]): JobPlan[] => jobs.map((job) => themedJob(about, job));
  const made = joins?.map((join) => ({
    ...join,
    members: themedOnes(join.members),
    ...(join.callbacks && { callbacks: join.callbacks.map(({ when, job }) => ({ when, job: themedJob(about, job) })) }),
  }));
  return { ...one, jobs: themedOnes(one.jobs), ...(about.isJoined && made && { joins: made }) };
}

function themedClaim(about: Theme, command: Extract<Command, { do: "claim" }>): Command {
  const under = about.retries ?? about.terms;
  return {
    ...command,
    ...(about.queue !== undefined && { [about.queue === 0 ? "q1" : "q2"]: command.q1 ?? command.q2 ?? { slots: 2, ahead: 0 } }),
    ...(under !== undefined && { terms: under }),
    ...(about.inRow !== undefined && { inRow: about.inRow, q1: { slots: 2, ahead: 2 } }),
  };
}

/** More urgent than what comes after it, so that a bound on retries keeps it waiting. */
function triedAgain(plan: OutcomePlan): OutcomePlan {
  return plan.is === "completed" || plan.is === "skipped" || plan.is === "dead" ? { ...plan, is: "retry", delayMs: 0 } : plan;
}

/** Without what keeps it from being ready when it comes back. */
function retriedJob({ lane: _, unique: __, keyLimits: ___, delayMs: ____, dueInMs: _____, ...one }: JobPlan): JobPlan {
  return { ...one, task: one.task % 2 };
}

/** Of one task, in one queue, in lanes of width 1, without what keeps it out of a row. */
function rowJob(about: Theme, { keyLimits: _, unique: __, lease: ___, ...one }: JobPlan): JobPlan {
  return { ...one, task: 0, queue: 0, lane: [0, 1, 2, 6][about.lane ?? 0] ?? 0 };
}

/** Two of the three tasks follow the theme. */
function themedJob(about: Theme, { after, join, ...one }: JobPlan): JobPlan {
  const joined = about.isJoined ? { ...one, ...(after && { after }), ...(join !== undefined && { join }) } : one;
  if (about.retries !== undefined) return retriedJob(joined);
  if (one.task === 2) return joined;
  if (about.inRow !== undefined) return rowJob(about, joined);
  return {
    ...joined,
    ...(about.lane !== undefined && { lane: about.lane }),
    ...(about.unique !== undefined && { unique: about.unique }),
    ...(about.queue !== undefined && { queue: about.queue }),
    ...(about.keyLimits !== undefined && { keyLimits: about.keyLimits }),
  };
}
