/** One invariant: what must hold of every run, and how often it was looked at. */
import type { Causes } from "./causes.ts";
import type { Ledger } from "./ledger.ts";

export interface Evidence {
  readonly ledger: Ledger;
  readonly causes: Causes;
}

export interface Invariant {
  readonly id: string;
  /** A claim. */
  readonly name: string;
  readonly check: (evidence: Evidence, found: Found) => void;
}

const examplesMost = 20;

export class Found {
  checked = 0;
  broken = 0;
  readonly examples: string[] = [];

  /** `example`: what is wrong, where it does not hold. */
  look(holds: boolean, example: () => string): void {
    this.checked++;
    if (holds) return;
    this.broken++;
    if (this.examples.length < examplesMost) this.examples.push(example());
  }
}
