/** What a customer is asked to pay for: the plan, and the calls they made in the month. */
import type { Database, Statement } from "../stage/database.ts";
import type { Account } from "./accounts.ts";
import { currencies, type Currency } from "./currencies.ts";
import { perThousand } from "./money.ts";
import { monthAfter, startOfMonth } from "./zones.ts";

export class Items {
  readonly #calls: Statement;
  readonly #write: Statement;
  readonly #sums: Statement;

  constructor(database: Database) {
    this.#calls = database.prepare("SELECT sum(calls) AS calls FROM usage WHERE customer_id = ? AND at >= ? AND at < ?");
    this.#write = database.prepare("INSERT OR REPLACE INTO items (customer_id, month, label, currency, amount) VALUES (?, ?, ?, ?, ?)");
    this.#sums = database.prepare("SELECT currency, sum(amount) AS amount FROM items WHERE customer_id = ? AND month = ? GROUP BY currency");
  }

  /** The month is the customer's: from midnight to midnight by their own clock. Again: the same items. */
  generate({ id, zone, currency, plan }: Account, month: string): void {
    const { plans, perThousandCalls } = currencies[currency];
    const { calls } = this.#calls.get(id, startOfMonth(month, zone), startOfMonth(monthAfter(month), zone)) as { readonly calls: number | null };
    this.#write.run(id, month, "plan", currency, plans[plan] ?? 0);
    this.#write.run(id, month, "usage", currency, perThousand(calls ?? 0, perThousandCalls));
  }

  /** What the items come to, where all are in this currency; undefined where there are none. */
  total(customerId: string, month: string, currency: Currency): number | undefined {
    const sums = this.#sums.all(customerId, month) as { readonly currency: Currency; readonly amount: number }[];
    return sums.length === 1 && sums[0]?.currency === currency ? sums[0].amount : undefined;
  }
}
