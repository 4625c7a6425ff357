/** What the runs of a process have told of what they call: it outlives its workers, as where a worker is stopped and another is started. */
import type { BreakerPolicy } from "./breakerPolicy.ts";
import { Evidence } from "./evidence.ts";
import { LearnedRate } from "./learnedRate.ts";

export interface Experienced {
  readonly evidence: Evidence;
  readonly learned: LearnedRate;
}

export class Experience {
  readonly #byName: Map<string, Experienced> = new Map();
  #teller: string | undefined;

  /** As whom a process tells what it has learned, however many workers it has had: it counts once. */
  tellerOr(process: string): string {
    this.#teller ??= process;
    return this.#teller;
  }

  of(policy: BreakerPolicy): Experienced {
    const known = this.#byName.get(policy.name);
    if (known !== undefined) return known;
    const made = { evidence: new Evidence(policy), learned: new LearnedRate() };
    this.#byName.set(policy.name, made);
    return made;
  }
}
