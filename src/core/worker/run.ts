/** One job in this worker's hands, from claim to outcome. */
import { timeoutMs } from "../defaults.ts";
import type { ClaimedJob, NewWork, Outcome } from "../engine.ts";
import type { Progress } from "../long/progress.ts";
import type { Instant, Ms } from "../runtime.ts";
import type { AnyTask } from "../task.ts";
import type { Premise } from "../guard/compare.ts";
import type { Hands } from "./hands.ts";

/** An outcome before it knows whose it is. */
export type Draft = Omit<Outcome, "id" | "claim" | "fence" | "ranMs">;

export class Run {
  readonly claimed: ClaimedJob;
  readonly claim: string;
  readonly fence: number;
  /** Undefined: no definition of that name is here (G22). */
  readonly task: AnyTask | undefined;
  /** Undefined: it runs alone, and takes no slot. */
  readonly hands: Hands | undefined;
  timeoutMs: Ms;
  startedAt = 0;
  /** By the monotonic clock: when its timeout, or the grace after it, is over. */
  dueAt: number = Number.POSITIVE_INFINITY;
  /** Set where the run did not simply return. */
  draft: Draft | undefined;
  /** It has failed with this, whatever it still answers. */
  verdict: { readonly error: unknown } | undefined;
  follow: NewWork[] | undefined;
  /** What its effect relies on: checked before it ran, and again where it commits. */
  premise: Premise | undefined;
  /** Its completion is in a transaction of the app: whether that committed is for the store to say. */
  isCommitted = false;
  /** It turned out in a child process that only the worker itself can do this. */
  needsWorker = false;
  /** The store gave it to another, or will: nothing it answers counts. */
  isLost = false;
  /** The worker stops: failing now is no failure. */
  isHandedBack = false;
  isOver = false;
  /** The store's time of its claim; and whether a breaker was not healthy then. */
  claimedAt: Instant = 0;
  isGated = false;
  /** Its error, where that may be due to what it depends on: not an ending it chose, nor a payload that does not fit. */
  failure: string | undefined;
  /** It was told to end soon, and is given up when the grace is over. */
  isInGrace = false;
  /** A loop of it stopped between two items for the worker's sake: the rest is for another run. */
  isYielded = false;
  /** What its child process saved last. */
  savedInChild: string | undefined;
  /** What it has come to, once it asked. */
  progress: Progress | undefined;
  /** What was saved last, as the task's schema answers it. */
  checkpoint: { readonly value: unknown } | undefined;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(claimed: ClaimedJob, by: { readonly claim: string; readonly fence: number }, task: AnyTask | undefined, hands: Hands | undefined) {
    this.claimed = claimed;
    this.claim = by.claim;
    this.fence = claimed.fence ?? by.fence;
    this.task = task;
    this.hands = hands;
    this.timeoutMs = task?.policy.timeoutMs ?? timeoutMs;
  }

  /** Made when first read: most runs never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Whatever it does now counts for nothing. */
  get isVoid(): boolean {
    return this.verdict !== undefined || this.isOver || this.isLost;
  }

  get isAborted(): boolean {
    return this.#aborted !== undefined;
  }

  /** The first reason stands. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  outcome(draft: Draft, ranMs: Ms): Outcome {
    return { id: this.claimed.id, claim: this.claim, fence: this.fence, ranMs, ...draft };
  }
}
