/**
 * One error class, one table of codes. docs/reference/errors.md, this table and the types are held together by a test.
 *
 * `isDefinite: true` means nothing was stored or changed; `false` means it may have been, and `again()` repeats the very same call.
 */
export const errorCodes = {
  // what the caller handed in
  "option-unknown": { when: "an option has a name errand does not know", isDefinite: true },
  "option-invalid": { when: "an option, name, key or argument has the wrong type or value", isDefinite: true },
  "definition-invalid": { when: "a task, event or subscription contradicts itself", isDefinite: true },
  "name-taken": { when: "two definitions of one broker, or two steps or loops of one run, share a name", isDefinite: true },
  "name-invalid": { when: "a queue, task, event or id has characters or a length that are not allowed", isDefinite: true },
  "task-unknown": { when: "the task is not among this broker's definitions; of a limit: nor known to the store", isDefinite: true },
  "resource-unknown": { when: "a resource is to be limited that no task here needs, and that the store does not know", isDefinite: true },
  "payload-invalid": { when: "the payload does not fit the schema", isDefinite: true },
  "payload-not-json": { when: "the payload would not come back equal from JSON", isDefinite: true },
  "payload-too-large": { when: "the payload is above 256 KiB, 64 levels or 10,000 keys", isDefinite: true },
  "key-missing": { when: "a field named in orderedBy, uniqueBy or limits is not in the payload, or is not a scalar", isDefinite: true },
  "id-conflict": { when: "the id was used before, with other content", isDefinite: true },
  "enqueue-too-many": { when: "one call holds more items than can be stored as one atom", isDefinite: true },
  "schema-async": { when: "an asynchronous schema is used inside a synchronous transaction", isDefinite: true },
  "after-unknown": { when: "a job comes after, or belongs to, something that is not stored", isDefinite: true },
  "join-closed": { when: "a batch or chain has ended or was cancelled, and takes no more members", isDefinite: true },
  "join-incomplete": { when: "a batch was sealed before all its members were stored", isDefinite: true },
  "graph-cycle": { when: "jobs come after each other in a circle", isDefinite: true },
  "batch-missing": { when: "job.add() was called by a job that is in no batch or chain", isDefinite: true },
  "rhythm-invalid": { when: "a schedule's rhythm cannot be read, or never comes", isDefinite: true },
  "zone-unknown": { when: "no time zone has that name", isDefinite: true },
  // transactions of the app
  "tx-foreign": { when: "the handle given to within() is not open on this broker's database", isDefinite: true },
  "tx-not-open": { when: "the handle given to within() is not inside a transaction, or in one that has failed", isDefinite: true },
  "tx-not-durable": { when: "the handle given to within() would commit without a full sync", isDefinite: true },
  "tx-unsupported": { when: "this engine cannot join a transaction of that kind", isDefinite: true },
  // running
  "lease-lost": { when: "the job was taken over, cancelled or ended while it ran here", isDefinite: true },
  "job-timeout": { when: "a run took longer than the task's timeout", isDefinite: true },
  "job-cancelled": { when: "the job was cancelled while it ran", isDefinite: true },
  "result-invalid": { when: "what a run returned does not fit its task's result schema, or is no JSON", isDefinite: true },
  "result-too-large": { when: "what a run returned is above 4 KiB of JSON", isDefinite: true },
  "commit-missing": { when: "the transaction given to job.commit() did not commit, though the run returned", isDefinite: true },
  "guard-stale": { when: "what a run relied on had changed by the time of its job.commit()", isDefinite: true },
  "guard-async": { when: "current(input, tx) answered a promise inside a synchronous transaction", isDefinite: true },
  "worker-stopping": { when: "the worker is stopping and the job was handed back", isDefinite: true },
  "worker-running": { when: "this broker has a worker already", isDefinite: true },
  "job-unknown": { when: "no job has that id, or its retention has passed", isDefinite: true },
  "job-committed": { when: "something is asked of a job that the run has completed by job.commit", isDefinite: true },
  "checkpoint-too-large": { when: "what a job saves, with the results of its steps, is above 256 KiB, 64 levels or 10,000 keys", isDefinite: true },
  "try-timeout": { when: "a job tried at once was not done in time, and is left to a worker", isDefinite: true },
  "result-timeout": { when: "a job has not ended within the time that was to be waited; it goes on", isDefinite: true },
  "result-too-many": { when: "one broker waits for more results than it may", isDefinite: true },
  "lock-timeout": { when: "a lock was not free within the time that was to be waited", isDefinite: true },
  "lock-expired": { when: "a lock was held for as long as it was asked for, and given back", isDefinite: true },
  "lock-not-held": { when: "a lock was given back that was not held any more", isDefinite: true },
  "lock-too-many": { when: "one broker holds and waits for more locks than it may", isDefinite: true },
  "permits-conflict": { when: "a lock is asked for with another number of permits than by those who hold it or wait for it", isDefinite: true },
  "schedule-unknown": { when: "no schedule of that name is registered in the store", isDefinite: true },
  "reconciliation-unknown": { when: "no reconciliation of that name is registered in the store", isDefinite: true },
  "note-conflict": { when: "a note was changed by somebody else meanwhile", isDefinite: true },
  // the store
  "engine-unknown": { when: "the URL names no engine", isDefinite: true },
  "engine-missing": { when: "the engine's driver is not installed, or does not load here", isDefinite: true },
  "node-too-old": { when: "this Node.js is older than errand supports", isDefinite: true },
  "not-supported": { when: "this engine does not do that", isDefinite: true },
  "broker-not-open": { when: "within() was called with a synchronous transaction before the broker was open", isDefinite: true },
  "broker-closed": { when: "the broker was closed", isDefinite: true },
  "store-busy": { when: "another connection held the store's write lock too long", isDefinite: true },
  "store-foreign": { when: "what is there is no database, or not errand's", isDefinite: true },
  "store-corrupt": { when: "the store says that it is damaged", isDefinite: false },
  "store-newer": { when: "the store was written by a newer errand", isDefinite: true },
  "store-readonly": { when: "the store cannot be written", isDefinite: true },
  "store-full": { when: "the store has no room left", isDefinite: true },
  "store-unsafe": { when: "the store's version, file system or settings are known to lose data", isDefinite: true },
  "store-moved": { when: "the database file, or errand's schema, was deleted or replaced while open", isDefinite: false },
  "store-unreachable": { when: "the store's server is away, refuses the connection, or does not answer", isDefinite: false },
  "store-denied": { when: "the store's server lets this user not log in, or not do what errand needs", isDefinite: true },
  "conflict-retry": { when: "the store gave a transaction up, since another one came between", isDefinite: true },
  "store-failed": { when: "the store failed in a way errand does not know", isDefinite: false },
  // the command line and the test door
  "cli-usage": { when: "the command line has a mistake", isDefinite: true },
  "assertion-failed": { when: "an assertion of errand/testing does not hold", isDefinite: true },
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrandErrorOptions {
  readonly cause?: unknown;
  /** Typed facts: paths, ids, limits. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Overrides the table: `false` where the call may have happened. */
  readonly isDefinite?: boolean;
  /** Repeats the very same call with the same ids. */
  readonly again?: () => Promise<unknown>;
}

/** The only error errand throws. The message ends in the cure. */
export class ErrandError extends Error {
  readonly code: ErrorCode;
  /** True: nothing was stored or changed. False: it may have been. */
  readonly isDefinite: boolean;
  readonly details: Readonly<Record<string, unknown>>;
  readonly #again: (() => Promise<unknown>) | undefined;

  constructor(code: ErrorCode, message: string, options: ErrandErrorOptions = {}) {
    super(`${code}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ErrandError";
    this.code = code;
    this.isDefinite = options.isDefinite ?? errorCodes[code].isDefinite;
    this.details = options.details ?? {};
    this.#again = options.again;
  }

  /** Repeats the call that failed, with the ids it had: safe also where the first one was stored. */
  again(): Promise<unknown> {
    return this.#again === undefined ? Promise.reject(this) : this.#again();
  }

  static is(error: unknown, code?: ErrorCode): error is ErrandError {
    return error instanceof ErrandError && (code === undefined || error.code === code);
  }
}
