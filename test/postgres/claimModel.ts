/** What jobs, claims and the app's transactions should say to each other: as simple as it can be told. One job after the other, no rows, no locks. */
import type { Outcome } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";

export interface ModelJob {
  state: JobState;
  claim: string;
  process: string;
  isCancelling: boolean;
  /** The open transaction that settles or saves it. */
  holder: string | undefined;
  /** Settled there; or by one that has committed, and is not taken in. */
  isSettled: boolean;
  after: string | undefined;
}

/** As the store's inbox has it: in the order of handing in, `by` a transaction that is open. */
interface Left {
  readonly kind: "outcome" | "late" | "cancel";
  readonly id: string;
  readonly outcome?: Outcome;
  by: string | undefined;
}

const ended: readonly JobState[] = ["completed", "skipped", "cancelled", "dead"];

export class ClaimModel {
  readonly jobs: Map<string, ModelJob> = new Map();
  readonly #lost = new Set<string>();
  #left: Left[] = [];

  enqueue(id: string, after?: string): void {
    const before = after === undefined ? undefined : this.jobs.get(after);
    const state = before !== undefined && !ended.includes(before.state) ? "blocked" : "ready";
    this.jobs.set(id, { state, claim: "", process: "", isCancelling: false, holder: undefined, isSettled: false, after });
  }

  idsOf(state: JobState): string[] {
    return [...this.jobs].filter(([, job]) => job.state === state).map(([id]) => id);
  }

  claim(ids: readonly string[], claim: string, process: string): void {
    for (const id of ids) Object.assign(this.#job(id), { state: "running", claim, process });
  }

  /** Answers what the caller is told: by the store, where `by` is absent, else within that transaction. "waits" for another. */
  settle(outcome: Outcome, by?: string): "settled" | "cancelled" | "lease-lost" | "waits" {
    const job = this.jobs.get(outcome.id);
    if (job === undefined || !runsUnder(job, outcome)) return "lease-lost";
    if (by === undefined) {
      if (job.holder !== undefined) {
        this.#left.push({ kind: "late", id: outcome.id, outcome, by: undefined });
        return "settled";
      }
      return this.#apply(outcome);
    }
    if (job.holder !== undefined && job.holder !== by) return "waits";
    if (job.isSettled) return "lease-lost";
    job.holder = by;
    job.isSettled = outcome.is !== "saved";
    this.#left.push({ kind: "outcome", id: outcome.id, outcome, by });
    return job.isCancelling && outcome.is !== "saved" ? "cancelled" : "settled";
  }

  cancel(id: string): "cancelled" | "cancelling" | "ended" {
    const job = this.#job(id);
    if (ended.includes(job.state)) return "ended";
    if (job.state === "running") {
      if (job.holder === undefined) job.isCancelling = true;
      else this.#left.push({ kind: "cancel", id, by: undefined });
      return "cancelling";
    }
    this.#end(id, "cancelled");
    return "cancelled";
  }

  commit(by: string): void {
    this.#leave(by, false);
    for (const left of this.#left) if (left.by === by) left.by = undefined;
  }

  rollBack(by: string): void {
    this.#leave(by, true);
    this.#left = this.#left.filter((left) => left.by !== by);
  }

  lose(process: string): void {
    this.#lost.add(process);
  }

  /** What any verb does first. */
  takeIn(): void {
    const all = this.#left;
    this.#left = [];
    const kept = all.filter((left) => !this.#isTakenIn(left));
    this.#left = [...kept, ...this.#left];
  }

  /** Of processes that are gone. */
  takeBack(): void {
    for (const [id, job] of this.jobs) {
      if (job.state !== "running" || !this.#lost.has(job.process) || job.holder !== undefined || job.isSettled) continue;
      if (job.isCancelling) this.#end(id, "cancelled");
      else this.#wait(job);
    }
  }

  #isTakenIn({ kind, id, outcome, by }: Left): boolean {
    const job = this.#job(id);
    if (by !== undefined) return false;
    if (kind === "cancel") {
      if (job.state === "running" && (job.holder !== undefined || job.isSettled)) return false;
      this.cancel(id);
    } else if (kind === "late") {
      if (outcome === undefined || !runsUnder(job, outcome) || (job.isSettled && job.holder === undefined)) return true;
      if (job.holder !== undefined) return false;
      this.#apply(outcome);
    } else if (outcome !== undefined && runsUnder(job, outcome)) {
      this.#apply(outcome);
    }
    return true;
  }

  #apply({ id, is, follow = [] }: Outcome): "settled" | "cancelled" {
    const job = this.#job(id);
    if (is === "saved") return "settled";
    if (job.isCancelling) {
      this.#end(id, "cancelled");
      return "cancelled";
    }
    if (is === "completed" || is === "dead") this.#end(id, is);
    else this.#wait(job);
    for (const work of follow) if (work.kind === "job") this.enqueue(work.id);
    return "settled";
  }

  #wait(job: ModelJob): void {
    Object.assign(job, { state: "ready", claim: "", process: "", isCancelling: false, isSettled: false });
  }

  #end(id: string, state: JobState): void {
    const job = this.#job(id);
    this.#wait(job);
    job.state = state;
    for (const other of this.jobs.values()) if (other.after === id && other.state === "blocked") other.state = "ready";
  }

  #leave(by: string, isUndone: boolean): void {
    for (const job of this.jobs.values()) {
      if (job.holder !== by) continue;
      job.holder = undefined;
      if (isUndone) job.isSettled = false;
    }
  }

  #job(id: string): ModelJob {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`the model has no job ${id}`);
    return job;
  }
}

function runsUnder(job: ModelJob, { claim }: Outcome): boolean {
  return job.state === "running" && job.claim === claim;
}
