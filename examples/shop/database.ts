/** better-sqlite3, which comes without types: the members that the shop uses. */
import { createRequire } from "node:module";

export interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  pragma(source: string): unknown;
  transaction<Given extends unknown[]>(fn: (...given: Given) => void): { immediate(...given: Given): void };
  close(): unknown;
}
export interface Statement {
  run(...values: readonly (string | number)[]): unknown;
  get(...values: readonly (string | number)[]): unknown;
  all(...values: readonly (string | number)[]): unknown[];
}

const Driver = createRequire(import.meta.url)("better-sqlite3") as new (file: string, options: { readonly timeout: number }) => Database;

/** WAL, and a full sync at each commit: an answer is given for what survives a power cut, and not sooner. */
export function openDatabase(file: string): Database {
  const database = new Driver(file, { timeout: 10_000 });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("wal_autocheckpoint = 10000"); // errand's workers copy the WAL back, so that no customer's commit has to
  return database;
}
