/** What the last runs of one process say of the health of what they depend on. */
import type { Instant, Ms } from "../runtime.ts";
import type { BreakerPolicy } from "./breakerPolicy.ts";

export interface EndedRun {
  readonly job: string;
  readonly isGood: boolean;
  /** The store's time of its claim: a run tells of the time that it began in. */
  readonly claimedAt: Instant;
  readonly ranMs: Ms;
  /** Of a failure. */
  readonly reason: string;
}

/** Distinct failing jobs, and their share of the last runs, that make a rate too much. */
const loweringFails = 3;
const loweringShare = 0.25;
const reopeningShare = 0.5;
/** So many good runs tell how long runs take. */
const pacedRuns = 10;

export class Evidence {
  readonly #policy: BreakerPolicy;
  /** A ring of the last runs, in columns: every run of the worker passes here, and leaves no garbage. */
  readonly #jobs: string[] = [];
  readonly #reasons: string[] = [];
  readonly #isGood: Uint8Array;
  readonly #claimedAt: Float64Array;
  readonly #endedAt: Float64Array;
  readonly #ranMs: Float64Array;
  #runs = 0;
  /** Runs that were claimed earlier say nothing of the present state. */
  #from: Instant = 0;

  constructor(policy: BreakerPolicy) {
    this.#policy = policy;
    this.#isGood = new Uint8Array(policy.of);
    this.#claimedAt = new Float64Array(policy.of);
    this.#endedAt = new Float64Array(policy.of);
    this.#ranMs = new Float64Array(policy.of);
  }

  countFrom(from: Instant): void {
    this.#from = from;
  }

  add(run: EndedRun, endedAt: Instant): void {
    const place = this.#runs++ % this.#policy.of;
    this.#jobs[place] = run.job;
    this.#reasons[place] = run.reason;
    this.#isGood[place] = run.isGood ? 1 : 0;
    this.#claimedAt[place] = run.claimedAt;
    this.#endedAt[place] = endedAt;
    this.#ranMs[place] = run.ranMs;
  }

  /** What the last good runs took, on average. */
  get goodMs(): Ms | undefined {
    const good = this.#counted().filter((place) => this.#isGood[place] === 1);
    if (good.length < pacedRuns) return undefined;
    return good.slice(-pacedRuns).reduce((sum, place) => sum + (this.#ranMs[place] ?? 0), 0) / pacedRuns;
  }

  /** The last error that was counted. */
  get reason(): string {
    const last = this.#places().findLast((place) => this.#isGood[place] === 0);
    return last === undefined ? "" : (this.#reasons[last] ?? "");
  }

  get hasFailed(): boolean {
    return this.#counted().some((place) => this.#isGood[place] === 0);
  }

  /** When the last run that counts ended well. */
  get succeededAt(): Instant | undefined {
    const last = this.#counted().findLast((place) => this.#isGood[place] === 1);
    return last === undefined ? undefined : this.#endedAt[last];
  }

  /** Enough of the last runs, of enough jobs, have failed within the time. One bad job, however often it is tried, is one. */
  isOutage(now: Instant): boolean {
    const { of, failing, withinMs } = this.#policy;
    const counted = this.#counted();
    const [first] = counted;
    const last = counted.at(-1);
    if (first === undefined || last === undefined || counted.length < of || this.#isGood[last] === 1) return false;
    return now - (this.#endedAt[first] ?? 0) <= withinMs && this.#failedJobs(counted) >= failing;
  }

  /** While it ramps: some fail, so that the rate is too much; or most do. */
  get verdict(): "fine" | "too much" | "down" {
    const counted = this.#counted();
    const failed = this.#failedJobs(counted);
    const share = failed / counted.length;
    if (failed < loweringFails || share < loweringShare) return "fine";
    return share < reopeningShare ? "too much" : "down";
  }

  #failedJobs(places: readonly number[]): number {
    return new Set(places.filter((place) => this.#isGood[place] === 0).map((place) => this.#jobs[place])).size;
  }

  #counted(): number[] {
    return this.#places().filter((place) => (this.#claimedAt[place] ?? 0) >= this.#from);
  }

  /** From the oldest to the newest. */
  #places(): number[] {
    const { of } = this.#policy;
    const length = Math.min(of, this.#runs);
    return Array.from({ length }, (_, index) => (this.#runs - length + index) % of);
  }
}
