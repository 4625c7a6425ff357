/** Where work is handed in: the broker itself, or a transaction of the app. */
import type { Enqueued } from "./engine.ts";
import type { Fact } from "./event.ts";
import type { Errand } from "./task.ts";
import type { OneOrMany } from "./typing.ts";

export interface Accepted {
  /** Of the job or event; of a duplicate, of the one that stands. */
  readonly id: string;
  /** It was stored before: the same id again, or its unique key is taken. */
  readonly isDuplicate: boolean;
}
export type AcceptedFor<T> = T extends readonly unknown[] ? Accepted[] : Accepted;

export interface Scope {
  /** Stores one errand or many; resolves when they are as durable as the engine's declared level. */
  enqueue<const E extends OneOrMany<Errand>>(errands: E): Promise<AcceptedFor<E>>;
  /** Stores one fact or many, and a job for each subscription, in one atom. */
  publish<const F extends OneOrMany<Fact>>(facts: F): Promise<AcceptedFor<F>>;
}
/** Inside a synchronous transaction: nothing to await, and what throws rolls the transaction back. */
export interface SyncScope {
  enqueue<const E extends OneOrMany<Errand>>(errands: E): AcceptedFor<E>;
  publish<const F extends OneOrMany<Fact>>(facts: F): AcceptedFor<F>;
}

/** Foreign transactions, by the members errand calls. Another engine adds its own by declaration merging. */
export interface Transactions {
  sqlite: SyncTransaction;
}
export type Transaction = Transactions[keyof Transactions];
/** better-sqlite3's Database, node:sqlite's DatabaseSync. */
export interface SyncTransaction {
  prepare(sql: string): { run(...values: never[]): unknown };
  exec(sql: string): unknown;
}

export function accepted<T>(given: T, stored: readonly Enqueued[]): AcceptedFor<T> {
  const answers = stored.map(({ id, isDuplicate }) => ({ id, isDuplicate }));
  return (Array.isArray(given) ? answers : answers[0]) as AcceptedFor<T>;
}
