/** The drivers of PostgreSQL, typed by the members used, and loaded only when errand itself has to connect. */
import { createRequire } from "node:module";
import { ErrandError } from "../core/errors.ts";

/** A pool of `pg`. */
export interface PgPool {
  readonly options: object;
  connect(): Promise<PgPoolClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A client of `pg`, also one in a caller's transaction. */
export interface PgClient {
  query(query: PgQuery): Promise<PgAnswer>;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** From pg 8.18: "I" outside a transaction, "T" in one, "E" in one that has failed. */
  getTransactionStatus?(): string | null;
}

export interface PgPoolClient extends PgClient {
  release(error?: Error): void;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

export interface PgQuery {
  readonly text: string;
  readonly values: (string | null)[];
  readonly types: { getTypeParser(type: number): (text: string) => unknown };
  readonly query_timeout?: number;
}

export interface PgAnswer {
  readonly rows: unknown[];
}

/** What errand uses of `pg` where it connects by itself. */
export interface PgModule {
  readonly Pool: new (options: object) => PgPool;
  readonly Client: PgClientClass;
}

export type PgClientClass = new (options: object) => PgLoneClient;

export interface PgLoneClient extends Omit<PgClient, "on"> {
  connect(): Promise<unknown>;
  end(): Promise<unknown>;
  unref?(): void;
  on(event: "error" | "end", listener: (error?: Error) => void): unknown;
  on(event: "notification", listener: (message: { readonly channel: string; readonly payload?: string | undefined }) => void): unknown;
}

/** The `sql` of the package `postgres`. */
export interface PostgresSql extends PostgresSession {
  readonly options: object;
  reserve(): Promise<PostgresSession & { release(): void }>;
  begin(...args: never[]): unknown;
  listen(channel: string, heard: (payload: string) => void): Promise<{ unlisten(): Promise<unknown> }>;
  end(options?: { readonly timeout?: number }): Promise<void>;
}

/** The same in a caller's transaction, or on a connection that was reserved. */
export interface PostgresSession {
  unsafe(text: string, values: never[]): PostgresQuery;
  typed(value: unknown, type: number): unknown;
}

export interface PostgresQuery {
  /** Asks the server to stop, on a connection of its own. */
  cancel(): unknown;
  raw(): PromiseLike<PostgresRows>;
}

/** Rows as they came over the wire. */
export interface PostgresRows extends Iterable<unknown> {
  readonly columns: readonly { readonly name: string; readonly type: number }[] | undefined;
}

export type PostgresModule = (options: object) => PostgresSql;

export type DriverName = "pg" | "postgres";

const load: (name: string) => unknown = createRequire(import.meta.url);

export function loadPg(require: typeof load = load): PgModule {
  return loadDriver("pg", require) as PgModule;
}

export function loadPostgres(): PostgresModule {
  return loadDriver("postgres", load) as PostgresModule;
}

export function isInstalled(name: DriverName): boolean {
  try {
    load(name);
    return true;
  } catch {
    return false;
  }
}

function loadDriver(name: DriverName, require: typeof load): unknown {
  try {
    return require(name);
  } catch (cause) {
    throw new ErrandError("engine-missing", `the driver "${name}" does not load here; run \`npm install ${name}\`, or give a pool of your own`, { cause });
  }
}
