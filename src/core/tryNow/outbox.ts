/** Outcomes of jobs that were tried at once: written by the rules of a worker's, all of one turn together, again until the store has answered. */
import { at } from "../at.ts";
import { claimMax } from "../defaults.ts";
import type { Outcome, Settled } from "../engine.ts";
import type { Ms, Timer } from "../runtime.ts";
import { reconnectDelayMs } from "../worker/backoff.ts";
import { isDefinite } from "../worker/contact.ts";
import type { Draft, Run } from "../worker/run.ts";
import type { WorkerParts } from "../worker/settings.ts";
import { Settling } from "../worker/settling.ts";

export interface Written {
  readonly outcome: Outcome;
  readonly answer: Settled;
  /** An earlier try, whose answer was lost, may have written it. */
  readonly isInDoubt: boolean;
}

export class Outbox {
  readonly #parts: Pick<WorkerParts, "engine" | "runtime" | "log" | "meter" | "told">;
  readonly #settling: Settling;
  /** By claim: each try has one of its own. */
  readonly #waiting: Map<string, (written: Written) => void> = new Map();
  readonly #doubtful: Set<string> = new Set();
  #isFlushing = false;
  #isClosed = false;
  #failures = 0;
  #rest: { readonly timer: Timer; readonly over: () => void } | undefined;

  constructor(parts: Pick<WorkerParts, "engine" | "runtime" | "log" | "meter" | "told">) {
    this.#parts = parts;
    this.#settling = new Settling(parts, () => undefined);
  }

  /** Resolves when the store has answered; never rejects. */
  write(run: Run, draft: Draft, ranMs: Ms): Promise<Written> {
    this.#settling.add(run, draft, ranMs);
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      this.#parts.runtime.soon(() => void this.#flush());
    }
    return new Promise((resolve) => this.#waiting.set(run.claim, resolve));
  }

  /** What is not written by now is not written: its job is taken back when the lease is over. */
  close(): void {
    this.#isClosed = true;
    this.#rest?.timer.cancel();
    this.#rest?.over();
  }

  async #flush(): Promise<void> {
    while (this.#settling.waiting > 0 && !this.#isClosed) {
      const outcomes = this.#settling.take();
      try {
        this.#answered(outcomes, await this.#parts.engine.settle(outcomes, at(this.#parts.runtime)));
      } catch (error) {
        this.#failed(outcomes, error);
        await this.#wait();
      }
    }
    this.#isFlushing = false;
  }

  #answered(outcomes: readonly Outcome[], answers: readonly Settled[]): void {
    this.#failures = 0;
    this.#settling.answered(outcomes, answers);
    for (const [index, outcome] of outcomes.entries()) {
      const answer = answers[index];
      // A refused one comes again, as a failure.
      if (answer === undefined || answer.is === "refused") continue;
      this.#waiting.get(outcome.claim)?.({ outcome, answer, isInDoubt: this.#doubtful.has(outcome.claim) });
      this.#waiting.delete(outcome.claim);
      this.#doubtful.delete(outcome.claim);
    }
  }

  #failed(outcomes: readonly Outcome[], error: unknown): void {
    this.#failures++;
    if (this.#failures === 1)
      this.#parts.log.error({ err: error, outcomes: outcomes.length }, "what became of jobs that were tried at once could not be written; it is tried again");
    if (!isDefinite(error)) for (const { claim } of outcomes.slice(0, claimMax)) this.#doubtful.add(claim);
    this.#settling.putBack(outcomes, isDefinite(error));
  }

  #wait(): Promise<void> {
    const { runtime } = this.#parts;
    return new Promise((over) => {
      this.#rest = { timer: runtime.after(reconnectDelayMs(this.#failures, runtime.random()), over), over };
    });
  }
}
