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

export { giveUp, skip, snooze } from "./core/endings.ts";
export { ErrandError, type ErrorCode } from "./core/errors.ts";
export { event, type DomainEvent, type Fact } from "./core/event.ts";
export { jobDied } from "./core/jobDied.ts";
export {
  task,
  type Errand,
  type ErrandOptions,
  type Job,
  type Priority,
  type Retry,
  type RetryDelay,
  type Run,
  type Task,
  type TaskDefinition,
  type TaskOf,
} from "./core/task.ts";
export { when, type Subscription, type SubscriptionOptions } from "./core/when.ts";
export type { Broker, Pausable } from "./core/brokerFace.ts";
export type { DefinitionModule } from "./core/definitions.ts";
export type { Duration } from "./core/duration.ts";
export type { Change, Changed, ChangedJob, Engine, Guarantees, JobFilter, Selection } from "./core/engine.ts";
export type { JobDiedPayload } from "./core/notes.ts";
export type { HeldLock } from "./core/lock/hold.ts";
export type { Lead, Leader, LeadOptions } from "./core/lock/leadership.ts";
export type { LockOptions } from "./core/lock/locks.ts";
export type { Logger } from "./core/runtime.ts";
export type { Schema } from "./core/schema.ts";
export type { Accepted, AcceptedFor, Scope, SyncScope, SyncTransaction, Transaction, Transactions } from "./core/scope.ts";
export type { JobState } from "./core/states.ts";
export type { Json, Key } from "./core/typing.ts";
export type { JobView, StateCounts } from "./core/view.ts";
export type { RunningWorker, WorkerOptions } from "./core/worker/worker.ts";
