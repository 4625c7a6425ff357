/** Who was mailed about which month. */
import type { Database, Statement } from "../stage/database.ts";

export class Mails {
  readonly #mark: Statement;
  readonly #open: Statement;

  constructor(database: Database) {
    this.#mark = database.prepare("INSERT INTO mails (customer_id, month) VALUES (?, ?)");
    this.#open = database.prepare("SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM mails WHERE month = ?) ORDER BY id");
  }

  mark(customerId: string, month: string): void {
    this.#mark.run(customerId, month);
  }

  /** Customers who were not mailed yet. */
  open(month: string): readonly string[] {
    return (this.#open.all(month) as { readonly id: string }[]).map(({ id }) => id);
  }
}
