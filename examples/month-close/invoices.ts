/** Invoices: one open at a time for a customer's month. A new revision takes the place of one in a currency that was given up. */
import type { Database, Statement } from "../stage/database.ts";
import type { Account } from "./accounts.ts";
import { now } from "./clock.ts";
import type { Currency } from "./currencies.ts";
import type { Items } from "./items.ts";

export interface Invoice {
  readonly id: string;
  readonly customerId: string;
  readonly month: string;
  readonly revision: number;
  readonly currency: Currency;
  readonly total: number;
  readonly credited: number;
  readonly state: "open" | "charging" | "paid" | "declined" | "void";
  readonly version: number;
  readonly asOf: number;
}

const columns = "id, customer_id AS customerId, month, revision, currency, total, credited, state, version, as_of AS asOf";

export class Invoices {
  readonly #items: Items;
  readonly #get: Statement;
  readonly #latest: Statement;
  readonly #insert: Statement;
  readonly #setState: Statement;
  readonly #credit: Statement;

  constructor(database: Database, items: Items) {
    this.#items = items;
    this.#get = database.prepare(`SELECT ${columns} FROM invoices WHERE id = ?`);
    this.#latest = database.prepare(`SELECT ${columns} FROM invoices WHERE customer_id = ? AND month = ? ORDER BY revision DESC LIMIT 1`);
    this.#insert = database.prepare("INSERT INTO invoices (id, customer_id, month, revision, currency, total, as_of) VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#setState = database.prepare("UPDATE invoices SET state = ? WHERE id = ?");
    this.#credit = database.prepare("UPDATE invoices SET credited = credited + ?, version = version + 1 WHERE id = ?");
  }

  get(id: string): Invoice {
    const row = this.#get.get(id) as Invoice | undefined;
    if (row === undefined) throw new Error(`there is no invoice ${id}`);
    return row;
  }

  latest(customerId: string, month: string): Invoice | undefined {
    return this.#latest.get(customerId, month) as Invoice | undefined;
  }

  /** The invoice in the customer's present currency: the one there is, or a new one. Within a transaction. */
  issue(account: Account, month: string): Invoice {
    const before = this.latest(account.id, month);
    if (before !== undefined && (before.currency === account.currency || before.state !== "open")) return before;
    if (before !== undefined) this.setState(before.id, "void");
    const revision = (before?.revision ?? 0) + 1;
    const id = `${account.id}/${month}/${revision}`;
    this.#insert.run(id, account.id, month, revision, account.currency, this.#totalOf(account, month), now());
    return this.get(id);
  }

  setState(id: string, state: Invoice["state"]): void {
    this.#setState.run(state, id);
  }

  credit(id: string, amount: number): void {
    this.#credit.run(amount, id);
  }

  /** The items may have been made before the customer changed to another currency. */
  #totalOf(account: Account, month: string): number {
    const total = this.#items.total(account.id, month, account.currency);
    if (total !== undefined) return total;
    this.#items.generate(account, month);
    return this.#items.total(account.id, month, account.currency) ?? 0;
  }
}

export function due({ total, credited }: Invoice): number {
  return Math.max(0, total - credited);
}
