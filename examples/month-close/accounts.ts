/** Customers, as the app knows them now. */
import type { Database, Statement } from "../stage/database.ts";
import type { Currency } from "./currencies.ts";
import type { Customer } from "./customers.ts";
import { schema } from "./schema.ts";

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly locale: string;
  readonly zone: string;
  readonly currency: Currency;
  readonly plan: number;
  readonly card: string | null;
  readonly state: "open" | "held" | "closed";
}

export class Accounts {
  readonly #get: Statement;
  readonly #ids: Statement;
  readonly #hold: Statement;

  constructor(database: Database) {
    this.#get = database.prepare("SELECT * FROM customers WHERE id = ?");
    this.#ids = database.prepare("SELECT id FROM customers WHERE state <> 'closed' ORDER BY id");
    this.#hold = database.prepare("UPDATE customers SET state = 'held' WHERE id = ? AND state = 'open'");
  }

  get(id: string): Account {
    const row = this.#get.get(id) as Account | undefined;
    if (row === undefined) throw new Error(`there is no customer ${id}`);
    return row;
  }

  /** All that are not closed. */
  ids(): readonly string[] {
    return (this.#ids.all() as { readonly id: string }[]).map(({ id }) => id);
  }

  /** Their service stops until they pay. */
  hold(id: string): void {
    this.#hold.run(id);
  }
}

/** A database with these customers and what they used, and no month closed yet. */
export function foundBooks(database: Database, customers: readonly Customer[]): void {
  database.exec(schema);
  const insertCustomer = database.prepare("INSERT INTO customers (id, name, locale, zone, currency, plan, card) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const insertUsage = database.prepare("INSERT INTO usage (customer_id, at, calls) VALUES (?, ?, ?)");
  const insertAll = database.transaction(() => {
    for (const { id, name, locale, zone, currency, plan, card, usage } of customers) {
      insertCustomer.run(id, name, locale, zone, currency, plan, card);
      for (const { at, calls } of usage) insertUsage.run(id, at, calls);
    }
  });
  insertAll.immediate();
}
