/** Opens the file: the driver, the settings that keep what was accepted, the tables. */
import { closeSync, fsyncSync, openSync } from "node:fs";
import { ErrandError } from "../core/errors.ts";
import type { Connection, Driver } from "./driver.ts";
import { bringSchema, isSchemaThere } from "./schema.ts";
import { Statements } from "./statements.ts";

/** Before it, resetting the WAL could corrupt the file. */
const libraryMin = [3, 51, 3] as const;

/** How long opening waits for the write lock, blocking: only whoever creates the tables needs it. */
const openBusyMs = 2_000;

/** Pages until a commit copies the WAL back by itself; usually `tidy` did before. */
const checkpointPages = 4_000;

const simple = { simple: true } as const;

/** What is to be there. */
export interface Tables {
  /** As they are to be; throws if they are somebody else's or a newer errand's. */
  areThere(sql: Statements, path: string): boolean;
  /** Makes what is missing. Within a transaction. */
  bring(sql: Statements, path: string): void;
}

/** `era`: a random text, for a store that is made now. */
export function connect(Driver: Driver, path: string, era: () => string): { connection: Connection; sql: Statements } {
  return connectTo(Driver, path, { areThere: isSchemaThere, bring: (sql) => bringSchema(sql, path, era) });
}

export function connectTo(Driver: Driver, path: string, tables: Tables): { connection: Connection; sql: Statements } {
  const connection = new Driver(path, { timeout: openBusyMs });
  try {
    const sql = new Statements(connection);
    refuseOldLibrary(sql.value<string>("SELECT sqlite_version()") ?? "");
    const isThere = tables.areThere(sql, path);
    syncLog(path);
    bringWal(connection, path);
    connection.pragma("synchronous = FULL", simple);
    connection.pragma("mmap_size = 0", simple);
    connection.pragma(`wal_autocheckpoint = ${checkpointPages}`, simple);
    if (!isThere) bring(connection, () => tables.bring(sql, path));
    refuseWeakSettings(connection, path);
    connection.pragma("busy_timeout = 0", simple);
    return { connection, sql };
  } catch (error) {
    connection.close();
    throw error;
  }
}

export function refuseOldLibrary(version: string): void {
  if (isSafeLibrary(version)) return;
  throw new ErrandError("store-unsafe", `SQLite ${version} can corrupt a WAL file; use ${libraryMin.join(".")} or newer (better-sqlite3 13)`);
}

export function isSafeLibrary(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor, leastPatch] = libraryMin;
  return major !== leastMajor ? major > leastMajor : minor !== leastMinor ? minor > leastMinor : patch >= leastPatch;
}

/**
 * Whoever wrote the last commit may have been killed before it was synced. After the first use of the file it counts as committed, so what is answered from now on,
 * such as that a job is stored already, may rest on it: without this, a power cut could take it back.
 */
function syncLog(path: string): void {
  const log = logOf(path);
  if (log === undefined) return;
  try {
    fsyncSync(log);
  } finally {
    // This gives up no lock: those are on the database and on the index.
    closeSync(log);
  }
}

function logOf(path: string): number | undefined {
  try {
    return openSync(`${path}-wal`, "r+");
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Before anything is made there. SQLite does not throw where it could not, but answers the mode that it stays at. */
function bringWal(connection: Connection, path: string): void {
  if (connection.pragma("journal_mode", simple) === "wal") return;
  const journal = connection.pragma("journal_mode = WAL", simple);
  if (journal !== "wal") throw weakSettings(path, `journal_mode=${String(journal)}`);
}

function bring(connection: Connection, making: () => void): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
    // Somebody else may have been first.
    making();
    connection.exec("COMMIT");
  } catch (error) {
    if (connection.inTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

/** Read back after the first use of the file: before it, SQLite answers what it may change its mind about. */
function refuseWeakSettings(connection: Connection, path: string): void {
  const journal = connection.pragma("journal_mode", simple);
  const synchronous = connection.pragma("synchronous", simple);
  if (journal === "wal" && synchronous === 2) return;
  throw weakSettings(path, `journal_mode=${String(journal)}, synchronous=${String(synchronous)}`);
}

function weakSettings(path: string, settings: string): ErrandError {
  return new ErrandError("store-unsafe", `${path} stays at ${settings}; put it on a local disk that supports WAL, and look whether that disk is full or fails`);
}
