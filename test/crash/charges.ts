/** The app's own rows in errand's database: an effect that happens with the completion of its job. */
import Database from "better-sqlite3";
import pg from "pg";
import type { Transaction } from "../../src/index.ts";
import { postgresStoreOf } from "../../src/stores.ts";

export interface Charges {
  /** Stores a row and what `also` stores, in one transaction. */
  charge(n: number, also: (tx: Transaction) => unknown): Promise<void>;
  /** How many rows each job left. */
  rows(): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

const counting = "SELECT n, count(*) AS rows FROM charges GROUP BY n";

export async function chargesIn(store: string): Promise<Charges> {
  const onPostgres = postgresStoreOf(store);
  return onPostgres === undefined
    ? new OnSqlite(store.slice("sqlite:".length))
    : OnPostgres.open(onPostgres.database, `charges_of_${onPostgres.schema ?? "errand"}`);
}

class OnSqlite implements Charges {
  readonly #database: Database.Database;

  constructor(file: string) {
    this.#database = new Database(file, { timeout: 10_000 });
    this.#database.pragma("journal_mode = WAL");
    this.#database.pragma("synchronous = FULL");
    this.#database.exec("CREATE TABLE IF NOT EXISTS charges (n INTEGER NOT NULL)");
  }

  charge(n: number, also: (tx: Transaction) => unknown): Promise<void> {
    const inOneTransaction = this.#database.transaction(() => {
      this.#database.prepare("INSERT INTO charges (n) VALUES (?)").run(n);
      also(this.#database);
    });
    inOneTransaction.immediate();
    return Promise.resolve();
  }

  rows(): Promise<ReadonlyMap<number, number>> {
    const rows = this.#database.prepare<[], { n: number; rows: number }>(counting).all();
    return Promise.resolve(new Map(rows.map((row) => [row.n, row.rows])));
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}

class OnPostgres implements Charges {
  readonly #pool: pg.Pool;
  readonly #table: string;

  private constructor(pool: pg.Pool, table: string) {
    this.#pool = pool;
    this.#table = table;
  }

  static async open(url: string, table: string): Promise<OnPostgres> {
    const pool = new pg.Pool({ connectionString: url, max: 5 });
    pool.on("error", () => undefined);
    await pool.query(`DO $$ BEGIN PERFORM pg_advisory_xact_lock(1); CREATE TABLE IF NOT EXISTS ${table} (n int NOT NULL); END $$`);
    return new OnPostgres(pool, table);
  }

  async charge(n: number, also: (tx: Transaction) => unknown): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query("BEGIN");
      await client.query(`INSERT INTO ${this.#table} (n) VALUES ($1)`, [n]);
      await also(client);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  }

  async rows(): Promise<ReadonlyMap<number, number>> {
    const { rows } = await this.#pool.query<{ n: number; rows: string }>(counting.replace("charges", this.#table));
    return new Map(rows.map((row) => [row.n, Number(row.rows)]));
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
