/** A task: a name, an input schema, a run function, and its policy. Call sites say only when, how urgent, and after what. */
import type { Maybe } from "./engine.ts";
import { durationMs, type Duration } from "./duration.ts";
import { ErrandError } from "./errors.ts";
import { aKey } from "./event.ts";
import type { Fact } from "./event.ts";
import { checkId, checkName } from "./names.ts";
import { aDate, aFunction, aSchema, aWholeNumber, checkOptions, oneOf, refuse } from "./options.ts";
import type { Schema } from "./schema.ts";
import { policyOf, type TaskPolicy } from "./policy.ts";
import type { Exactly, Key, NameFor, OneOrMany } from "./typing.ts";

export type Priority = "low" | "normal" | "high";
export const madeByTaskWith: unique symbol = Symbol.for("errand.errand") as never;
declare const takes: unique symbol;

/** Work not yet stored. */
export interface Errand {
  readonly kind: "errand";
  readonly name: string;
  readonly [madeByTaskWith]: ErrandParts;
}
/** What an errand holds; for the broker. */
export interface ErrandParts {
  readonly task: AnyTask;
  readonly input: unknown;
  readonly options: ErrandOptions;
}

export interface ErrandOptions {
  /** Not before this long from now, by the store's clock. */
  readonly in?: Duration;
  /** Not before this instant. */
  readonly at?: Date;
  /** Not started by then: it ends skipped. A duration counts from enqueue. */
  readonly startBy?: Duration | Date;
  /** How much sooner than its due time it counts as due: high 10 minutes, low 10 minutes later. Never an order. Default: the task's. */
  readonly priority?: Priority;
  /** Your own idempotency key: the same id with the same content is the same job while remembered (7 days); with other content `id-conflict`. */
  readonly id?: string;
}

/** The run of a job, as its function sees it. */
export interface Job {
  readonly id: string;
  /** 1 for the first. Crashes, snoozes and hand-backs are no attempts. */
  readonly attempt: number;
  /** Grows with every claim, across the store: pass it on to what must refuse a late writer. */
  readonly fence: number;
  readonly enqueuedAt: Date;
  /** Aborted on timeout, cancel, a lost lease, and when a stopping worker's grace is over. */
  readonly signal: AbortSignal;
  /** Stored in the same atom as the outcome, or not at all. At most 500. Throws as `work.enqueue` does. */
  enqueue(errands: OneOrMany<Errand>): void;
  publish(facts: OneOrMany<Fact>): void;
}

/** What it returns is not stored. */
export type Run<Out> = (input: Out, job: Job) => unknown;

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

export interface TaskDefinition<In, Out> {
  readonly input?: Schema<In, Out>;
  readonly run: Run<Out>;
  /** Looks before doing. A reason: the job is skipped with it; falsy: it runs. */
  readonly unless?: (input: Out) => Maybe<string | false | 0 | null | undefined>;
  /** First in, first out for each value of these fields of the payload. Priority never reorders it. */
  readonly orderedBy?: Key<In>;
  /** What a dead job does to the rest of its key. park (default): it and all behind it wait for a person; block: they wait for it; continue: the next starts. */
  readonly ifDead?: "park" | "block" | "continue";
  /** At most one live job for each value of these fields. */
  readonly uniqueBy?: Key<In>;
  /** What a second one does while the first lives. Default keep: it is the first. */
  readonly ifTaken?: "keep" | "replace" | "one-more" | { readonly debounce: Duration; readonly atMost: Duration } | { readonly throttle: Duration };
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
export interface Task<In> extends TaskOf<In> {
  /** The work, ready to enqueue, chain, batch or assert. */
  readonly with: <I extends In>(input: Exactly<In, I>, options?: ErrandOptions) => Errand;
}
/** A task as the broker and the worker hold it. */
export interface AnyTask {
  readonly kind: "task";
  readonly name: string;
  readonly input: Schema<unknown> | undefined;
  readonly run: Run<unknown>;
  readonly unless: ((input: unknown) => Maybe<unknown>) | undefined;
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
export function task<Out = {}, In = Out>(name: NameFor<In>, definition: TaskDefinition<In, Out> | (Run<Out> & { readonly run?: never })): Task<In> {
  const checkedName = checkName(name, "the task");
  const given = (typeof definition === "function" ? { run: definition } : definition) as TaskDefinition<unknown, unknown>;
  checkDefinition(given, `task("${checkedName}")`);
  const made: AnyTask & Task<In> = {
    kind: "task",
    name: checkedName,
    input: given.input as Schema<unknown> | undefined,
    run: given.run,
    unless: given.unless,
    policy: policyOf(checkedName, given),
    with: (input, options = {}) => errandOf(made, input, options),
  };
  return Object.freeze(made);
}

const aDuration = (value: unknown, path: string): void => void durationMs(value as Duration, path);

function checkDefinition(definition: unknown, owner: string): void {
  checkOptions(definition, owner, {
    input: aSchema,
    run: aFunction,
    unless: aFunction,
    orderedBy: aKey,
    ifDead: oneOf("park", "block", "continue"),
    uniqueBy: aKey,
    ifTaken: aTakenRule,
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
}

function aTakenRule(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) return oneOf("keep", "replace", "one-more")(value, path);
  if ("throttle" in value) return checkOptions(value, path, { throttle: aDuration });
  checkOptions(value, path, { debounce: aDuration, atMost: aDuration });
  const { debounce, atMost } = value as { debounce?: Duration; atMost?: Duration };
  if (debounce === undefined || atMost === undefined) refuse(path, value, '{ debounce: "5s", atMost: "1m" } or { throttle: "1m" }');
  if (durationMs(atMost, path) < durationMs(debounce, path)) refuse(`${path}.atMost`, atMost, "at least the debounce");
}

function errandOf(owner: AnyTask, input: unknown, options: ErrandOptions): Errand {
  checkOptions(options, `${owner.name}.with`, {
    in: aDuration,
    at: aDate,
    startBy: (value, path) => (value instanceof Date ? aDate(value, path) : aDuration(value, path)),
    priority: oneOf("low", "normal", "high"),
    id: checkId,
  });
  if (options.in !== undefined && options.at !== undefined) throw new ErrandError("option-invalid", `${owner.name}.with has both in and at; give one of them`);
  return Object.freeze({ kind: "errand", name: owner.name, [madeByTaskWith]: { task: owner, input, options } });
}
