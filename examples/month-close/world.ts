/** The world goes on while the month is closed: customers and accountants change things, at the same points of both runs. */
import { setTimeout as pause } from "node:timers/promises";
import { drawn } from "../stage/seeded.ts";
import type { Books } from "./books.ts";
import type { Change } from "./changes.ts";
import { month } from "./clock.ts";
import type { Currency } from "./currencies.ts";
import type { Customer } from "./customers.ts";

/** Of all customers, in thousandths: each changes one thing at most. */
const shares = { credit: 30, card: 15, account: 15, currency: 10 } as const;
/** Changes come until so much of the month is charged. */
const untilShare = 0.9;
const lookAgainMs = 15;

export interface Planned {
  readonly change: Change;
  /** It happens once so many customers were charged. */
  readonly once: number;
}

/** Who changes what, and when: by chance, and alike for both runs. */
export function planOf(customers: readonly Customer[], seed: string): readonly Planned[] {
  const planned = customers.flatMap(({ id, currency }) => {
    const change = changeOf(id, currency, drawn(seed, id, "change") * 1_000, drawn(seed, id, "how much"));
    return change === undefined ? [] : [{ change, once: Math.floor(drawn(seed, id, "when") * untilShare * customers.length) }];
  });
  return planned.toSorted((a, b) => a.once - b.once);
}

function changeOf(customerId: string, currency: Currency, what: number, how: number): Change | undefined {
  const { credit, card, account } = shares;
  if (what < credit) return { customerId, what: "credit applied", share: how < 0.2 ? 1_000 : Math.round(how * 600) };
  if (what < credit + card) return { customerId, what: "card removed" };
  if (what < credit + card + account) return { customerId, what: "account closed" };
  if (what < credit + card + account + shares.currency) return { customerId, what: "currency changed", currency: currency === "EUR" ? "USD" : "EUR" };
  return undefined;
}

export class World {
  readonly #books: Books;
  readonly #charged: () => number;
  #left: readonly Planned[];
  #isOver = false;
  #turning: Promise<void> | undefined;

  /** `charged` answers how many customers were charged so far. */
  constructor(books: Books, plan: readonly Planned[], charged: () => number) {
    this.#books = books;
    this.#left = plan;
    this.#charged = charged;
  }

  get left(): number {
    return this.#left.length;
  }

  turn(): void {
    this.#turning = this.#turn();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#turning;
  }

  async #turn(): Promise<void> {
    for (; !this.#isOver && this.#left.length > 0; await pause(lookAgainMs)) {
      const due = this.#left.filter(({ once }) => once <= this.#charged());
      const changed = await Promise.all(due.map(({ change }) => this.#books.write(() => this.#books.changes.make(change, month))));
      const done = new Set(due.filter((_, at) => changed[at] === "done"));
      this.#left = this.#left.filter((planned) => !done.has(planned));
    }
  }
}
