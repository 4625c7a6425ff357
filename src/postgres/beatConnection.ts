/** A connection of its own for the thread that beats, so that neither a busy main thread nor a full pool loses a lease. */
import { leaseMs as usualLeaseMs } from "../core/defaults.ts";
import type { Heard } from "../core/engine.ts";
import type { BeatConnection, BeatSource, Ms } from "../core/runtime.ts";
import type { Database, Reach } from "./client.ts";
import { loadPg, loadPostgres } from "./driver.ts";
import { PgDatabase, pgPoolOptions } from "./pgDatabase.ts";
import { PostgresDatabase } from "./postgresDatabase.ts";

interface BeatData {
  readonly reach: Reach;
  /** Takes the process and the length of its lease; answers what was heard, as `heard`. */
  readonly statement: string;
}

/** Half a lease: a beat that is not answered by then is tried again, on another connection, while there is time. */
const answerMs: Ms = usualLeaseMs / 2;

/** Undefined where the thread could not connect: then the main loop beats. `statement`: `SELECT … ($1, $2) AS heard`. */
export function beatSourceOf(database: Database, statement: string): BeatSource | undefined {
  const reach = database.reach();
  if (reach === undefined) return undefined;
  // The sources are run as they are, the package as built.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const data: BeatData = { reach, statement };
  return { module: new URL(`./beatConnection.${extension}`, import.meta.url).href, data };
}

export function openBeat(data: unknown): BeatConnection {
  const { reach, statement } = data as BeatData;
  return new PostgresBeat(connect(reach), statement);
}

class PostgresBeat implements BeatConnection {
  readonly #database: Database;
  readonly #statement: string;

  constructor(database: Database, statement: string) {
    this.#database = database;
    this.#statement = statement;
  }

  async beat(process: string, leaseMs: Ms): Promise<Heard> {
    const [row] = await this.#database.query(this.#statement, [process, leaseMs]);
    return row?.["heard"] as Heard;
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function connect({ driver, options }: Reach): Database {
  if (driver === "postgres") return new PostgresDatabase(loadPostgres()({ ...options, max: 1, prepare: false, fetch_types: false }), true);
  const { Pool } = loadPg();
  const pool = new Pool({ ...pgPoolOptions(undefined, 1), ...options });
  // The next beat opens another one.
  pool.on("error", () => undefined);
  return new PgDatabase(pool, true, answerMs);
}
