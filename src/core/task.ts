/** A task: a name, an input schema, a run function, and its policy. Call sites say only when, how urgent, and after what. */
import { anAfter } from "./compose/after.ts";
import type { GroupParts } from "./compose/group.ts";
import type { Maybe } from "./engine.ts";
import { durationMs, type Duration } from "./duration.ts";
import { ErrandError } from "./errors.ts";
import { aKey } from "./event.ts";
import { aStaleRule, checkExpecting, type Conflict, type Expected, type StaleRule } from "./guard/expected.ts";
import type { Fact } from "./event.ts";
import { flowChecks, type FlowOptions } from "./limits/flowPolicy.ts";
import { checkId, checkName } from "./names.ts";
import { aDate, aFunction, anything, aSchema, aWholeNumber, checkOptions, oneOf, refuse } from "./options.ts";
import type { Schema } from "./schema.ts";
import { policyOf, type TaskPolicy } from "./policy.ts";
import type { SyncTransaction, Transaction } from "./scope.ts";
import type { JobState } from "./states.ts";
import type { LongRun } from "./long/longRun.ts";
import type { Exactly, Json, Key, NameFor, OneOrMany, SavedFor } from "./typing.ts";

export type Priority = "low" | "normal" | "high";
export const madeByTaskWith: unique symbol = Symbol.for("errand.errand") as never;
declare const takes: unique symbol;

/** Work not yet stored. */
export interface Errand {
  readonly kind: "errand";
  readonly name: string;
  readonly [madeByTaskWith]: ErrandParts;
}
/** What an errand holds; for the broker. Of a batch or chain, `task` is undefined. */
export type ErrandParts = JobParts | GroupParts;
export interface JobParts {
  readonly task: AnyTask;
  readonly input: unknown;
  readonly options: AnyErrandOptions;
}
export type AnyErrandOptions = Omit<ErrandOptions, "expecting"> & { readonly expecting?: unknown };

export interface ErrandOptions<Current = never> {
  /** Not before this long from now, by the store's clock. */
  readonly in?: Duration;
  /** Not before this instant. */
  readonly at?: Date;
  /** Not started by then: it ends skipped. A duration counts from enqueue, as that of `in`, and has to be longer. */
  readonly startBy?: Duration | Date;
  /** How much sooner than its due time it counts as due: high 10 minutes, low 10 minutes later. Never an order. Default: the task's. */
  readonly priority?: Priority;
  /** Your own idempotency key: the same id with the same content is the same job while remembered (7 days); with other content `id-conflict`. */
  readonly id?: string;
  /**
   * Starts when all of these have ended well (completed or skipped); ends cancelled as soon as one ends otherwise. An errand must be in the same call, as in
   * `batch([a, b.with(input, { after: a })])`; a text is the id of a stored job or batch. At most 500.
   */
  readonly after?: OneOrMany<Errand | string>;
  /** What you believe about the record that this is for: compared with the task's `current` right before the run ({@link TaskDefinition.ifStale}). */
  readonly expecting?: [Current] extends [never] ? "this task has no `current` to compare with" : Expected<Current>;
}

/** The run of a job, as its function sees it. */
export interface Job<Saved = Json> extends LongRun<Saved> {
  readonly id: string;
  /** 1 for the first. Crashes, snoozes and hand-backs are no attempts. */
  readonly attempt: number;
  /** Grows with every claim, across the store: pass it on to what must refuse a late writer. */
  readonly fence: number;
  readonly enqueuedAt: Date;
  /** The instant of the schedule's slot that it was enqueued for. */
  readonly slot: Date | undefined;
  /** Aborted on timeout, cancel, a lost lease, and when a stopping worker's grace is over. */
  readonly signal: AbortSignal;
  /** Stored in the same atom as the outcome, or not at all. At most 500, members of batches included. Throws as `work.enqueue` does. */
  enqueue(errands: OneOrMany<Errand>): void;
  publish(facts: OneOrMany<Fact>): void;
  /** As {@link enqueue}, as members of the batch or chain that this job is in: it ends when they have ended too. Throws `batch-missing` in a job of none. */
  add(errands: OneOrMany<Errand>): void;
  /** What this job came after, with its results: the steps before it, or the members of the batch before it, in the order of enqueue. */
  before(): AsyncIterable<Predecessor>;
  /**
   * Completes the job, and stores its follow-up work, inside your own transaction: an effect in the same database happens exactly once. Call it first in the
   * transaction: the premise is compared with the record as it stands then. Throws, so that your transaction rolls back, where the job is no longer this run's
   * (`lease-lost`, `job-cancelled`) or its premise no longer holds.
   */
  commit<T extends Transaction>(tx: T): T extends SyncTransaction ? void : Promise<void>;
}

