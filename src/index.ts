/** The door "errand": the values an app uses, wired to the real Runtime. */
import { StoreBroker, type Broker } from "./core/broker.ts";
import type { DefinitionModule } from "./core/definitions.ts";
import type { Engine } from "./core/engine.ts";
import { ErrandError } from "./core/errors.ts";
import type { Logger } from "./core/runtime.ts";
import { realRuntime } from "./runtime/real.ts";
import { engineOf } from "./stores.ts";

/**
 * A broker on a store.
 *
 *     const work = broker("sqlite:shop.db", orders, mail);        // modules of definitions
 *     await work.enqueue(sendReceipt.with({ orderId: "7" }));
 *     const worker = await work.start({ queues: { mail: 5, default: 20 } });
 *
 * `store`: `sqlite:<file>`, `memory:`, or an engine value. The store is opened when first needed.
 * Throws `engine-unknown`, `name-taken`, `option-invalid`.
 */
export function broker(store: string | Engine, ...definitions: readonly DefinitionModule[]): Broker {
  return brokerWith({}, store, ...definitions);
}

/** As {@link broker}, with a logger of pino's shape. */
export function brokerWith(options: { readonly log?: Logger }, store: string | Engine, ...definitions: readonly DefinitionModule[]): Broker {
  if (typeof store !== "string" && typeof (store as { enqueue?: unknown } | null)?.enqueue !== "function") {
    throw new ErrandError("option-invalid", 'broker(store, …definitions): the store is neither a URL nor an engine; give "sqlite:shop.db", or sqlite("shop.db") from errand/sqlite');
  }
  return new StoreBroker({ engine: typeof store === "string" ? engineOf(store) : store, runtime: realRuntime(options), definitions });
}

export { giveUp, skip, snooze } from "./core/endings.ts";
export { ErrandError, type ErrorCode } from "./core/errors.ts";
export { event, type DomainEvent, type Fact } from "./core/event.ts";
export { jobDied } from "./core/jobDied.ts";
export { task, type Errand, type ErrandOptions, type Job, type Priority, type Retry, type RetryDelay, type Run, type Task, type TaskDefinition, type TaskOf } from "./core/task.ts";
export { when, type Subscription, type SubscriptionOptions } from "./core/when.ts";
export type { Broker, Pausable } from "./core/broker.ts";
export type { DefinitionModule } from "./core/definitions.ts";
export type { Duration } from "./core/duration.ts";
export type { Change, Changed, ChangedJob, Engine, Guarantees, JobFilter, Selection } from "./core/engine.ts";
export type { JobDiedPayload } from "./core/notes.ts";
export type { Logger } from "./core/runtime.ts";
export type { Schema } from "./core/schema.ts";
export type { Accepted, AcceptedFor, Scope, SyncScope, SyncTransaction, Transaction, Transactions } from "./core/scope.ts";
export type { JobState } from "./core/states.ts";
export type { Json, Key } from "./core/typing.ts";
export type { JobView, StateCounts } from "./core/view.ts";
export type { RunningWorker, WorkerOptions } from "./core/worker/worker.ts";
