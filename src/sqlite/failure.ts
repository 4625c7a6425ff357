/** What the driver throws, as errand's errors: the one place where they are told apart. */
import { ErrandError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";

const busy = 5;
const locked = 6;
/** Extended: the index of the log, which is as large as the log asks for, could not be made larger. */
const indexFull = 10 | (19 << 8);

/** Primary result codes of SQLite. */
const codes: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  [busy]: ["store-busy", "another connection holds the write lock; shorten the transactions of whoever writes to this file, then try again"],
  [locked]: ["store-busy", "a statement of this connection is still reading; finish iterating before enqueueing"],
  8: ["store-readonly", "the file cannot be written; give this process write permission on it and on its directory"],
  11: ["store-corrupt", "SQLite says that the file is damaged; stop all writers and restore it from a backup"],
  13: ["store-full", "the disk, or the file's max_page_count, has no room left; free some, then try again"],
  14: ["store-failed", "the file cannot be opened; check that its directory exists and that this process may write there"],
  26: ["store-foreign", "the file is not a SQLite database; name another one"],
};

const names: Readonly<Record<string, number>> = {
  SQLITE_BUSY: busy,
  SQLITE_LOCKED: locked,
  SQLITE_READONLY: 8,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_CANTOPEN: 14,
  SQLITE_NOTADB: 26,
};

export function failureOf(error: unknown, file: string): ErrandError {
  if (error instanceof ErrandError) return error;
  if (isIndexFull(error)) return indexFailure(error, file);
  const [code, cure] = codes[resultCodeOf(error)] ?? (["store-failed", "see its cause; if it lasts, check the disk and the file"] as const);
  const said = error instanceof Error ? error.message : String(error);
  return new ErrandError(code, `${file}: ${said}: ${cure}`, { cause: error, details: { file } });
}

/** A commit needs that room after it has written and synced the log: what it wrote may be found there. */
function indexFailure(cause: Error, file: string): ErrandError {
  const message = `${file}: ${cause.message}: the disk has no room left for ${file}-shm, or fails; free some, then try again`;
  return new ErrandError("store-full", message, { cause, details: { file }, isDefinite: false });
}

function isIndexFull(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "SQLITE_IOERR_SHMSIZE" || errcode === indexFull;
}

export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === busy;
}

/** better-sqlite3 names the code (`SQLITE_BUSY_SNAPSHOT`), node:sqlite numbers it (`errcode`, extended). 0: not SQLite's. */
function resultCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return 0;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return 0;
  return names[code.split("_").slice(0, 2).join("_")] ?? 0;
}