/** A job that another one came after. */
export interface Predecessor {
  readonly id: string;
  readonly task: string;
  readonly state: JobState;
  /** What its run returned, where its task declares `result`. */
  readonly result: unknown;
  /** Why it was skipped or cancelled, or died. */
  readonly reason: string | undefined;
}

/** What it returns is not stored, unless the task declares `result`. `current`: what the task's `current` answered. */
export type Run<Out, Current = never, Result = unknown, Saved = Json> = (input: Out, job: Job<Saved>, current: Current | undefined) => Maybe<Result>;

/** Decides the delay before the next attempt, in place of the backoff. `null`: give up. */
export type RetryDelay = (error: unknown, attempt: number) => Duration | null;

export interface Retry {
  /** In all, the first included. Default 10. */
  readonly attempts?: number;
  /** exponential: 1 s, 2 s, 4 s …; fixed: always `first`. Jitter adds up to a quarter, and never shortens. Default exponential. */
  readonly backoff?: "exponential" | "fixed";
  /** The first delay. Default 1 s. */
  readonly first?: Duration;
  /** The longest delay before jitter. Default 1 h. */
  readonly upTo?: Duration;
  readonly delay?: RetryDelay;
}

export interface Debounce<Out> {
  /** The job waits until it has been quiet for so long, but no longer than `atMost` after the first. */
  readonly debounce: Duration;
  readonly atMost: Duration;
  /** Without it the last payload counts. With it all are kept, and made one right before the run, in the order of enqueue; a repeated call may be among them twice. */
  readonly merge?: (earlier: Out, later: Out) => Maybe<Out>;
  /** With `merge`: how many one job takes before it is due at once. Default 100. */
  readonly most?: number;
}

export interface TaskDefinition<In, Out, Current = never, Result = unknown, Saved = Json> extends FlowOptions<In> {
  readonly input?: Schema<In, Out>;
  readonly run: Run<Out, Current, NoInfer<Result>, Saved>;
  /** What `job.save` keeps and `job.checkpoint` answers, checked when it is saved and when a later run reads it. Default: any JSON. */
  readonly checkpoint?: Schema<Saved>;
  /** Of the input's form: stored with each job. Default 1. A worker leaves jobs of a newer version to one that knows it. */
  readonly version?: number;
  /** Makes the input of today out of one stored by an earlier version, before the schema sees it. What it throws is the run's failure. */
  upgrade?(oldInput: unknown, fromVersion: number): Maybe<NoInfer<In>>;
  /** Looks before doing. A reason: the job is skipped with it; falsy: it runs. */
  readonly unless?: (input: Out) => Maybe<string | false | 0 | null | undefined>;
  /**
   * Reads the record as it is now: compared with `expecting` right before the run, and the third argument of `run`. In `job.commit(tx)` it is called again,
   * with `tx`: read through it, and under its lock. Write it before `run`, so that its type is known there.
   */
  readonly current?: (input: Out, tx?: Transaction) => Maybe<Current | null | undefined>;
  /**
   * Where `expecting` does not hold. skip (default): skipped, with what was expected and found. refresh: runs on what is there now. conflict: a function that
   * returns to let it run, or calls `skip`, `snooze` or `giveUp`.
   */
  readonly ifStale?: "skip" | "refresh" | Conflict<Out, Current, Saved>;
  /** What `run` returns is checked with it and stored with the completion, for those that come after. At most 4 KiB of JSON. Default: nothing is stored. */
  readonly result?: Schema<Result, unknown>;
  /** First in, first out for each value of these fields of the payload. Priority never reorders it. */
  readonly orderedBy?: Key<In>;
  /** What a dead job does to the rest of its key. park (default): it and all behind it wait for a person; block: they wait for it; continue: the next starts. */
  readonly ifDead?: "park" | "block" | "continue";
  /** At most one live job for each value of these fields. */
  readonly uniqueBy?: Key<In>;
  /** What a second one does while the first lives. Default keep: it is the first. */
  readonly ifTaken?: "keep" | "replace" | "one-more" | Debounce<NoInfer<Out>> | { readonly throttle: Duration };
  readonly retry?: Retry;
  /** The signal is aborted then, and the run counts as failed. Default 15 min. */
  readonly timeout?: Duration;
  /** Default "default". */
  readonly queue?: string;
  /** Default normal. */
  readonly priority?: Priority;
  /** How long an ended job is kept. Default: completed and skipped 1 d, cancelled 7 d, dead 30 d. */
  readonly keep?: { readonly completed?: Duration; readonly skipped?: Duration; readonly cancelled?: Duration; readonly dead?: Duration };
}

