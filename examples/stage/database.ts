/** better-sqlite3, which comes without types: the members that the demonstrations use. */
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";

export interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  pragma(source: string): unknown;
  transaction<Given extends unknown[], Answer>(fn: (...given: Given) => Answer): { immediate(...given: Given): Answer };
  close(): unknown;
}
export type Value = string | number | null;
export interface Statement {
  run(...values: readonly Value[]): unknown;
  get(...values: readonly Value[]): unknown;
  all(...values: readonly Value[]): unknown[];
}

const Driver = createRequire(import.meta.url)("better-sqlite3") as new (file: string, options: { readonly timeout: number }) => Database;

const lockMs = 10_000;
const lookAgainMs = 3;

/**
 * A write, as soon as no other process is writing. SQLite would wait for that by sleeping, up to 100 ms at a time, and every request with it;
 * this looks again after a few milliseconds and lets them go on meanwhile.
 */
export async function onceFree<Answer>(write: () => Answer): Promise<Answer> {
  for (const patience = AbortSignal.timeout(lockMs); ; await pause(Math.random() * lookAgainMs)) {
    try {
      return write();
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "SQLITE_BUSY" || patience.aborted) throw error;
    }
  }
}

/** WAL, and a full sync at each commit: an answer is given for what survives a power cut, and not sooner. */
export function openDatabase(file: string): Database {
  const database = new Driver(file, { timeout: 10_000 });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("wal_autocheckpoint = 10000"); // errand's workers copy the WAL back, so that no customer's commit has to
  return database;
}
