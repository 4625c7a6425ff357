/** What the provider did, in the order in which it did it: the truth that both runs are measured by. */
import type { Charge, Letter } from "./gateway.ts";

export interface Capture extends Charge {
  /** When it was asked for, which is when it was charged. In ms since 1970. */
  readonly at: number;
}

export interface ProvidersRecord {
  readonly captures: readonly Capture[];
  /** Customers whose bank said no. */
  readonly declined: readonly string[];
  readonly letters: readonly Letter[];
  /** Calls that repeated a key: nothing was charged by them. */
  readonly repeated: number;
}

export interface Count {
  /** Customers whose charge was captured or declined. */
  readonly charged: number;
  readonly mailed: number;
  /** Charges being carried out, for each process that asked. */
  readonly underWay: Readonly<Record<string, number>>;
}

type Outcome = "captured" | "declined";

export class Ledger {
  readonly #captures: Capture[] = [];
  readonly #declined: Set<string> = new Set();
  readonly #letters: Letter[] = [];
  readonly #outcomes: Map<string, Outcome> = new Map();
  readonly #mailKeys: Set<string> = new Set();
  readonly #calls: Map<string, number> = new Map();
  readonly #charged: Set<string> = new Set();
  readonly #underWay: Record<string, number> = {};
  #repeated = 0;

  /** Counts a call; answers the how manyth it is. */
  called(of: string): number {
    const calls = (this.#calls.get(of) ?? 0) + 1;
    this.#calls.set(of, calls);
    return calls;
  }

  /** The same key again has the outcome it had, and charges nothing. */
  charge(asked: Charge, { key, at, isDeclined }: { readonly key: string | undefined; readonly at: number; readonly isDeclined: boolean }): Outcome {
    const before = key === undefined ? undefined : this.#outcomes.get(key);
    if (before !== undefined) {
      this.#repeated += 1;
      return before;
    }
    const outcome: Outcome = isDeclined ? "declined" : "captured";
    if (key !== undefined) this.#outcomes.set(key, outcome);
    if (isDeclined) this.#declined.add(asked.customerId);
    else this.#captures.push({ ...asked, at });
    this.#charged.add(asked.customerId);
    return outcome;
  }

  mail(letter: Letter, key: string | undefined): void {
    if (key !== undefined && this.#mailKeys.has(key)) return;
    if (key !== undefined) this.#mailKeys.add(key);
    this.#letters.push(letter);
  }

  begin(caller: string): void {
    this.#underWay[caller] = (this.#underWay[caller] ?? 0) + 1;
  }

  end(caller: string): void {
    this.#underWay[caller] = (this.#underWay[caller] ?? 0) - 1;
  }

  count(): Count {
    return { charged: this.#charged.size, mailed: this.#letters.length, underWay: this.#underWay };
  }

  record(): ProvidersRecord {
    return { captures: this.#captures, declined: [...this.#declined], letters: this.#letters, repeated: this.#repeated };
  }
}
