/**
 * Writes outcomes that no claim takes along: checkpoints, and endings of jobs that were tried at once. All of one turn of the event loop share a commit;
 * what the store does not take now it is offered again, until it has answered or nobody wants it any more.
 */
import { at } from "./at.ts";
import { claimMax } from "./defaults.ts";
import type { Engine, Outcome, Settled } from "./engine.ts";
import type { Runtime } from "./runtime.ts";
import { reconnectDelayMs } from "./worker/backoff.ts";
import { isDefinite } from "./worker/contact.ts";

/** `isInDoubt`: an earlier try, whose answer was lost, may have written it already. */
export type Answer = Settled & { readonly isInDoubt: boolean };

interface Waiting {
  readonly outcome: Outcome;
  readonly isWanted: () => boolean;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  isInDoubt: boolean;
}

export class Settler {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  #waiting: Waiting[] = [];
  #isFlushing = false;
  #failures = 0;

  constructor(engine: Engine, runtime: Runtime) {
    this.#engine = engine;
    this.#runtime = runtime;
  }

  /** Rejects with the store's error once `isWanted` says no. */
  settle(outcome: Outcome, isWanted: () => boolean = () => true): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outcome, isWanted, resolve, reject, isInDoubt: false });
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      this.#runtime.soon(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, claimMax);
      const isDone = await this.#write(some);
      if (!isDone && this.#waiting.length > 0) await this.#rest();
    }
    this.#isFlushing = false;
  }

  async #write(some: readonly Waiting[]): Promise<boolean> {
    try {
      const answers = await this.#engine.settle(
        some.map(({ outcome }) => outcome),
        at(this.#runtime),
      );
      this.#failures = 0;
      for (const [index, waiting] of some.entries()) {
        const answer = answers[index];
        if (answer !== undefined) waiting.resolve({ ...answer, isInDoubt: waiting.isInDoubt });
      }
      return true;
    } catch (error) {
      this.#keep(some, error);
      return false;
    }
  }

  #keep(some: readonly Waiting[], error: unknown): void {
    this.#failures++;
    const kept = some.filter(({ isWanted }) => isWanted());
    for (const waiting of kept) waiting.isInDoubt ||= !isDefinite(error);
    for (const waiting of some) if (!kept.includes(waiting)) waiting.reject(error);
    this.#waiting = [...kept, ...this.#waiting];
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => this.#runtime.after(reconnectDelayMs(this.#failures, this.#runtime.random()), resolve));
  }
}
