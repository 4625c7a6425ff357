/** The app's own rows in errand's database, by connections of the app's. */
import type pg from "pg";
import type { AppStore } from "../../src/conformance/index.ts";
import type { Transaction } from "../../src/index.ts";

export class PostgresRows implements AppStore {
  readonly #pool: pg.Pool;
  readonly #table: string;
  #made: Promise<unknown> | undefined;
  #callsUnderWay = 0;

  /** `table`: another one for each law, since all laws of a process share a database. */
  constructor(pool: pg.Pool, table: string) {
    this.#pool = pool;
    this.#table = table;
  }

  get callsUnderWay(): number {
    return this.#callsUnderWay;
  }

  async transaction(...steps: readonly ((tx: Transaction) => unknown)[]): Promise<void> {
    await this.#make();
    const client = await this.#call(() => this.#pool.connect());
    try {
      await this.#call(() => client.query("BEGIN"));
      for (const step of steps) await step(client as never);
      await this.#call(() => client.query("COMMIT"));
    } catch (error) {
      await this.#call(() => client.query("ROLLBACK"));
      throw error;
    } finally {
      client.release();
    }
  }

  async add(tx: Transaction, name: string): Promise<void> {
    await this.#call(() => (tx as unknown as pg.PoolClient).query(`INSERT INTO ${this.#table} (name) VALUES ($1)`, [name]));
  }

  async count(name: string): Promise<number> {
    await this.#make();
    const { rows } = await this.#call(() => this.#pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${this.#table} WHERE name = $1`, [name]));
    return rows[0]?.n ?? 0;
  }

  async close(): Promise<void> {
    if (this.#made !== undefined) await this.#pool.query(`DROP TABLE ${this.#table}`);
  }

  /** Made when first needed: most laws never look. */
  async #make(): Promise<void> {
    await (this.#made ??= this.#call(() => this.#pool.query(`CREATE TABLE ${this.#table} (name text NOT NULL)`)));
  }

  /** Virtual time waits for it. */
  async #call<T>(call: () => Promise<T>): Promise<T> {
    this.#callsUnderWay += 1;
    try {
      return await call();
    } finally {
      this.#callsUnderWay -= 1;
    }
  }
}
