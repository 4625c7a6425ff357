/** The app's own transaction: whether errand may write in it. */
import { ErrandError } from "../core/errors.ts";
import type { Handle } from "./driver.ts";
import { isSafeLibrary } from "./connection.ts";
import { Statements } from "./statements.ts";
import type { Store } from "./store.ts";

/** Handles of the app, each looked at once; a statement is prepared once for each. */
const known = new WeakMap<object, { readonly sql: Statements; readonly path: string }>();

/** The app's handle and its statements, or an error that says why it cannot be joined. */
export function joined(store: Store, tx: unknown): { readonly handle: Handle; readonly sql: Statements } {
  const handle = handleOf(tx);
  if (!isInTransaction(handle)) {
    throw new ErrandError("tx-not-open", "the handle given to within() is not in a transaction; begin one on it first, and call within() between BEGIN and COMMIT");
  }
  const { sql, path } = knownHandle(handle);
  if (!store.isThisFile(path)) {
    throw new ErrandError("tx-foreign", `the handle given to within() has ${path || "no file"} open, not ${store.path}; open the broker on the same file`);
  }
  // Read first: until its first use of the file a handle answers a synchronous that it does not keep.
  sql.value("SELECT value FROM errand_numbers WHERE line = 0 AND what = 0");
  const synchronous = sql.value<number>("PRAGMA synchronous") ?? 0;
  if (synchronous < 2) {
    throw new ErrandError("tx-not-durable", 'the handle given to within() would commit without a full sync; right after opening it, call db.pragma("synchronous = FULL") or db.exec("PRAGMA synchronous = FULL")');
  }
  return { handle, sql };
}

function handleOf(tx: unknown): Handle & object {
  const { prepare, exec } = (tx ?? {}) as Partial<Handle>;
  if (typeof tx === "object" && tx !== null && typeof prepare === "function" && typeof exec === "function") return tx as Handle & object;
  throw new ErrandError("tx-unsupported", "within() on SQLite takes a Database of better-sqlite3 or a DatabaseSync of node:sqlite");
}

function isInTransaction(handle: object): boolean {
  const { inTransaction, isTransaction } = handle as { inTransaction?: unknown; isTransaction?: unknown };
  return inTransaction === true || isTransaction === true;
}

function knownHandle(handle: Handle & object): { readonly sql: Statements; readonly path: string } {
  const seen = known.get(handle);
  if (seen) return seen;
  const sql = new Statements(handle);
  const version = sql.value<string>("SELECT sqlite_version()") ?? "";
  if (!isSafeLibrary(version)) {
    throw new ErrandError("tx-unsupported", `the handle given to within() is SQLite ${version}, which can corrupt a WAL file; use better-sqlite3 13, or a newer Node`);
  }
  const main = sql.tuples<[seq: number, name: string, file: string]>("PRAGMA database_list").find(([, name]) => name === "main");
  const fresh = { sql, path: main?.[2] ?? "" };
  known.set(handle, fresh);
  return fresh;
}
