/** Outcomes on their way to the store: kept until it has answered for each. */
import { claimMax } from "../defaults.ts";
import type { Outcome, Settled } from "../engine.ts";
import type { Ms } from "../runtime.ts";
import { draftOf } from "./outcome.ts";
import type { Draft, Run } from "./run.ts";
import { subject } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";

export type SettlingParts = Pick<WorkerParts, "runtime" | "log" | "meter" | "told">;

export class Settling {
  readonly #parts: SettlingParts;
  #waiting: Outcome[] = [];
  /** Runs whose follow-up work the store may refuse. */
  readonly #following: Map<Outcome, Run> = new Map();
  /** Of runs whose completion is in a transaction of the app: written only where that did not commit. */
  readonly #committed: Map<Outcome, Run> = new Map();
  /** Outcomes that a failed call may have written already. */
  readonly #doubtful: Set<Outcome> = new Set();

  readonly #heard: (run: Run, answer: Settled["is"]) => void;

  /** `heard`: what the store made of an outcome that it might have refused, or that a transaction of the app had written. */
  constructor(parts: SettlingParts, heard: (run: Run, answer: Settled["is"]) => void) {
    this.#parts = parts;
    this.#heard = heard;
  }

  /** Bounded by the jobs in flight. */
  get waiting(): number {
    return this.#waiting.length;
  }

  add(run: Run, draft: Draft, ranMs: Ms): void {
    const outcome = run.outcome(draft, ranMs);
    if (outcome.follow !== undefined) this.#following.set(outcome, run);
    if (run.isCommitted) this.#committed.set(outcome, run);
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
    this.#parts.meter.rewritten += outcomes.length;
    if (!isDefinite) for (const outcome of outcomes) this.#doubtful.add(outcome);
  }

  /** What has no answer is written again. */
  answered(outcomes: readonly Outcome[], answers: readonly Settled[]): void {
    const missing = outcomes.filter((_, index) => answers[index] === undefined);
    if (missing.length > 0) {
      this.putBack(missing, false);
      outcomes = outcomes.filter((_, index) => answers[index] !== undefined);
      answers = answers.filter((answer) => answer !== undefined);
    }
    this.#parts.told?.(answers);
    for (let index = 0; index < outcomes.length; index++) {
      const outcome = outcomes[index];
      const answer = answers[index];
      if (outcome === undefined || answer === undefined) continue;
      const open = this.#following.get(outcome) ?? this.#committed.get(outcome);
      this.#parts.meter.answers[answer.is]++;
      if (open !== undefined) this.#told(open, outcome, answer.is);
      const committed = this.#committed.get(outcome);
      if (committed !== undefined) this.#judgeCommit(committed, outcome, answer);
      else if (answer.is !== "settled") this.#unusual(outcome, answer);
    }
    for (const outcome of this.#following.size + this.#doubtful.size + this.#committed.size > 0 ? outcomes : []) {
      this.#committed.delete(outcome);
      this.#following.delete(outcome);
      this.#doubtful.delete(outcome);
    }
  }

  #told(run: Run, outcome: Outcome, answer: Settled["is"]): void {
    this.#parts.meter.answered(run, outcome, answer, this.#doubtful.has(outcome));
    this.#heard(run, answer);
  }

  /** Lost is as it should be: the job was completed by the app's commit. */
  #judgeCommit(run: Run, outcome: Outcome, answer: Settled): void {
    const { log } = this.#parts;
    if (answer.is === "lease-lost" && outcome.error !== undefined && outcome.error.code !== "commit-missing")
      log.warn({ ...subject(run), reason: outcome.error.message }, "the run failed after its job.commit; the commit stands, so the job is completed");
    else if (answer.is === "lease-lost") log.debug(subject(run), "finishing");
    else if (answer.is !== "settled") this.#unusual(outcome, answer);
    else if (outcome.is !== "released")
      log.warn(
        { ...subject(run), reason: outcome.error?.message ?? outcome.reason },
        `the transaction given to job.commit did not commit, so the job is ${outcome.is === "retry" ? "tried again" : answer.state}`,
      );
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
    const draft = draftOf(run, error, this.#parts);
    this.#parts.meter.ends(run, draft);
    this.#waiting.push(run.outcome(draft, outcome.ranMs));
  }
}
