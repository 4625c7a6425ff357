/** What this process did since it began, counted where it happens: a number grows by one, and is read when somebody asks. */
import type { Definitions } from "../definitions.ts";
import type { Outcome, Settled } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Drift } from "../reconcile/state.ts";
import type { Ms } from "../runtime.ts";
import type { Call } from "../worker/contact.ts";
import type { Draft, Run } from "../worker/run.ts";

/** How runs end. released: handed back, at no cost. lost: the store took it back meanwhile, so it counts for nothing. */
export const runEndings = ["completed", "skipped", "retried", "dead", "snoozed", "cancelled", "released", "lost"] as const;
export type RunEnding = (typeof runEndings)[number];

/** Of one task. */
export interface RunTally {
  readonly ended: Record<RunEnding, number>;
  ranMs: Ms;
  /** Between its due time and its claim. */
  waitedMs: Ms;
  overran: number;
}

/** Of one reconciliation: of all its runs that ended here. */
export interface DriftTally {
  readonly task: string;
  runs: number;
  found: number;
  missing: number;
  enqueued: number;
}

export class Meter {
  readonly tasks: Map<string, RunTally> = new Map();
  readonly reconciliations: Map<string, DriftTally> = new Map();
  readonly answers: Record<Settled["is"], number> = { settled: 0, cancelled: 0, "lease-lost": 0, refused: 0 };
  readonly failedCalls: Record<Call, number> = { claim: 0, beat: 0, tidy: 0, find: 0 };
  claims = 0;
  claimedJobs = 0;
  /** Outcomes that had to be written once more, since a call failed. */
  rewritten = 0;
  /** Other pasts than before that the store turned out to have. */
  eras = 0;

  /** What is counted is told from the first, as 0: a counter that appears with its first event hides it from whoever asks how much it grew. */
  knows({ tasks, reconciliations }: Definitions): void {
    for (const name of tasks.keys()) this.of(name);
    for (const { name, task } of reconciliations.values()) this.#driftOf(name, task.name);
  }

  of(task: string): RunTally {
    const known = this.tasks.get(task);
    if (known !== undefined) return known;
    const tally = {
      ended: { completed: 0, skipped: 0, retried: 0, dead: 0, snoozed: 0, cancelled: 0, released: 0, lost: 0 },
      ranMs: 0,
      waitedMs: 0,
      overran: 0,
    };
    this.tasks.set(task, tally);
    return tally;
  }

  /** A run is over here; without a draft the store has taken its job back. What the store may still refuse is told by {@link answered}. */
  ran(run: Run, draft: Draft | undefined, ranMs: Ms): void {
    const tally = this.of(run.claimed.task);
    tally.ranMs += Math.max(0, ranMs);
    tally.waitedMs += Math.max(0, run.claimedAt - run.claimed.dueAt);
    if (draft === undefined) tally.ended.lost++;
    else if (!run.isCommitted && draft.follow === undefined) countEnd(tally, run, draft.is);
  }

  ends(run: Run, { is }: Pick<Outcome, "is">): void {
    countEnd(this.of(run.claimed.task), run, is);
  }

  /** What the store made of an outcome that it might have refused, or that is in a transaction of the app. `isDoubtful`: it may have been written before. */
  answered(run: Run, outcome: Outcome, answer: Settled["is"], isDoubtful: boolean): void {
    const { ended } = this.of(run.claimed.task);
    if (answer === "cancelled") ended.cancelled++;
    else if (answer === "settled") ended[endingOf(outcome.is)]++;
    else if (answer === "lease-lost") ended[run.isCommitted ? "completed" : isDoubtful ? endingOf(outcome.is) : "lost"]++;
  }

  reconciled(name: string, task: string, { found, missing, enqueued }: Drift): void {
    const tally = this.#driftOf(name, task);
    tally.runs++;
    tally.found += found;
    tally.missing += missing;
    tally.enqueued += enqueued;
  }

  #driftOf(name: string, task: string): DriftTally {
    const tally = this.reconciliations.get(name) ?? { task, runs: 0, found: 0, missing: 0, enqueued: 0 };
    this.reconciliations.set(name, tally);
    return tally;
  }
}

function countEnd({ ended }: RunTally, run: Run, is: Outcome["is"]): void {
  ended[isCancelled(run) ? "cancelled" : endingOf(is)]++;
}

/** The store ends it cancelled, whatever it answered. */
function isCancelled(run: Run): boolean {
  return run.isAborted && ErrandError.is(run.signal.reason, "job-cancelled");
}

function endingOf(is: Outcome["is"]): RunEnding {
  if (is === "retry") return "retried";
  return is === "saved" ? "released" : is;
}
