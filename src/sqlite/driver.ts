/** The SQLite library, typed by the members used and loaded only when a file is opened, so that nobody else needs it. */
import { createRequire } from "node:module";
import { ErrandError } from "../core/errors.ts";

export type Value = string | number | bigint | Uint8Array | null;

/** What better-sqlite3 and node:sqlite have in common. */
export interface Handle {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
}

export interface Statement {
  run(...values: Value[]): { readonly changes: number | bigint };
  get(...values: Value[]): unknown;
  all(...values: Value[]): unknown[];
  /** better-sqlite3: rows as arrays. */
  raw?(toggle: boolean): unknown;
  safeIntegers?(toggle: boolean): unknown;
  /** node:sqlite: the same two. */
  setReturnArrays?(toggle: boolean): void;
  setReadBigInts?(toggle: boolean): void;
}

/** A handle that errand opened itself. */
export interface Connection extends Handle {
  readonly inTransaction: boolean;
  /** Its first value. */
  pragma(source: string, options: { readonly simple: true }): unknown;
  close(): unknown;
}

export type Driver = new (file: string, options: { readonly timeout: number }) => Connection;
export type DriverName = "better-sqlite3" | "node:sqlite";

export const nodeMajorMin = 22;

/** Node 20 ends with a segmentation fault at better-sqlite3's first open, so the version is looked at before anything is loaded. */
export function loadDriver(
  name: DriverName,
  nodeVersion: string = process.versions.node,
  load: (name: string) => unknown = createRequire(import.meta.url),
): Driver {
  if (Number(nodeVersion.split(".")[0]) < nodeMajorMin) {
    throw new ErrandError("engine-missing", `${name} does not run on Node ${nodeVersion}; use Node ${nodeMajorMin} or newer`);
  }
  try {
    const loaded = load(name);
    return name === "node:sqlite" ? overNodeSqlite((loaded as { readonly DatabaseSync: DatabaseSync }).DatabaseSync) : (loaded as Driver);
  } catch (cause) {
    const cure =
      name === "node:sqlite" ? "use Node 24, or better-sqlite3" : 'run `npm install better-sqlite3@13` on this machine, or pass { driver: "node:sqlite" }';
    throw new ErrandError("engine-missing", `${name} does not load here; ${cure}`, { cause });
  }
}

/** node:sqlite's, by the members used. */
type DatabaseSync = new (file: string, options: { readonly timeout: number }) => Handle & { readonly isTransaction: boolean; close(): void };

function overNodeSqlite(Database: DatabaseSync): Driver {
  return class NodeSqlite implements Connection {
    readonly #database: InstanceType<DatabaseSync>;

    constructor(file: string, options: { readonly timeout: number }) {
      this.#database = new Database(file, options);
    }

    get inTransaction(): boolean {
      return this.#database.isTransaction;
    }

    prepare(sql: string): Statement {
      return this.#database.prepare(sql);
    }

    exec(sql: string): void {
      this.#database.exec(sql);
    }

    pragma(source: string): unknown {
      return Object.values((this.#database.prepare(`PRAGMA ${source}`).get() ?? {}) as object)[0];
    }

    close(): void {
      this.#database.close();
    }
  };
}
