/** What counts as a wrong charge, in one table. A charge is judged by what was true when the provider was asked for it. */
import type { Customer } from "./customers.ts";
import type { Truth } from "./history.ts";
import type { Capture } from "./ledger.ts";

export interface Wrong {
  readonly label: string;
  /** Of a customer's first charge. A charge counts for the first wrong that fits it. */
  readonly is: (charge: Capture, truth: Truth) => boolean;
}

export const wrongs = {
  closed: { label: "of an account that was closed", is: (_, { isClosed }) => isClosed },
  card: { label: "on a card that was removed", is: ({ card }, truth) => card !== truth.card },
  currency: { label: "in a currency that was given up", is: ({ currency }, truth) => currency !== truth.currency },
  amount: { label: "of another amount than was due", is: ({ amount }, { due }) => amount !== due },
} as const satisfies Readonly<Record<string, Wrong>>;

/** Wrongs that no single charge shows. */
export const wrongCounts = {
  twice: { label: "charged again for what was paid", of: (charges: readonly Capture[]): number => Math.max(0, charges.length - 1) },
  missed: {
    label: "not charged what was due",
    /** At the end: open, not declined, a card on file, something due; and not a single charge. */
    of: (charges: readonly Capture[], _: Customer, end: Truth, isDeclined: boolean): number =>
      charges.length === 0 && !isDeclined && !end.isClosed && end.card !== null && end.due > 0 ? 1 : 0,
  },
} as const;

export type WrongKind = keyof typeof wrongs | keyof typeof wrongCounts;
export const wrongLabels: Readonly<Record<WrongKind, string>> = Object.fromEntries(
  Object.entries({ ...wrongs, ...wrongCounts }).map(([kind, { label }]) => [kind, label]),
) as Record<WrongKind, string>;
