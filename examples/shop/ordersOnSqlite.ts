/** The shop's table on SQLite. */
import type { Transaction } from "../../src/index.ts";
import { onceFree, openDatabase, type Database, type Statement } from "../stage/database.ts";
import type { Order } from "./order.ts";
import type { Orders, Role } from "./orders.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS orders (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL,
    content TEXT NOT NULL,
    receipt_sent_at INTEGER
  )`;

export class OrdersOnSqlite implements Orders {
  readonly #database: Database;
  readonly #insert: Statement;
  readonly #get: Statement;
  readonly #sentAt: Statement;
  readonly #markSent: Statement;

  constructor(file: string, role: Role) {
    this.#database = openDatabase(file);
    this.#database.exec(schema);
    this.#database.pragma("busy_timeout = 5"); // from here on, writes wait by onceFree
    if (role === "worker") this.#database.pragma("synchronous = NORMAL");
    this.#insert = this.#database.prepare("INSERT INTO orders (id, account_id, content) VALUES (?, ?, ?)");
    this.#get = this.#database.prepare("SELECT content FROM orders WHERE id = ?");
    this.#sentAt = this.#database.prepare("SELECT receipt_sent_at AS at FROM orders WHERE id = ?");
    this.#markSent = this.#database.prepare("UPDATE orders SET receipt_sent_at = ? WHERE id = ? AND receipt_sent_at IS NULL");
  }

  async place(order: Order, also?: (tx: Transaction) => unknown): Promise<void> {
    const inOneTransaction = this.#database.transaction(() => {
      this.#insert.run(order.id, order.accountId, JSON.stringify(order));
      also?.(this.#database);
    });
    await onceFree(() => inOneTransaction.immediate());
  }

  get(id: string): Promise<Order> {
    const row = this.#get.get(id) as { readonly content: string } | undefined;
    return row === undefined ? Promise.reject(new Error(`there is no order ${id}`)) : Promise.resolve(JSON.parse(row.content) as Order);
  }

  receiptSentAt(id: string): Promise<number | null> {
    return Promise.resolve((this.#sentAt.get(id) as { readonly at: number | null } | undefined)?.at ?? null);
  }

  markReceiptSent(id: string): Promise<void> {
    return onceFree(() => void this.#markSent.run(Date.now(), id));
  }

  placed(): Promise<readonly { readonly id: string; readonly accountId: string }[]> {
    return Promise.resolve(
      this.#database.prepare("SELECT id, account_id AS accountId FROM orders ORDER BY place").all() as { id: string; accountId: string }[],
    );
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}
