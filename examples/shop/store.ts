/** Errand's store, as the shop and its workers open it. */
import { redis, sqlite, type Engine } from "./errand.ts";

/**
 * A URL is all that SQLite and PostgreSQL need, since the orders lie in the same database. Redis has no part in a transaction of theirs: there the fact goes into an
 * outbox, tables beside the orders, and is moved on after the commit.
 */
export function storeOf(url: string, database: string): string | Engine {
  return url.startsWith("redis") ? redis(url, { outbox: sqlite(database) }) : url;
}

export function storeOfThisProcess(): string | Engine {
  return storeOf(process.env["SHOP_STORE"] ?? "sqlite:shop.db", process.env["SHOP_DATABASE"] ?? "shop.db");
}
