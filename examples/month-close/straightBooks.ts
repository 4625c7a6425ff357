/** What only the straight-through close asks of the app's database. */
import type { Database } from "../stage/database.ts";
import type { Currency } from "./currencies.ts";
import type { Payment } from "./payments.ts";

/** An invoice to collect, with all that collecting it needs: read once, for all of them. */
export interface Owed {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly card: string;
}

export interface StraightBooks {
  owed(): readonly Owed[];
  record(invoiceId: string, paid: Pick<Payment, "amount" | "currency" | "card">, as: "captured" | "declined"): void;
  holdDeclined(): void;
}

export function straightBooks(database: Database, month: string): StraightBooks {
  const owed = database.prepare(`
    SELECT i.id AS invoiceId, c.id AS customerId, i.total - i.credited AS amount, i.currency, c.card
    FROM invoices i JOIN customers c ON c.id = i.customer_id
    WHERE i.month = ? AND i.state = 'open' AND i.total > i.credited AND c.state = 'open' AND c.card IS NOT NULL
    ORDER BY c.id`);
  const insert = database.prepare("INSERT INTO payments (key, invoice_id, amount, currency, card, state) VALUES (?, ?, ?, ?, ?, ?)");
  const setState = database.prepare("UPDATE invoices SET state = ? WHERE id = ?");
  const hold = database.prepare(`
    UPDATE customers SET state = 'held'
    WHERE state = 'open' AND id IN (SELECT customer_id FROM invoices WHERE month = ? AND state = 'declined')`);
  return {
    owed: () => owed.all(month) as Owed[],
    record: (invoiceId, { amount, currency, card }, as) => {
      insert.run(invoiceId, invoiceId, amount, currency, card, as);
      setState.run(as === "captured" ? "paid" : "declined", invoiceId);
    },
    holdDeclined: () => void hold.run(month),
  };
}