export interface TaskOf<in In> {
  readonly kind: "task";
  readonly name: string;
  readonly [takes]?: (input: In) => void;
}
export interface Task<In, Current = never> extends TaskOf<In> {
  /** The work, ready to enqueue, chain, batch or assert. */
  readonly with: <I extends In>(input: Exactly<In, I>, options?: ErrandOptions<Current>) => Errand;
}
/** A task as the broker and the worker hold it. */
export interface AnyTask {
  readonly kind: "task";
  readonly name: string;
  readonly input: Schema<unknown> | undefined;
  readonly run: Run<unknown, unknown>;
  readonly unless: ((input: unknown) => Maybe<unknown>) | undefined;
  readonly current: ((input: unknown, tx?: Transaction) => Maybe<unknown>) | undefined;
  readonly ifStale: StaleRule;
  readonly result: Schema<unknown> | undefined;
  readonly checkpoint: Schema<unknown> | undefined;
  readonly upgrade: ((oldInput: unknown, fromVersion: number) => Maybe<unknown>) | undefined;
  readonly merge: ((earlier: unknown, later: unknown) => Maybe<unknown>) | undefined;
  readonly policy: TaskPolicy;
}

/**
 * Defines a task. `run` alone is a whole definition.
 *
 *     export const sendReceipt = task("send-receipt", {
 *       input: z.object({ orderId: z.string() }),
 *       unless: async ({ orderId }) => (await orders.get(orderId)).receiptSentAt && "already sent",
 *       run: async ({ orderId }, job) => mail.receipt(orderId, { signal: job.signal, idempotencyKey: job.id }),
 *     });
 *
 * Throws `name-invalid`, `option-unknown`, `option-invalid`, `definition-invalid`.
 */
export function task<Out = {}, In = Out, Current = never, Result = unknown, Saved = Json>(
  name: NameFor<In> & SavedFor<Saved>,
  definition: TaskDefinition<In, Out, Current, Result, Saved> | (Run<Out, never, unknown, Saved> & { readonly run?: never }),
): Task<In, Current> {
  const checkedName = checkName(name, "the task");
  const given = (typeof definition === "function" ? { run: definition } : definition) as TaskDefinition<unknown, unknown, unknown>;
  checkDefinition(given, `task("${checkedName}")`);
  const made: AnyTask & Task<In, Current> = {
    kind: "task",
    name: checkedName,
    input: given.input as Schema<unknown> | undefined,
    run: given.run,
    unless: given.unless,
    current: given.current,
    ifStale: (given.ifStale ?? "skip") as StaleRule,
    result: given.result as Schema<unknown> | undefined,
    checkpoint: given.checkpoint as Schema<unknown> | undefined,
    upgrade: given.upgrade?.bind(given),
    merge: mergeOf(given),
    policy: policyOf(checkedName, given as TaskDefinition<unknown, unknown>),
    with: (input, options = {}) => errandOf(made, input, options),
  };
  return Object.freeze(made);
}

const versionMax = 1_000_000;
const gatherMostMax = 10_000;
const aDuration = (value: unknown, path: string): void => void durationMs(value as Duration, path);

