/** What customers and their accountants do while the month is closed. Each change and its record are one transaction. */
import type { Database, Statement } from "../stage/database.ts";
import type { Accounts } from "./accounts.ts";
import { now } from "./clock.ts";
import type { Currency } from "./currencies.ts";
import { due, type Invoices } from "./invoices.ts";

export type Change = { readonly customerId: string } & (
  | { readonly what: "credit applied"; /** Of what is due, in thousandths. */ readonly share: number }
  | { readonly what: "card removed" }
  | { readonly what: "account closed" }
  | { readonly what: "currency changed"; readonly currency: Currency }
);

/** not yet: there is no invoice to credit, or a payment of it is under way, and a customer is asked to try again in a moment. */
export type Changed = "done" | "not yet";

export class Changes {
  readonly #accounts: Accounts;
  readonly #invoices: Invoices;
  readonly #record: Statement;
  readonly #set: Readonly<Record<"card" | "state" | "currency", Statement>>;

  constructor(database: Database, accounts: Accounts, invoices: Invoices) {
    this.#accounts = accounts;
    this.#invoices = invoices;
    this.#record = database.prepare("INSERT INTO changes (at, customer_id, what, amount, currency) VALUES (?, ?, ?, ?, ?)");
    this.#set = {
      card: database.prepare("UPDATE customers SET card = ? WHERE id = ?"),
      state: database.prepare("UPDATE customers SET state = ? WHERE id = ?"),
      currency: database.prepare("UPDATE customers SET currency = ? WHERE id = ?"),
    };
  }

  /** Within a transaction. */
  make(change: Change, month: string): Changed {
    const invoice = this.#invoices.latest(change.customerId, month);
    if (invoice?.state === "charging") return "not yet";
    switch (change.what) {
      case "credit applied":
        return this.#credit(change.customerId, change.share, month);
      case "card removed":
        return this.#change(change, "card", null);
      case "account closed":
        if (invoice?.state === "open") this.#invoices.setState(invoice.id, "void");
        return this.#change(change, "state", "closed");
      case "currency changed":
        return this.#change(change, "currency", change.currency);
    }
  }

  /** On what is still to be paid; what was paid already is left as it is, and the credit stays for the next month. */
  #credit(customerId: string, share: number, month: string): Changed {
    const invoice = this.#invoices.latest(customerId, month);
    if (invoice === undefined) return "not yet";
    const amount = Math.round((due(invoice) * share) / 1_000);
    if (invoice.state === "open") this.#invoices.credit(invoice.id, amount);
    this.#record.run(now(), customerId, "credit applied", amount, this.#accounts.get(customerId).currency);
    return "done";
  }

  #change({ customerId, what }: Change, column: "card" | "state" | "currency", value: string | null): Changed {
    this.#set[column].run(value, customerId);
    this.#record.run(now(), customerId, what, null, column === "currency" ? value : null);
    return "done";
  }
}
