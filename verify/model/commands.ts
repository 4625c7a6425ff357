/**
 * Commands as data, so that they shrink and read well: small key spaces, so that they collide.
 * Whom a command concerns is a number, taken modulo what there is when it runs (world.ts).
 */
import fc from "fast-check";
import type { JobState } from "../../src/core/states.ts";
import { jobStates } from "../../src/core/states.ts";
import type { Outcome } from "../../src/core/engine.ts";

export interface JobPlan {
  /** Absent: an id of its own. */
  readonly id?: number;
  readonly content?: number;
  readonly task: number;
  readonly queue: number;
  readonly priority?: number;
  readonly delayMs?: number;
  readonly dueInMs?: number;
  readonly startWithinMs?: number;
  readonly startByInMs?: number;
  readonly lane?: number;
  readonly unique?: number;
  readonly keep?: number;
  readonly hasExtras?: boolean;
}
export interface EventPlan {
  readonly event: number;
  readonly id?: number;
  readonly key: number;
  readonly isOrdered?: boolean;
}
export interface NotePlan {
  readonly note: number;
  readonly isDeleted?: boolean;
  /** "right": the version it has; a number: that version. */
  readonly ifVersion?: "right" | number;
}
export interface AtomPlan {
  readonly jobs: readonly JobPlan[];
  readonly events?: readonly EventPlan[];
  readonly notes?: readonly NotePlan[];
}
export interface OutcomePlan {
  /** "running": a job that runs; "former": any claim there ever was; the rest: a running job's, distorted. */
  readonly of: "running" | "former" | "wrong-fence" | "wrong-claim" | "unknown";
  readonly pick: number;
  readonly is: Outcome["is"];
  readonly delayMs?: number;
  readonly hasCheckpoint?: boolean;
  readonly isPoison?: boolean;
  readonly follow?: readonly JobPlan[];
}
export interface SelectionPlan {
  readonly ids?: readonly number[];
  readonly states?: readonly JobState[];
  readonly queue?: number;
  readonly task?: number;
  readonly lane?: number;
  readonly unique?: number;
}
export interface QueuePlan {
  readonly slots: number;
  readonly ahead: number;
}

export type Command =
  | { readonly do: "enqueue"; readonly atoms: readonly AtomPlan[] }
  | {
      readonly do: "claim";
      readonly worker: number;
      readonly q1?: QueuePlan;
      readonly q2?: QueuePlan;
      readonly tasks?: readonly number[];
      readonly isAlone?: boolean;
      readonly settling?: readonly OutcomePlan[];
      readonly lastFenceAheadMs?: number;
    }
  | { readonly do: "settle"; readonly outcomes: readonly OutcomePlan[] }
  | { readonly do: "beat"; readonly worker: number }
  /** The process stops beating; a new one takes its hands. `isTakenBack`: its lease ends and its jobs are taken back. */
  | { readonly do: "crash"; readonly worker: number; readonly isTakenBack?: boolean }
  /** So often in a row: all that is ready is claimed, a suspect alone, and the process is killed. */
  | { readonly do: "crashLoop"; readonly worker: number; readonly times: number }
  | { readonly do: "tidy"; readonly items: number; readonly mayExpire: boolean }
  /** `isHeard`: the processes that run here beat right after. */
  | { readonly do: "cancel" | "retry" | "delete"; readonly which: SelectionPlan; readonly limit?: number; readonly isHeard?: boolean }
  | { readonly do: "prioritise"; readonly which: SelectionPlan; readonly priority: number; readonly limit?: number }
  | { readonly do: "pause" | "resume"; readonly what: number }
  | { readonly do: "subscribe"; readonly subscription: number; readonly variant: number }
  | { readonly do: "unsubscribe"; readonly subscription: number }
  | { readonly do: "lock"; readonly worker: number; readonly lock: number; readonly ticket: number; readonly isRead?: boolean }
  | { readonly do: "unlock"; readonly lock: number; readonly ticket: number }
  | { readonly do: "find"; readonly which: SelectionPlan; readonly limit: number; readonly newestFirst?: boolean }
  /** Pages through what is not a job, and must see what one look at all of it sees. */
  | { readonly do: "page"; readonly of: number; readonly limit: number }
  | { readonly do: "readNote"; readonly note: number }
  /** What follows goes through another handle on the same store, as from another process; `isFresh`: one that is opened now, the one before it closed. */
  | { readonly do: "handle"; readonly handle: number; readonly isFresh?: boolean }
  | { readonly do: "pass"; readonly ms: number }
  /** Eight days, after which all that has ended and every event is forgotten. */
  | { readonly do: "passDays" };

// ── arbitraries ─────────────────────────────────────────────────────────────────────────────────────

const upTo = (most: number): fc.Arbitrary<number> => fc.nat({ max: most });
const delays = fc.constantFrom(0, 50, 100, 250);