function checkDefinition(definition: unknown, owner: string): void {
  checkOptions(definition, owner, {
    input: aSchema,
    run: aFunction,
    unless: aFunction,
    current: aFunction,
    ifStale: aStaleRule,
    result: aSchema,
    checkpoint: aSchema,
    version: aWholeNumber(1, versionMax),
    upgrade: aFunction,
    orderedBy: aKey,
    ifDead: oneOf("park", "block", "continue"),
    uniqueBy: aKey,
    ifTaken: aTakenRule,
    ...flowChecks,
    retry: (value, path) =>
      checkOptions(value, path, {
        attempts: aWholeNumber(1, 1_000),
        backoff: oneOf("exponential", "fixed"),
        first: aDuration,
        upTo: aDuration,
        delay: aFunction,
      }),
    timeout: aDuration,
    queue: (value, path) => void checkName(value, path),
    priority: oneOf("low", "normal", "high"),
    keep: (value, path) => checkOptions(value, path, { completed: aDuration, skipped: aDuration, cancelled: aDuration, dead: aDuration }),
  });
  if ((definition as { run?: unknown }).run === undefined)
    throw new ErrandError("definition-invalid", `${owner} has no run; give it run: async (input, job) => { … }`);
  const { current, ifStale } = definition as { current?: unknown; ifStale?: unknown };
  if (ifStale !== undefined && current === undefined)
    throw new ErrandError(
      "definition-invalid",
      `${owner} has ifStale without current; give it current: (input) => …, which reads what "expecting" is compared with`,
    );
}

function aTakenRule(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) return oneOf("keep", "replace", "one-more")(value, path);
  if ("throttle" in value) return checkOptions(value, path, { throttle: aDuration });
  checkOptions(value, path, { debounce: aDuration, atMost: aDuration, merge: aFunction, most: aWholeNumber(2, gatherMostMax) });
  const { debounce, atMost, merge, most } = value as Partial<Debounce<unknown>>;
  if (debounce === undefined || atMost === undefined) refuse(path, value, '{ debounce: "5s", atMost: "1m" } or { throttle: "1m" }');
  if (durationMs(atMost, path) < durationMs(debounce, path)) refuse(`${path}.atMost`, atMost, "at least the debounce");
  if (most !== undefined && merge === undefined) refuse(`${path}.most`, most, "merge: (earlier, later) => … with it, or leave it out");
}

function mergeOf({ ifTaken }: TaskDefinition<unknown, unknown, unknown>): AnyTask["merge"] {
  return typeof ifTaken === "object" && "merge" in ifTaken ? ifTaken.merge : undefined;
}

function errandOf(owner: AnyTask, input: unknown, options: AnyErrandOptions): Errand {
  checkOptions(options, `${owner.name}.with`, {
    in: aDuration,
    at: aDate,
    startBy: (value, path) => (value instanceof Date ? aDate(value, path) : aDuration(value, path)),
    priority: oneOf("low", "normal", "high"),
    id: checkId,
    after: anAfter,
    expecting: anything,
  });
  if (options.expecting !== undefined) checkExpecting(owner, options.expecting);
  if (options.in !== undefined && options.at !== undefined) throw new ErrandError("option-invalid", `${owner.name}.with has both in and at; give one of them`);
  checkStartBy(owner.name, options);
  return Object.freeze({ kind: "errand", name: owner.name, [madeByTaskWith]: { task: owner, input, options } });
}

/** A length and an instant only the store's clock can compare. */
function checkStartBy(name: string, { in: delay, at, startBy }: AnyErrandOptions): void {
  const isTooLate =
    startBy instanceof Date
      ? at !== undefined && at >= startBy
      : delay !== undefined && startBy !== undefined && durationMs(delay, `${name}.with.in`) >= durationMs(startBy, `${name}.with.startBy`);
  if (isTooLate)
    throw new ErrandError(
      "option-invalid",
      `${name}.with.startBy leaves no time to start, so that it would end skipped; give a later startBy, or a shorter delay`,
      {
        details: { option: `${name}.with.startBy` },
      },
    );
}
