/** What the last runs of one process say of the health of what they depend on. */
import type { Instant } from "../runtime.ts";
import type { BreakerPolicy } from "./breakerPolicy.ts";

export interface EndedRun {
  readonly job: string;
  readonly isGood: boolean;
  /** The store's time of its claim: a run tells of the time that it began in. */
  readonly claimedAt: Instant;
  /** Of a failure. */
  readonly reason: string;
}

type Counted = EndedRun & { readonly endedAt: Instant };

/** Distinct failing jobs, and their share of the last runs, that make a rate too much. */
const loweringFails = 3;
const loweringShare = 0.25;
const reopeningShare = 0.5;

export class Evidence {
  readonly #policy: BreakerPolicy;
  #last: Counted[] = [];
  /** Runs that were claimed earlier say nothing of the present state. */
  #from: Instant = 0;

  constructor(policy: BreakerPolicy) {
    this.#policy = policy;
  }

  countFrom(from: Instant): void {
    this.#from = from;
  }

  add(run: EndedRun, endedAt: Instant): void {
    this.#last.push({ ...run, endedAt });
    if (this.#last.length > this.#policy.of) this.#last.shift();
  }

  /** The last error that was counted. */
  get reason(): string {
    return this.#last.findLast(({ isGood }) => !isGood)?.reason ?? "";
  }

  get hasFailed(): boolean {
    return this.#counted().some(({ isGood }) => !isGood);
  }

  /** When the last run that counts ended well. */
  get succeededAt(): Instant | undefined {
    return this.#counted().findLast(({ isGood }) => isGood)?.endedAt;
  }

  /** Enough of the last runs, of enough jobs, have failed within the time. One bad job, however often it is tried, is one. */
  isOutage(now: Instant): boolean {
    const { of, failing, withinMs } = this.#policy;
    const counted = this.#counted();
    const [first] = counted;
    const isRecent = first !== undefined && counted.length === of && now - first.endedAt <= withinMs;
    return isRecent && counted.at(-1)?.isGood === false && failedJobs(counted) >= failing;
  }

  /** While it ramps: some fail, so that the rate is too much; or most do. */
  get verdict(): "fine" | "too much" | "down" {
    const counted = this.#counted();
    const failed = failedJobs(counted);
    const share = failed / counted.length;
    if (failed < loweringFails || share < loweringShare) return "fine";
    return share < reopeningShare ? "too much" : "down";
  }

  #counted(): Counted[] {
    return this.#last.filter(({ claimedAt }) => claimedAt >= this.#from);
  }
}

function failedJobs(runs: readonly EndedRun[]): number {
  return new Set(runs.filter(({ isGood }) => !isGood).map(({ job }) => job)).size;
}
