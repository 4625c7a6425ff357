/** A reconciliation: undone work found in the app's own tables, and what is missing of it enqueued. */
import { reconcileAttemptsMax, reconcileTimeoutMs } from "../defaults.ts";
import { durationMs, type Duration } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import { checkName } from "../names.ts";
import { aFunction, aWholeNumber, checkOptions, refuse } from "../options.ts";
import type { Ms } from "../runtime.ts";
import { every, type AnySchedule } from "../schedule/every.ts";
import { rhythmOf } from "../schedule/rhythm.ts";
import { task, type AnyTask, type Job, type TaskOf } from "../task.ts";

/** Read as it is worked through, or all at once. */
export type Found<In> = AsyncIterable<In> | Promise<readonly In[]>;

export interface ReconcileOptions<In> {
  /** How often it is looked. A store that is new, or was lost, is filled at once. */
  readonly every: Duration;
  /** The inputs of what is not done, by your own tables. An async generator is read page by page; `signal` says when to stop. */
  readonly find: (signal: AbortSignal) => Found<In>;
  /** How fast what is missing may start. Default: as fast as the workers are. */
  readonly pace?: { readonly starts: number; readonly every: Duration };
  /** Durable identity. Default: the task's name. */
  readonly name?: string;
}
export interface Reconciliation {
  readonly kind: "reconciliation";
  readonly name: string;
}
export interface Pace {
  readonly starts: number;
  readonly everyMs: Ms;
}
/** A reconciliation as the broker and the worker hold it. */
export interface AnyReconciliation extends Reconciliation {
  readonly task: AnyTask;
  readonly every: Duration;
  readonly find: (signal: AbortSignal) => Found<unknown>;
  readonly pace: Pace | undefined;
}

const startsMax = 1_000_000;
/** Of the task that runs a reconciliation, and of its schedule. */
export const reconcilePrefix = "errand.reconcile.";

/**
 * Finds work that is not done and enqueues what is missing: what the task's `uniqueBy` says has no live job. Losing the whole store then loses no work.
 *
 *     export const unsent = reconcile(sendReceipt, {
 *       every: "5m",
 *       find: async function* () { for await (const order of orders.withoutReceipt()) yield { orderId: order.id }; },
 *       pace: { starts: 200, every: "1m" },
 *     });
 *
 * It runs once in the whole fleet at each slot, in the task's queue. What is dead stays dead until it is redriven.
 * Throws `definition-invalid` where the task has no `uniqueBy`, `option-unknown`, `option-invalid`, `rhythm-invalid`, `name-invalid`.
 */
export function reconcile<In>(task: TaskOf<In>, options: ReconcileOptions<NoInfer<In>>): Reconciliation {
  if (task?.kind !== "task") throw new ErrandError("option-invalid", "reconcile(task, …): the first is no task; define it with task(…)");
  const owner = `reconcile("${task.name}")`;
  checkOptions(options, owner, checks);
  if (options.every === undefined || options.find === undefined)
    throw new ErrandError(
      "definition-invalid",
      `${owner} has no ${options.find === undefined ? "find" : "every"}; give it { every: "5m", find: async () => … }`,
    );
  const reconciled = task as unknown as AnyTask;
  if (reconciled.policy.uniqueBy === undefined)
    throw new ErrandError(
      "definition-invalid",
      `${owner}: the task has no uniqueBy, so nobody could tell what is missing; name the fields that make one piece of work`,
    );
  const name = checkName(options.name ?? task.name, "the reconciliation");
  checkName(`${reconcilePrefix}${name}`, "the reconciliation's task");
  const { pace } = options;
  const made: AnyReconciliation = {
    kind: "reconciliation",
    name,
    task: reconciled,
    every: options.every,
    find: options.find,
    pace: pace && { starts: pace.starts, everyMs: durationMs(pace.every, `${owner}.pace.every`) },
  };
  return Object.freeze(made);
}

const checks: Readonly<Record<string, (value: unknown, path: string) => void>> = {
  every: (value, path) => {
    if (typeof value !== "string" || rhythmOf(value, path).is !== "interval") refuse(path, value, 'a length of time, as in "5m"');
  },
  find: aFunction,
  pace: (value, path) => {
    checkOptions(value, path, { starts: aWholeNumber(1, startsMax), every: (given, at) => void durationMs(given as Duration, at) });
    const { starts, every: per } = value as { readonly starts?: number; readonly every?: Duration };
    if (starts === undefined || per === undefined || durationMs(per, path) === 0) refuse(path, value, '{ starts: 200, every: "1m" }');
  },
  name: (value, path) => void checkName(value, path),
};

/** What the schedule of a reconciliation enqueues, to be shown: the code that runs it has its own. */
export interface ReconcileInput {
  readonly task: string;
  readonly pace?: { readonly starts: number; readonly everyMs: Ms };
}

/**
 * The task that runs it, and its schedule. It is in the queue of what it enqueues: who works there has the code, and a queue of its own would have no hands
 * wherever `queues` names some. Ahead of that queue's backlog, since it is what fills a store that was lost.
 */
export function reconcileTask(reconciliation: AnyReconciliation, run: (job: Job) => Promise<void>): { readonly task: AnyTask; readonly schedule: AnySchedule } {
  const { name, task: found, pace } = reconciliation;
  const made = task<ReconcileInput>(`${reconcilePrefix}${name}`, {
    queue: found.policy.queue,
    priority: "high",
    timeout: `${reconcileTimeoutMs}ms`,
    retry: { attempts: reconcileAttemptsMax },
    run: (_, job) => run(job),
  });
  const input: ReconcileInput = { task: found.name, ...(pace && { pace }) };
  return { task: made as unknown as AnyTask, schedule: every(reconciliation.every, made.with(input), { overlap: "skip" }) as AnySchedule };
}
