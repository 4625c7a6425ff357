/** The shop's table on PostgreSQL, in a schema of its own. */
import pg from "pg";
import type { Transaction } from "../../src/index.ts";
import type { Order } from "./order.ts";
import type { Orders } from "./orders.ts";

const connections = 10;

export class OrdersOnPostgres implements Orders {
  readonly #pool: pg.Pool;
  readonly #table: string;
  readonly #made: Promise<unknown>;

  constructor(database: string) {
    const [url, schema] = database.split(/[?&]schema=/);
    this.#pool = new pg.Pool({ connectionString: url, max: connections, application_name: "shop" });
    this.#pool.on("error", () => undefined); // an idle connection that broke; the next query opens another
    this.#table = `${schema ?? "public"}.orders`;
    this.#made = this.#make();
  }

  async place(order: Order, also?: (tx: Transaction) => unknown): Promise<void> {
    await this.#made;
    const client = await this.#pool.connect();
    try {
      await client.query("BEGIN");
      // Orders of one account one after the other: of two transactions at once nobody could say which came first.
      await client.query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))", [this.#table, order.accountId]);
      await client.query(`INSERT INTO ${this.#table} (id, account_id, content) VALUES ($1, $2, $3)`, [order.id, order.accountId, JSON.stringify(order)]);
      await also?.(client);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  }

  async get(id: string): Promise<Order> {
    const [row] = await this.#rows<{ content: string }>(`SELECT content FROM ${this.#table} WHERE id = $1`, id);
    if (row === undefined) throw new Error(`there is no order ${id}`);
    return JSON.parse(row.content) as Order;
  }

  async receiptSentAt(id: string): Promise<number | null> {
    const [row] = await this.#rows<{ at: string | null }>(`SELECT receipt_sent_at AS at FROM ${this.#table} WHERE id = $1`, id);
    return row?.at === null || row === undefined ? null : Number(row.at);
  }

  async markReceiptSent(id: string): Promise<void> {
    await this.#rows(`UPDATE ${this.#table} SET receipt_sent_at = $2 WHERE id = $1 AND receipt_sent_at IS NULL`, id, Date.now());
  }

  placed(): Promise<readonly { readonly id: string; readonly accountId: string }[]> {
    return this.#rows(`SELECT id, account_id AS "accountId" FROM ${this.#table} ORDER BY place`);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #rows<Row extends object>(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    await this.#made;
    return (await this.#pool.query<Row>(sql, [...values])).rows;
  }

  /** The shop and its workers begin at once. */
  async #make(): Promise<void> {
    await this.#pool.query(`DO $$ BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('${this.#table}'));
      CREATE TABLE IF NOT EXISTS ${this.#table} (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        account_id text NOT NULL,
        content text NOT NULL,
        receipt_sent_at bigint
      );
    END $$`);
  }
}
