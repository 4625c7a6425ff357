/** Outcomes on their way to the store: kept until it has answered for each. */
import { claimMax } from "../defaults.ts";
import type { Outcome, Settled } from "../engine.ts";
import type { Ms } from "../runtime.ts";
import { draftOf } from "./outcome.ts";
import type { Draft, Run } from "./run.ts";
import { subject } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";

export class Settling {
  readonly #parts: Pick<WorkerParts, "runtime" | "log">;
  #waiting: Outcome[] = [];
  /** Runs whose follow-up work the store may refuse. */
  readonly #following: Map<Outcome, Run> = new Map();
  /** Outcomes that a failed call may have written already. */
  readonly #doubtful: Set<Outcome> = new Set();

  constructor(parts: Pick<WorkerParts, "runtime" | "log">) {
    this.#parts = parts;
  }

  /** Bounded by the jobs in flight. */
  get waiting(): number {
    return this.#waiting.length;
  }

  add(run: Run, draft: Draft, ranMs: Ms): void {
    const outcome = run.outcome(draft, ranMs);
    if (outcome.follow !== undefined) this.#following.set(outcome, run);
    this.#waiting.push(outcome);
  }

  addBare(outcomes: readonly Outcome[]): void {
    this.#waiting.push(...outcomes);
    for (const outcome of outcomes) this.#doubtful.add(outcome);
  }

  /** What the next call writes; it comes back by {@link putBack} or is answered by {@link answered}. */
  take(): Outcome[] {
    const all = this.#waiting;
    this.#waiting = all.length > claimMax ? all.splice(claimMax) : [];
    return all;
  }

  putBack(outcomes: readonly Outcome[], isDefinite: boolean): void {
    this.#waiting = [...outcomes, ...this.#waiting];
    if (!isDefinite) for (const outcome of outcomes) this.#doubtful.add(outcome);
  }

  answered(outcomes: readonly Outcome[], answers: readonly Settled[]): void {
    for (let index = 0; index < outcomes.length; index++) {
      const outcome = outcomes[index];
      const answer = answers[index];
      if (outcome !== undefined && answer !== undefined && answer.is !== "settled") this.#unusual(outcome, answer);
    }
    for (const outcome of this.#following.size + this.#doubtful.size > 0 ? outcomes : []) {
      this.#following.delete(outcome);
      this.#doubtful.delete(outcome);
    }
  }

  #unusual(outcome: Outcome, answer: Settled): void {
    const { log } = this.#parts;
    if (answer.is === "refused") this.#refused(outcome, answer);
    else if (answer.is === "cancelled") log.debug({ job: outcome.id }, "cancelled: the job was cancelled while it ran");
    else if (this.#doubtful.has(outcome)) log.debug({ job: outcome.id }, `lease-lost: "${outcome.is}" was written before, or the job was taken over`);
    else log.warn({ job: outcome.id, outcome: outcome.is }, "lease-lost: the job was taken over or ended elsewhere, its outcome here does not count");
  }

  /** The follow-up work cannot be stored, so the run has failed: once more without it. */
  #refused(outcome: Outcome, { error }: Settled): void {
    const run = this.#following.get(outcome);
    if (run === undefined) return;
    this.#parts.log.warn({ ...subject(run), err: error }, "the work that the job handed over was refused, so the job has failed");
    this.#waiting.push(run.outcome(draftOf(run, error, this.#parts), outcome.ranMs));
  }
}
