/** Fresh stores, many thousands of them: in memory, in a file of SQLite whose rows are taken away in between, on servers in places of their own. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineMaker } from "../../src/conformance/index.ts";
import type { Engine } from "../../src/core/engine.ts";
import type { Runtime } from "../../src/core/runtime.ts";
import { memory } from "../../src/memory/index.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { loadDriver, type Connection, type Driver, type Handle, type Statement } from "../../src/sqlite/driver.ts";
import { SqliteEngine } from "../../src/sqlite/sqliteEngine.ts";
import { Seeded } from "../../src/testing/seeded.ts";
import type { Distortion } from "../../test/conformance/planted.ts";
import { stillRuntime } from "../model/stillRuntime.ts";
import type { OpenStore } from "./play.ts";

/** Where a scope is played: one fresh store after the other. */
export interface Stores {
  readonly name: string;
  fresh(): OpenStore;
  /** At the end of all. */
  close(): void;
}

export function inMemory(distortion?: Distortion): Stores {
  return {
    name: "memory",
    fresh: () => {
      const right = memory();
      const engine = distortion === undefined ? right : distorted(right, distortion);
      void engine.open({ runtime: stillRuntime() });
      return { engine: () => engine };
    },
    close: () => undefined,
  };
}

/** As {@link inMemory}, with one bug for all actors. */
export function distorted(right: Engine, distortion: Distortion): Engine {
  const wrong = distortion(right);
  return new Proxy(right, {
    get: (target, name) => {
      const verb: unknown = Reflect.get(wrong, name) ?? Reflect.get(target, name, target);
      return typeof verb === "function" ? (verb.bind(name in wrong ? wrong : target) as unknown) : verb;
    },
  });
}

/** Processes on one file: actors take them in turn. More would only take longer. */
const processes = 2;

/**
 * Actors have engines and connections of their own on one file, as processes have. Engines are new for each schedule, and keep nothing from one to the next; connections
 * and their prepared statements are kept, since making them would take most of the time, and all rows are taken away.
 */
export function inSqlite(): Stores {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "errand-scopes-"));
  const path = join(folder, "scopes.db");
  const DriverHere = loadDriver("better-sqlite3");
  const kept: KeptConnection[] = [];
  let used = 0;
  const runtime = { ...stillRuntime(), random: randomOf(1) } satisfies Runtime;
  class KeptDriver {
    constructor(file: string, options: { readonly timeout: number }) {
      const connection = (kept[used] ??= new KeptConnection(new DriverHere(file, options)));
      used++;
      connection.begin();
      return connection;
    }
  }
  const open = (): Engine => {
    const engine = new SqliteEngine(path, {}, { load: () => KeptDriver as unknown as Driver });
    engine.open({ runtime });
    return engine;
  };
  open();
  const cleaner = new Cleaner(new DriverHere(path, { timeout: 2_000 }));
  return {
    name: "sqlite",
    fresh: () => {
      cleaner.clean();
      used = 0;
      const engines = Array.from({ length: processes }, open);
      return { engine: takenInTurn(engines) };
    },
    close: () => {
      for (const connection of kept) connection.end();
      cleaner.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function randomOf(seed: number): () => number {
  const seeded = new Seeded(seed);
  return () => seeded.random();
}

/** Prepared statements are handed out again in the order in which they were prepared, each to be used by one reader. */
class KeptConnection implements Connection {
  readonly #inner: Connection;
  readonly #statements: Map<string, Statement[]> = new Map();
  readonly #used: Map<string, number> = new Map();

  constructor(inner: Connection) {
    this.#inner = inner;
  }

  begin(): void {
    this.#used.clear();
  }

  end(): void {
    this.#inner.close();
  }

  get inTransaction(): boolean {
    return this.#inner.inTransaction;
  }

  prepare(sql: string): Statement {
    const nth = this.#used.get(sql) ?? 0;
    this.#used.set(sql, nth + 1);
    let statements = this.#statements.get(sql);
    if (statements === undefined) this.#statements.set(sql, (statements = []));
    const kept = statements[nth];
    if (kept !== undefined) {
      if ((kept as { readonly reader?: boolean }).reader === true) kept.raw?.(false);
      return kept;
    }
    const made = this.#inner.prepare(sql);
    statements.push(made);
    return made;
  }

  exec(sql: string): unknown {
    return this.#inner.exec(sql);
  }

  pragma(source: string, options: { readonly simple: true }): unknown {
    return this.#inner.pragma(source, options);
  }

  close(): void {
    // It is kept for the next schedule.
  }
}

/** Takes all rows away but those with which a file begins. */
class Cleaner {
  readonly #connection: Connection;
  readonly #cleaning: Statement[];
  readonly #resetting: Statement;

  constructor(connection: Connection) {
    this.#connection = connection;
    const tables = namesOf(connection).filter((name) => name !== "errand_meta" && name !== "errand_numbers");
    this.#cleaning = [...tables.map((name) => `DELETE FROM ${name}`), "DELETE FROM sqlite_sequence", "DELETE FROM errand_numbers WHERE line <> 0"].map((sql) =>
      connection.prepare(sql),
    );
    this.#resetting = connection.prepare("UPDATE errand_numbers SET value = 0");
  }

  clean(): void {
    this.#connection.exec("BEGIN IMMEDIATE");
    for (const statement of this.#cleaning) statement.run();
    this.#resetting.run();
    this.#connection.exec("COMMIT");
  }

  close(): void {
    this.#connection.close();
  }
}

function namesOf(connection: Handle): string[] {
  return (connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'errand_*'").all() as { readonly name: string }[]).map(
    ({ name }) => name,
  );
}

/** A place of a server, for one schedule; verbs answer later. */
export async function onServer(maker: EngineMaker): Promise<OpenStore & { close(): Promise<void> }> {
  const store = await maker.open();
  const engines = Array.from({ length: processes }, () => store.engine());
  for (const engine of engines) await engine.open({ runtime: realRuntime() });
  return {
    engine: takenInTurn(engines),
    close: async () => {
      for (const engine of engines) await engine.close();
      await store.dispose();
    },
  };
}

function takenInTurn(engines: readonly Engine[]): (actor: string) => Engine {
  const places = new Map<string, number>();
  return (actor) => {
    let place = places.get(actor);
    if (place === undefined) places.set(actor, (place = places.size % engines.length));
    const own = engines[place];
    if (own === undefined) throw new RangeError("there is no such process");
    return own;
  };
}
