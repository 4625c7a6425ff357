/** The connections to a database, by whichever driver: errand's own pool, or one that was handed in and stays the app's. */
import { postgresPoolSize } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import { loadPg } from "./driver.ts";
import type { DriverName, PgClient, PgPool, PostgresSql } from "./driver.ts";
import type { After } from "./patience.ts";
import { overPg, PgDatabase, pgPoolOptions } from "./pgDatabase.ts";
import { PostgresDatabase } from "./postgresDatabase.ts";
import type { Row, Value } from "./values.ts";

export type { Row, Value } from "./values.ts";

/** One connection, or any of a pool's. Statements are unnamed, so that transaction poolers work. */
export interface Session {
  /** One statement, one round trip (two with the package `postgres`). Throws ErrandError, definite unless the store may have done it. */
  query(text: string, values: readonly Value[]): Promise<readonly Row[]>;
}

/** One connection, until it is given back. */
export interface Reserved extends Session {
  /** One that is in an unknown state is not used again. */
  release(state?: "usable" | "broken"): void;
}

export interface Database extends Session {
  /** Where it is, for messages: without a password. */
  readonly name: string;
  /** Made here, from a URL: closed here, too. */
  readonly isOurs: boolean;
  /** A connection out of the pool. Give it back before waiting for another: the pool may be of one. */
  reserve(): Promise<Reserved>;
  /** A connection beside the pool that hears a channel. */
  hear(channel: string, ear: Ear): Promise<Hearing>;
  /** How another thread connects to the same database; undefined where that cannot be told to it. */
  reach(): Reach | undefined;
  close(): Promise<void>;
}

export interface Ear {
  heard(payload: string): void;
  /** Once; nothing is heard any more. */
  lost(error: Error): void;
}

export interface Hearing {
  /** The driver connects again by itself, and hears the channel again. */
  readonly heals: boolean;
  end(): void;
}

/** Can be cloned into another thread. */
export interface Reach {
  readonly driver: DriverName;
  readonly options: object;
}

/**
 * `postgres://…`, or a pool: a `Pool` of pg, or the `sql` of the package `postgres`. `after`: a clock, for waits that an app's pool does not bound by itself.
 * Throws `engine-missing`, `option-invalid`.
 */
export function databaseOf(given: unknown, poolSize: number = postgresPoolSize, after?: After): Database {
  if (typeof given === "string") return ofUrl(given, poolSize);
  if (isPostgresSql(given)) return new PostgresDatabase(given, false, after);
  if (isPgPool(given)) return new PgDatabase(given, false, undefined, after);
  const cure = 'give a URL ("postgres://user@host/database"), a Pool of "pg", or the sql of "postgres"';
  throw new ErrandError("option-invalid", `${isPgClient(given) ? "one client is no pool" : "that is no connection to PostgreSQL"}; ${cure}`);
}

/** A client of pg, as a session; undefined if it is none. `isOpen`: whether it is in a transaction, where it tells. */
export function sessionOf(tx: unknown): { readonly session: Session; readonly isOpen: boolean | undefined } | undefined {
  if (!isPgClient(tx) || isPgPool(tx)) return undefined;
  const status = tx.getTransactionStatus?.() ?? undefined;
  return { session: overPg(tx, "the transaction"), isOpen: status === undefined ? undefined : status !== "I" };
}

function ofUrl(url: string, poolSize: number): Database {
  const { Pool } = loadPg();
  const pool = new Pool(pgPoolOptions(url, poolSize));
  // An idle connection that breaks is no failure of a call; the pool opens another one when it is needed.
  pool.on("error", () => undefined);
  return new PgDatabase(pool, true);
}

function isPostgresSql(given: unknown): given is PostgresSql {
  return typeof given === "function" && has(given, "unsafe", "begin", "reserve", "listen", "options");
}

export function isPgPool(given: unknown): given is PgPool {
  return isPgClient(given) && has(given, "connect", "end", "options", "totalCount");
}

function isPgClient(given: unknown): given is PgClient {
  return typeof given === "object" && given !== null && has(given, "query", "on") && typeof (given as { readonly query: unknown }).query === "function";
}

function has(given: object, ...names: readonly string[]): boolean {
  return names.every((name) => name in given);
}
