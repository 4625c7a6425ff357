/** The shop's own table, in the database that holds errand's too. The shop and its workers each hold one handle. */
import type { Transaction } from "../../src/index.ts";
import { OrdersOnPostgres } from "./ordersOnPostgres.ts";
import { OrdersOnSqlite } from "./ordersOnSqlite.ts";
import type { Order } from "./order.ts";

export interface Orders {
  /** Stores the order and what `also` stores, in one transaction. */
  place(order: Order, also?: (tx: Transaction) => unknown): Promise<void>;
  get(id: string): Promise<Order>;
  receiptSentAt(id: string): Promise<number | null>;
  markReceiptSent(id: string): Promise<void>;
  /** Every order, in the order in which they were placed. */
  placed(): Promise<readonly { readonly id: string; readonly accountId: string }[]>;
  close(): Promise<void>;
}

/** Of a worker a job's outcome is written right after what its run wrote, and its commit syncs both. */
export type Role = "shop" | "worker";

export function openOrders(database: string, role: Role): Orders {
  return database.startsWith("postgres") ? new OrdersOnPostgres(database) : new OrdersOnSqlite(database, role);
}

let opened: Orders | undefined;
/** This process's handle, opened when it is first needed. */
export function ofThisProcess(): Orders {
  return (opened ??= openOrders(process.env["SHOP_DATABASE"] ?? "shop.db", process.env["SHOP_ROLE"] === "worker" ? "worker" : "shop"));
}
