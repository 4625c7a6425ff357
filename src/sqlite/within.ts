/** The app's own transaction: whether errand may write in it. */
import { ErrandError } from "../core/errors.ts";
import type { Handle } from "./driver.ts";
import { isSafeLibrary } from "./connection.ts";
import { failureOf } from "./failure.ts";
import { Statements } from "./statements.ts";

interface Known {
  readonly sql: Statements;
  readonly path: string;
  /** Whether it sees the locks of errand's connection: undefined until that was tried. */
  isSeen?: boolean;
}

/** Handles of the app; a statement is prepared once for each. */
const known = new WeakMap<object, Known>();

/** A file of errand's, and how to find out whether a handle has the same one open. */
export interface Joinable {
  readonly path: string;
  /** By primary key: a first use of the file. */
  readonly readOne: string;
  /** By primary key: changes nothing, but takes the write lock. */
  readonly takeWriteLock: string;
  isThisFile(path: string): boolean;
  isWriteLocked(): boolean;
}

/** The app's handle and its statements, or an error that says why it cannot be joined. */
export function joined(store: Joinable, tx: unknown): { readonly handle: Handle; readonly sql: Statements } {
  const handle = handleOf(tx);
  if (!isInTransaction(handle)) {
    throw new ErrandError(
      "tx-not-open",
      "the handle given to within() is not in a transaction; begin one on it first, and call within() between BEGIN and COMMIT",
    );
  }
  const seen = knownHandle(handle);
  if (!store.isThisFile(seen.path)) {
    throw new ErrandError("tx-foreign", `the handle given to within() has ${seen.path || "no file"} open, not ${store.path}; open the broker on the same file`);
  }
  refuseUndurable(store, seen.sql);
  refuseUnseen(store, seen);
  return { handle, sql: seen.sql };
}

/** Read first: until its first use of the file a handle answers a synchronous that it does not keep. */
function refuseUndurable(store: Joinable, sql: Statements): void {
  sql.value(store.readOne);
  if ((sql.value<number>("PRAGMA synchronous") ?? 0) >= 2) return;
  throw new ErrandError(
    "tx-not-durable",
    'the handle given to within() would commit without a full sync; right after opening it, call db.pragma("synchronous = FULL") or db.exec("PRAGMA synchronous = FULL")',
  );
}

/**
 * POSIX locks are a process's, not a library's: two libraries in one process do not keep each other out, and overwrite each other's commits
 * (measured: 51 of 302 lost, without an error). So it is tried once whether the lock of this handle is seen.
 */
function refuseUnseen(store: Joinable, seen: Known): void {
  if (seen.isSeen === undefined) {
    try {
      seen.sql.run(store.takeWriteLock);
    } catch (error) {
      throw failureOf(error, store.path);
    }
    seen.isSeen = store.isWriteLocked();
  }
  if (seen.isSeen) return;
  throw new ErrandError(
    "tx-unsupported",
    "the handle given to within() is of another SQLite library, or of another copy, than errand's: in one process they overwrite each other's commits. " +
      'Open all handles of the file with one: for node:sqlite, sqlite(file, { driver: "node:sqlite" }); for better-sqlite3, see `npm ls better-sqlite3` and use the same version',
  );
}

function handleOf(tx: unknown): Handle & object {
  const { prepare, exec } = (tx ?? {}) as Partial<Handle>;
  if (typeof tx === "object" && tx !== null && typeof prepare === "function" && typeof exec === "function") return tx as Handle & object;
  throw new ErrandError("tx-unsupported", "within() on SQLite takes a Database of better-sqlite3 or a DatabaseSync of node:sqlite");
}

function isInTransaction(handle: object): boolean {
  const { inTransaction, isTransaction } = handle as { inTransaction?: unknown; isTransaction?: unknown };
  const told = inTransaction ?? isTransaction;
  if (typeof told === "boolean") return told;
  throw new ErrandError(
    "tx-unsupported",
    "the handle given to within() does not tell whether it is in a transaction; use better-sqlite3, or node:sqlite of Node 24",
  );
}

function knownHandle(handle: Handle & object): Known {
  const seen = known.get(handle);
  if (seen) return seen;
  const sql = new Statements(handle);
  const version = sql.value<string>("SELECT sqlite_version()") ?? "";
  if (!isSafeLibrary(version)) {
    throw new ErrandError(
      "tx-unsupported",
      `the handle given to within() is SQLite ${version}, which can corrupt a WAL file; use better-sqlite3 13, or a newer Node`,
    );
  }
  const main = sql.tuples<[seq: number, name: string, file: string]>("PRAGMA database_list").find(([, name]) => name === "main");
  const fresh: Known = { sql, path: main?.[2] ?? "" };
  known.set(handle, fresh);
  return fresh;
}
