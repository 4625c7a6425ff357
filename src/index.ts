/** The door "errand": the values an app uses, wired to the real Runtime. */
import { StoreBroker } from "./core/broker.ts";
import type { Broker } from "./core/brokerFace.ts";
import type { DefinitionModule } from "./core/definitions.ts";
import type { Engine } from "./core/engine.ts";
import { ErrandError } from "./core/errors.ts";
import { anything, checkOptions } from "./core/options.ts";
import type { Logger } from "./core/runtime.ts";
import { realRuntime } from "./runtime/real.ts";
import { engineOf } from "./stores.ts";

export interface BrokerOptions {
  /** `sqlite:<file>`, `memory:`, or an engine value. */
  readonly store: string | Engine;
  /** Any logger of pino's shape. Default: warnings and errors to stderr, a line each. */
  readonly log?: Logger;
}

/**
 * A broker on a store.
 *
 *     const work = broker("sqlite:shop.db", orders, mail);        // modules of definitions
 *     await work.enqueue(sendReceipt.with({ orderId: "7" }));
 *     const worker = await work.start({ queues: { mail: 5, default: 20 } });
 *
 * The store is opened when first needed. Throws `engine-unknown`, `engine-missing`, `name-taken`, `option-invalid`.
 */
export function broker(store: string | Engine | BrokerOptions, ...definitions: readonly DefinitionModule[]): Broker {
  const options = optionsOf(store);
  const engine = typeof options.store === "string" ? engineOf(options.store) : options.store;
  return new StoreBroker({ engine, runtime: realRuntime(options.log === undefined ? {} : { log: options.log }), definitions });
}

function optionsOf(store: string | Engine | BrokerOptions): BrokerOptions {
  if (typeof store === "string" || isEngine(store)) return { store };
  checkOptions(store, "broker", { store: anything, log: anything });
  if (typeof store.store === "string" || isEngine(store.store)) return store;
  throw new ErrandError(
    "option-invalid",
    'broker(store, …definitions): the store is neither a URL nor an engine; give "sqlite:shop.db", or sqlite("shop.db") from errand/sqlite',
  );
}

function isEngine(value: unknown): value is Engine {
  return typeof (value as Partial<Engine> | null | undefined)?.enqueue === "function";
}

export { batch, type BatchOptions } from "./core/compose/batch.ts";
export type { BatchPage, BatchSummary, BatchView } from "./core/compose/batchView.ts";
export { chain } from "./core/compose/chain.ts";
export { prometheusText } from "./core/metrics/prometheusText.ts";
export { giveUp, skip, snooze } from "./core/endings.ts";
export { ErrandError, type ErrorCode } from "./core/errors.ts";
export { event, type DomainEvent, type Fact } from "./core/event.ts";
export { resource, type CalendarEntry, type Resource, type ResourceOptions } from "./core/limits/resource.ts";
export { jobDied } from "./core/jobDied.ts";
export {
  task,
  type Debounce,
  type Errand,
  type ErrandOptions,
  type Job,
  type Predecessor,
  type Priority,
  type Retry,
  type RetryDelay,
  type Run,
  type Task,
  type TaskDefinition,
  type TaskOf,
} from "./core/task.ts";
export { when, type Subscription, type SubscriptionOptions } from "./core/when.ts";
export { every, type Schedule, type ScheduleOptions } from "./core/schedule/every.ts";
export { reconcile, type Found, type Pace, type ReconcileOptions, type Reconciliation } from "./core/reconcile/reconcile.ts";
export { reconciled, type ReconciledPayload } from "./core/reconcile/reconciled.ts";
export type { Rebuilt, RebuildOptions, ReconciliationView } from "./core/reconcile/reconciliations.ts";
export type { Drift } from "./core/reconcile/state.ts";
export type { ScheduleEdit } from "./core/schedule/edit.ts";
export type { Rhythm } from "./core/schedule/rhythm.ts";
export type { Missed, Overlap } from "./core/schedule/rule.ts";
export type { Backfilled, ScheduleHandle } from "./core/schedule/schedules.ts";
export type { ScheduleView } from "./core/schedule/view.ts";
export type { Broker, Pausable } from "./core/brokerFace.ts";
export type { DefinitionModule } from "./core/definitions.ts";
export type { Duration } from "./core/duration.ts";
export type { Change, Changed, ChangedJob, Engine, Guarantees, JobFilter, Selection } from "./core/engine.ts";
export type { JobDiedPayload } from "./core/notes.ts";
export type { HeldLock } from "./core/lock/hold.ts";
export type { Lead, Leader, LeadOptions } from "./core/lock/leadership.ts";
export type { LockOptions } from "./core/lock/locks.ts";
export type { Limitable, NewLimit } from "./core/limits/edit.ts";
export type { Metric, MetricSample, MetricsOptions } from "./core/metrics/metric.ts";
export type { FlowOptions } from "./core/limits/flowPolicy.ts";
export type { Hours, Weekday } from "./core/limits/hours.ts";
export type { Limit, RunningLimit, StartsLimit } from "./core/limits/limit.ts";
export type { BreakerOptions } from "./core/recovery/breakerPolicy.ts";
export type { Conflict, Expected, Stale } from "./core/guard/expected.ts";
export type { ResultOptions } from "./core/coordination.ts";
export type { JobResult } from "./core/result/results.ts";
export type { Tried, TryOptions } from "./core/tryNow/tryNow.ts";
export type { EachOptions, Items, Source } from "./core/long/each.ts";
export type { LongRun } from "./core/long/longRun.ts";
export type { Step } from "./core/long/step.ts";
export type { Logger } from "./core/runtime.ts";
export type { Schema } from "./core/schema.ts";
export type { Accepted, AcceptedFor, Scope, SyncScope, SyncTransaction, Transaction, Transactions } from "./core/scope.ts";
export type { JobState } from "./core/states.ts";
export type { Json, Key } from "./core/typing.ts";
export type { JobView, StateCounts } from "./core/view.ts";
export type { RunningWorker, WorkerOptions } from "./core/worker/worker.ts";
