/**
 * Jobs of one key that were claimed in a row: each starts here when the one before it has ended well, with nothing left that could undo that.
 * Where it did not, those behind it go back to the store, which keeps their order.
 */
import type { Settled } from "../engine.ts";
import type { Draft, Run } from "./run.ts";

export class Rows {
  /** Who waits behind whom. */
  readonly #next: Map<Run, Run> = new Map();

  /** How many wait behind another. */
  get size(): number {
    return this.#next.size;
  }

  *all(): Iterable<Run> {
    yield* this.#next.values();
  }

  /** Of the jobs of one claim, in the order in which they were handed out: the heads; the others stand behind them now. */
  form(runs: readonly Run[]): Run[] {
    const tails = new Map<string, Run>();
    const heads: Run[] = [];
    for (const run of runs) {
      const { lane } = run.claimed;
      const tail = lane === undefined ? undefined : tails.get(lane);
      if (tail === undefined) heads.push(run);
      else this.#add(tail, run);
      if (lane !== undefined) tails.set(lane, run);
    }
    return heads;
  }

  /** How many jobs it and those behind it are. */
  length(run: Run): number {
    let length = 1;
    for (let next = this.#next.get(run); next !== undefined; next = this.#next.get(next)) length++;
    return length;
  }

  isBefore(run: Run): boolean {
    return this.#next.has(run);
  }

  /** The one behind it, which stands behind nobody any more. */
  takeNext(run: Run): Run | undefined {
    const next = this.#next.get(run);
    if (next === undefined) return undefined;
    this.#next.delete(run);
    if (next.hands !== undefined) next.hands.behind--;
    return next;
  }

  /** All behind it, in their order. */
  cut(run: Run): Run[] {
    const cut: Run[] = [];
    for (let next = this.takeNext(run); next !== undefined; next = this.takeNext(next)) cut.push(next);
    return cut;
  }

  /** Those that `isWanted` names, and all behind them: what is handed back must not be overtaken. */
  cutWhere(isWanted: (run: Run) => boolean): Run[] {
    return [...this.#next].flatMap(([run, next]) => (isWanted(next) ? this.cut(run) : []));
  }

  #add(before: Run, next: Run): void {
    this.#next.set(before, next);
    if (next.hands !== undefined) next.hands.behind++;
  }
}

/** go: the next may start. wait: the store's answer decides. back: those behind it go back. */
export function afterEnd(run: Run, draft: Draft | undefined): "go" | "wait" | "back" {
  if (draft === undefined) return "back";
  // An outcome with follow-up work may be refused; whether the app's transaction committed only the store knows.
  if (run.isCommitted || (draft.follow !== undefined && isGood(draft))) return "wait";
  return isGood(draft) ? "go" : "back";
}

/** `isCommitted`: it was completed by the app's commit where the store says that the job is no longer this run's. */
export function hasEnded({ isCommitted }: Run, answer: Settled["is"]): boolean {
  return isCommitted ? answer === "lease-lost" : answer === "settled" || answer === "cancelled";
}

function isGood({ is }: Draft): boolean {
  return is === "completed" || is === "skipped";
}
