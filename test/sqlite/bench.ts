/** A folder with one database file, engines on it, and a clock that tests may turn. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import type { Claim, Claimed, Engine, JobRow, NewJob, NewJoin, Outcome } from "../../src/core/engine.ts";
import type { Runtime } from "../../src/core/runtime.ts";
import type { Connection, Driver, Handle } from "../../src/sqlite/driver.ts";
import { surroundings } from "../../src/sqlite/open.ts";
import type { SqliteOptions, Surroundings } from "../../src/sqlite/open.ts";
import { SqliteEngine } from "../../src/sqlite/sqliteEngine.ts";

export const start = 1_700_000_000_000;
export const leaseMs = 8_000;
const day = 24 * 60 * 60 * 1_000;
export const keep = { completed: day, skipped: day, cancelled: 7 * day, dead: 30 * day };

/** As an app would open it. */
export const Database: Driver = createRequire(import.meta.url)("better-sqlite3") as Driver;

/** Real timers; a wall clock that stands still until it is turned, and a monotonic one that may be sped up. */
export class TurnedRuntime implements Runtime {
  readonly log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  wall: number = start;
  /** Added to the monotonic clock. */
  skippedMs = 0;
  #ids = 0;

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return performance.now() + this.skippedMs;
  }

  after(ms: number, fn: () => void, options: { readonly background?: boolean } = {}): { cancel(): void } {
    const timer = setTimeout(fn, ms);
    if (options.background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  random(): number {
    return Math.random();
  }

  id(): string {
    this.#ids += 1;
    return `id-${process.pid}-${this.#ids}`;
  }

  startBeat(): never {
    throw new Error("these tests beat by themselves");
  }
}

/** One file of its own for a test. `using` closes what was opened and removes the folder. */
export class Bench implements AsyncDisposable {
  readonly folder: string = mkdtempSync(pathOf(tmpdir(), "errand-sqlite-"));
  readonly file: string = pathOf(this.folder, "work.db");
  readonly runtime: TurnedRuntime = new TurnedRuntime();
  readonly #engines: SqliteEngine[] = [];
  readonly #handles: { close(): unknown }[] = [];

  /** A connection of its own. */
  engine(options: SqliteOptions = {}, around: Partial<Surroundings> = {}): Engine {
    const engine = new SqliteEngine(this.file, options, { ...surroundings, ...around });
    engine.open({ runtime: this.runtime });
    this.#engines.push(engine);
    return engine;
  }

  /** A handle as an app has it: WAL and a full sync, but no errand. */
  app(): Connection {
    const database = new Database(this.file, { timeout: 0 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    this.#handles.push(database);
    return database;
  }

  closeLater(handle: { close(): unknown }): void {
    this.#handles.push(handle);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    for (const handle of this.#handles) handle.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function job(id: string, options: Partial<Omit<NewJob, "kind" | "id">> = {}): NewJob {
  return {
    kind: "job",
    id,
    content: `content of ${id}`,
    rememberMs: 0,
    task: "send",
    queue: "mail",
    payload: `{"id":"${id}"}`,
    headStartMs: 0,
    keep,
    ...options,
  };
}

export function join(id: string, options: Partial<Omit<NewJoin, "kind" | "id">> = {}): NewJoin {
  return { kind: "join", id, content: `content of ${id}`, rememberMs: 0, name: "batch", isSealed: true, ...options };
}

export function wanted(options: Partial<Claim> & { readonly slots?: number } = {}): Claim {
  const { slots = 10, ...rest } = options;
  return {
    process: "p1",
    leaseMs,
    claim: "c1",
    lastFence: 0,
    queues: [{ queue: "mail", slots, ahead: 0 }],
    tasks: ["send"],
    alone: "no",
    settling: [],
    ...rest,
  };
}

export function outcomes(claimed: Claimed, claim = "c1", is: Outcome["is"] = "completed"): Outcome[] {
  return claimed.jobs.map(({ id }) => ({ id, claim, fence: claimed.fence, is, ranMs: 1 }));
}

export async function rowOf(engine: Engine, id: string): Promise<JobRow | undefined> {
  return (await engine.find({ of: "jobs", ids: [id] }, {})).rows[0];
}

/** One value of a file, as anybody may read it. */
export function valueOf(handle: Handle, sql: string): unknown {
  const row = handle.prepare(sql).get() as Record<string, unknown> | undefined;
  return row && Object.values(row)[0];
}
