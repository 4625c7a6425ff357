/** better-sqlite3, typed by the members used and loaded only when a file is opened, so that nobody else needs it. */
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
  pragma(source: string, options?: { readonly simple?: boolean }): unknown;
  close(): unknown;
}

export type Driver = new (file: string, options: { readonly timeout: number }) => Connection;

export const nodeMajorMin = 22;

/** Node 20 ends with a segmentation fault at the first open, so the version is looked at before the driver is loaded. */
export function loadDriver(nodeVersion: string = process.versions.node, load: () => unknown = requireDriver): Driver {
  if (Number(nodeVersion.split(".")[0]) < nodeMajorMin) {
    throw new ErrandError("engine-missing", `better-sqlite3 does not run on Node ${nodeVersion}; use Node ${nodeMajorMin} or newer`);
  }
  try {
    return load() as Driver;
  } catch (cause) {
    throw new ErrandError("engine-missing", "better-sqlite3 does not load here; run `npm install better-sqlite3@13` on this machine, or use another engine", { cause });
  }
}

function requireDriver(): unknown {
  return createRequire(import.meta.url)("better-sqlite3");
}