/** Leaves out what is undefined, so that a command prints short. */
function plan<T>(shape: { [K in keyof T]-?: fc.Arbitrary<T[K] | undefined> }): fc.Arbitrary<T> {
  return fc
    .record(shape as Record<string, fc.Arbitrary<unknown>>)
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T);
}

const maybe = <T>(weight: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ withCrossShrink: true }, { weight: 10 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value });

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
  unique: maybe(3, upTo(6)),
  keep: maybe(3, upTo(2)),
  hasExtras: maybe(1, fc.constant(true)),
});
const event: fc.Arbitrary<EventPlan> = plan<EventPlan>({ event: upTo(1), id: maybe(2, upTo(2)), key: upTo(1), isOrdered: maybe(5, fc.constant(true)) });
const note: fc.Arbitrary<NotePlan> = plan<NotePlan>({
  note: upTo(2),
  isDeleted: maybe(3, fc.constant(true)),
  ifVersion: maybe(6, fc.constantFrom("right" as const, "right" as const, 0, 1, 2)),
});
const atom: fc.Arbitrary<AtomPlan> = plan<AtomPlan>({
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
  follow: maybe(2, fc.array(job, { minLength: 1, maxLength: 2, size: "max" })),
});
const outcomes = fc.array(outcome, { minLength: 1, maxLength: 2, size: "max" });
const someStates: fc.Arbitrary<readonly JobState[]> = fc.oneof(
  fc.constantFrom<readonly JobState[]>(["running"], ["running"], ["parked"], ["dead"], ["parked", "dead"], ["blocked"], ["scheduled", "blocked"], ["ready"]),
  fc.uniqueArray(fc.constantFrom(...jobStates), { minLength: 1, maxLength: 3, size: "max" }),
);
const selection: fc.Arbitrary<SelectionPlan> = fc.oneof(
  {
    weight: 2,
    arbitrary: plan<SelectionPlan>({
      ids: fc.uniqueArray(upTo(40), { minLength: 1, maxLength: 3, size: "max" }),
      states: fc.constant(undefined),
      queue: fc.constant(undefined),
      task: fc.constant(undefined),
      lane: fc.constant(undefined),
      unique: fc.constant(undefined),
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
      unique: maybe(1, upTo(6)),
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
  { weight: 16, arbitrary: fc.record({ do: fc.constant("subscribe" as const), subscription: upTo(4), variant: upTo(6) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), subscription: upTo(4) }) },
  {
    weight: 12,
    arbitrary: plan<Extract<Command, { do: "lock" }>>({
      do: fc.constant("lock"),
      worker: upTo(2),
      lock: upTo(1),
      ticket: upTo(4),
      isRead: maybe(4, fc.constant(true)),
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
  { weight: 6, arbitrary: fc.record({ do: fc.constant("page" as const), of: upTo(5), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("readNote" as const), note: upTo(2) }) },
  {
    weight: 48,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(50, 50, 50, 50, 100, 100, 100, 150, 150, 300, 300, 1_000, 12_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "passDays" as const }) },
  { weight: 12, arbitrary: plan<Extract<Command, { do: "handle" }>>({ do: fc.constant("handle"), handle: upTo(1), isFresh: maybe(2, fc.constant(true)) }) },
];

// ── runs ────────────────────────────────────────────────────────────────────────────────────────────

/** What a run is about: much of its work meets in one lane, under one unique key, in one queue. Rules deep in one corner are met this way. */
interface Theme {
  readonly lane: number | undefined;
  readonly unique: number | undefined;
  readonly queue: number | undefined;
}

const theme: fc.Arbitrary<Theme> = fc.record({ lane: maybe(5, upTo(6)), unique: maybe(3, upTo(6)), queue: maybe(5, upTo(1)) });

export function commandLists(most: number): fc.Arbitrary<Command[]> {
  const lists = fc.array(fc.oneof({ withCrossShrink: false }, ...weighted), { minLength: Math.ceil(most / 3), maxLength: most, size: "max" });
  return fc.tuple(theme, lists).map(([about, commands]) => commands.map((command) => themed(about, command)));
}

function themed(about: Theme, command: Command): Command {
  switch (command.do) {
    case "enqueue":
      return { ...command, atoms: command.atoms.map((plan) => ({ ...plan, jobs: plan.jobs.map((one) => themedJob(about, one)) })) };
    case "claim":
      return about.queue === undefined ? command : { ...command, [about.queue === 0 ? "q1" : "q2"]: command.q1 ?? command.q2 ?? { slots: 2, ahead: 0 } };
    case "cancel":
    case "retry":
    case "delete":
    case "prioritise":
      return about.lane === undefined || command.which.lane === undefined ? command : { ...command, which: { ...command.which, lane: about.lane } };
    default:
      return command;
  }
}

/** Two of the three tasks follow the theme. */
function themedJob(about: Theme, one: JobPlan): JobPlan {
  if (one.task === 2) return one;
  return {
    ...one,
    ...(about.lane !== undefined && { lane: about.lane }),
    ...(about.unique !== undefined && { unique: about.unique }),
    ...(about.queue !== undefined && { queue: about.queue }),
  };
}
