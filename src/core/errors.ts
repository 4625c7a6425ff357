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
  "name-taken": { when: "two definitions of one broker share a name", isDefinite: true },
  "name-invalid": { when: "a queue, task, event or id has characters or a length that are not allowed", isDefinite: true },
  "task-unknown": { when: "the errand's task is not among this broker's definitions", isDefinite: true },
  "payload-invalid": { when: "the payload does not fit the schema", isDefinite: true },
  "payload-not-json": { when: "the payload would not come back equal from JSON", isDefinite: true },
  "payload-too-large": { when: "the payload is above 256 KiB, 64 levels or 10,000 keys", isDefinite: true },
  "key-missing": { when: "a field named in orderedBy or uniqueBy is not in the payload, or is not a scalar", isDefinite: true },
  "id-conflict": { when: "the id was used before, with other content", isDefinite: true },
  "enqueue-too-many": { when: "one call holds more items than can be stored as one atom", isDefinite: true },
  "schema-async": { when: "an asynchronous schema is used inside a synchronous transaction", isDefinite: true },
  "after-unknown": { when: "a job comes after, or belongs to, something that is not stored", isDefinite: true },
  "join-closed": { when: "a batch or chain has ended or was cancelled, and takes no more members", isDefinite: true },
  "join-incomplete": { when: "a batch was sealed before all its members were stored", isDefinite: true },
  // transactions of the app
  "tx-foreign": { when: "the handle given to within() is not open on this broker's database", isDefinite: true },
  "tx-not-open": { when: "the handle given to within() is not inside a transaction", isDefinite: true },
  "tx-not-durable": { when: "the handle given to within() would commit without a full sync", isDefinite: true },
  "tx-unsupported": { when: "this engine cannot join a transaction of that kind", isDefinite: true },
  // running
  "lease-lost": { when: "the job was taken over, cancelled or ended while it ran here", isDefinite: true },
  "job-timeout": { when: "a run took longer than the task's timeout", isDefinite: true },
  "job-cancelled": { when: "the job was cancelled while it ran", isDefinite: true },
  "worker-stopping": { when: "the worker is stopping and the job was handed back", isDefinite: true },
  "worker-running": { when: "this broker has a worker already", isDefinite: true },
  "job-unknown": { when: "no job has that id, or its retention has passed", isDefinite: true },
  "note-conflict": { when: "a note was changed by somebody else meanwhile", isDefinite: true },
  // the store
  "engine-unknown": { when: "the URL names no engine", isDefinite: true },
  "engine-missing": { when: "the engine's driver is not installed, or does not load here", isDefinite: true },
  "node-too-old": { when: "this Node.js is older than errand supports", isDefinite: true },
  "not-supported": { when: "this engine does not do that", isDefinite: true },
  "broker-not-open": { when: "within() was called with a synchronous transaction before the broker was open", isDefinite: true },
  "broker-closed": { when: "the broker was closed", isDefinite: true },
  "store-busy": { when: "another connection held the store's write lock too long", isDefinite: true },
  "store-foreign": { when: "the file is not a database, or not errand's", isDefinite: true },
  "store-corrupt": { when: "the store says that it is damaged", isDefinite: false },
  "store-newer": { when: "the store was written by a newer errand", isDefinite: true },
  "store-readonly": { when: "the store cannot be written", isDefinite: true },
  "store-full": { when: "the store has no room left", isDefinite: true },
  "store-unsafe": { when: "the store's version or file system is known to lose data", isDefinite: true },
  "store-moved": { when: "the database file was deleted or replaced while open", isDefinite: false },
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
