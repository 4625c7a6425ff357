/** The shop's own table. The shop and its workers each hold one handle. */
import { onceFree, openDatabase, type Database, type Statement } from "../stage/database.ts";
import type { Order } from "./order.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS orders (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL,
    content TEXT NOT NULL,
    receipt_sent_at INTEGER
  )`;

export class Orders {
  readonly database: Database;
  readonly #insert: Statement;
  readonly #get: Statement;
  readonly #sentAt: Statement;
  readonly #markSent: Statement;

  constructor(file: string) {
    this.database = openDatabase(file);
    this.database.exec(schema);
    this.database.pragma("busy_timeout = 5"); // from here on, writes wait by onceFree
    this.#insert = this.database.prepare("INSERT INTO orders (id, account_id, content) VALUES (?, ?, ?)");
    this.#get = this.database.prepare("SELECT content FROM orders WHERE id = ?");
    this.#sentAt = this.database.prepare("SELECT receipt_sent_at AS at FROM orders WHERE id = ?");
    this.#markSent = this.database.prepare("UPDATE orders SET receipt_sent_at = ? WHERE id = ? AND receipt_sent_at IS NULL");
  }

  insert(order: Order): void {
    this.#insert.run(order.id, order.accountId, JSON.stringify(order));
  }

  get(id: string): Order {
    const row = this.#get.get(id) as { readonly content: string } | undefined;
    if (row === undefined) throw new Error(`there is no order ${id}`);
    return JSON.parse(row.content) as Order;
  }

  receiptSentAt(id: string): number | null {
    return (this.#sentAt.get(id) as { readonly at: number | null } | undefined)?.at ?? null;
  }

  markReceiptSent(id: string): Promise<void> {
    return onceFree(() => void this.#markSent.run(Date.now(), id));
  }

  /** Every order, in the order in which they were placed. */
  placed(): readonly { readonly id: string; readonly accountId: string }[] {
    return this.database.prepare("SELECT id, account_id AS accountId FROM orders ORDER BY place").all() as { id: string; accountId: string }[];
  }

  close(): void {
    this.database.close();
  }
}

let opened: Orders | undefined;
/** This process's handle, opened when it is first needed. */
export const orders: Pick<Orders, "get" | "receiptSentAt" | "markReceiptSent"> = {
  get: (id) => ofThisProcess().get(id),
  receiptSentAt: (id) => ofThisProcess().receiptSentAt(id),
  markReceiptSent: (id) => ofThisProcess().markReceiptSent(id),
};
export function ofThisProcess(): Orders {
  return (opened ??= new Orders(process.env["SHOP_DATABASE"] ?? "shop.db"));
}
