/** What was sent to the payment provider, and what became of it. */
import type { Database, Statement } from "../stage/database.ts";
import type { Account } from "./accounts.ts";
import type { Currency } from "./currencies.ts";
import { due, type Invoice, type Invoices } from "./invoices.ts";

export interface Payment {
  readonly key: string;
  readonly invoiceId: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly card: string;
  readonly state: "sent" | "captured" | "declined";
}

const columns = "key, invoice_id AS invoiceId, amount, currency, card, state";

export class Payments {
  readonly #invoices: Invoices;
  readonly #of: Statement;
  readonly #insert: Statement;
  readonly #end: Statement;
  readonly #remove: Statement;

  constructor(database: Database, invoices: Invoices) {
    this.#invoices = invoices;
    this.#of = database.prepare(`SELECT ${columns} FROM payments WHERE invoice_id = ?`);
    this.#insert = database.prepare("INSERT INTO payments (key, invoice_id, amount, currency, card, state) VALUES (?, ?, ?, ?, ?, 'sent')");
    this.#end = database.prepare("UPDATE payments SET state = ? WHERE key = ?");
    this.#remove = database.prepare("DELETE FROM payments WHERE key = ?");
  }

  of(invoiceId: string): Payment | undefined {
    return this.#of.get(invoiceId) as Payment | undefined;
  }

  /**
   * Decides what will be charged, by what is true now; from here until the payment has ended, nothing that it rests on can change.
   * Within a transaction. Of a payment that was decided before, and may have been sent: that one.
   */
  decide(invoice: Invoice, account: Account): Payment | undefined {
    const decided = this.of(invoice.id);
    if (decided !== undefined) return decided;
    const amount = due(invoice);
    if (invoice.state !== "open" || account.state === "closed" || account.card === null || account.currency !== invoice.currency || amount === 0)
      return undefined;
    this.#insert.run(`${invoice.id}/${invoice.version}`, invoice.id, amount, invoice.currency, account.card);
    this.#invoices.setState(invoice.id, "charging");
    return this.of(invoice.id);
  }

  /** Within a transaction. */
  end({ key, invoiceId }: Payment, as: "captured" | "declined"): void {
    this.#end.run(as, key);
    this.#invoices.setState(invoiceId, as === "captured" ? "paid" : "declined");
  }

  /** The provider has not charged it, and will not: what it rested on may change again. Within a transaction. */
  withdraw({ key, invoiceId }: Payment): void {
    this.#remove.run(key);
    this.#invoices.setState(invoiceId, "open");
  }
}
