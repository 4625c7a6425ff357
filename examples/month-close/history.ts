/** What was true of a customer at any instant of the run, told from the roster and the record of changes alone. For the audit. */
import type { Currency } from "./currencies.ts";
import type { Customer } from "./customers.ts";
import { dueOf } from "./owed.ts";

export interface ChangeRow {
  readonly place: number;
  readonly at: number;
  readonly customerId: string;
  readonly what: "credit applied" | "card removed" | "account closed" | "currency changed";
  readonly amount: number | null;
  readonly currency: Currency | null;
}

export interface Truth {
  readonly isClosed: boolean;
  readonly card: string | null;
  readonly currency: Currency;
  /** For the month, less credits. */
  readonly due: number;
  /** The last change before that instant. */
  readonly last: ChangeRow | undefined;
}

export class History {
  readonly #changes: ReadonlyMap<string, readonly ChangeRow[]>;
  readonly #month: string;

  constructor(changes: readonly ChangeRow[], month: string) {
    this.#changes = Map.groupBy(changes, ({ customerId }) => customerId);
    this.#month = month;
  }

  /** Without an instant: at the end. */
  of(customer: Customer, at: number = Infinity): Truth {
    const before = (this.#changes.get(customer.id) ?? []).filter((change) => change.at <= at);
    const currency = before.findLast((change) => change.currency !== null && change.what === "currency changed")?.currency ?? customer.currency;
    const credited = before.reduce((sum, { what, amount }) => sum + (what === "credit applied" ? (amount ?? 0) : 0), 0);
    return {
      isClosed: before.some(({ what }) => what === "account closed"),
      card: before.some(({ what }) => what === "card removed") ? null : customer.card,
      currency,
      due: Math.max(0, dueOf(customer, currency, this.#month) - credited),
      last: before.at(-1),
    };
  }
}
