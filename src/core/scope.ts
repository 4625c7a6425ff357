/** Where work is handed in: the broker itself, or a transaction of the app. */
import { enqueueCallMax } from "./defaults.ts";
import type { Enqueued } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import type { Fact } from "./event.ts";
import type { Errand } from "./task.ts";
import type { OneOrMany } from "./typing.ts";

export interface Accepted {
  /** Of the job, the batch or the event; of a duplicate, of the one that stands. */
  readonly id: string;
  /** It was stored before: the same id again, or its unique key is taken. */
  readonly isDuplicate: boolean;
}
export type AcceptedFor<T> = T extends readonly unknown[] ? Accepted[] : Accepted;

export interface Scope {
  /** Stores one errand or many, batches and chains among them; resolves when they are as durable as the engine's declared level. */
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
  /** A client of `pg`, between BEGIN and COMMIT; a Pool, which has a totalCount, is none, and so is a DataSource of TypeORM. */
  pg: { query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>; readonly totalCount?: never; readonly isInitialized?: never };
  /** The `sql` that `sql.begin` of the package `postgres` hands over. */
  postgres: { unsafe(text: string, values?: never[]): PromiseLike<readonly unknown[]>; readonly savepoint: unknown };
  /** What `db.transaction` of Drizzle hands over. */
  drizzle: { execute(query: never): PromiseLike<unknown>; rollback(): never };
  /** What `db.transaction().execute` of Kysely hands over. */
  kysely: { readonly isTransaction: true; getExecutor(): unknown };
  /** What `knex.transaction` hands over. */
  knex: { raw(text: string, values: readonly never[]): PromiseLike<unknown>; readonly executionPromise: Promise<unknown> };
  /** What `prisma.$transaction` hands over; a root client, which connects, is none. */
  prisma: { $queryRawUnsafe(text: string, ...values: unknown[]): PromiseLike<unknown>; readonly $connect?: never };
  /** An EntityManager or a QueryRunner of TypeORM, in a transaction. */
  typeorm: { query(text: string, values?: unknown[]): Promise<unknown>; readonly dataSource: unknown; readonly isInitialized?: never };
  /** What `client.multi()` of ioredis or iovalkey answers, before its `exec`. */
  redis: { call(command: string, ...args: string[]): unknown; exec(): Promise<unknown>; readonly length: number };
}
export type Transaction = Transactions[keyof Transactions];
/** better-sqlite3's Database, node:sqlite's DatabaseSync. */
export interface SyncTransaction {
  prepare(sql: string): { run(...values: never[]): unknown };
  exec(sql: string): unknown;
}

/** What was handed in, as a list. Throws `enqueue-too-many`. */
export function listOf<T>(given: OneOrMany<T>, verb: string): readonly T[] {
  const list = Array.isArray(given) ? (given as readonly T[]) : [given as T];
  if (list.length <= enqueueCallMax) return list;
  throw new ErrandError("enqueue-too-many", `${verb} was given ${list.length} items, of ${enqueueCallMax} allowed; call it several times`, {
    details: { items: list.length },
  });
}

export function accepted<T>(given: T, stored: readonly Enqueued[]): AcceptedFor<T> {
  const answers = stored.map(({ id, isDuplicate }) => ({ id, isDuplicate }));
  return (Array.isArray(given) ? answers : answers[0]) as AcceptedFor<T>;
}
