/** How many runs a second ended well in this process, at best, in the last minutes. */
import type { Ms } from "../runtime.ts";

const bucketMs: Ms = 5_000;
const buckets = 60;

export class LearnedRate {
  /** Good ends, by the number of their five seconds; only the last ones. */
  readonly #counts: Map<number, number> = new Map();

  /** `now`: the monotonic clock's. */
  add(now: Ms): void {
    const bucket = Math.floor(now / bucketMs);
    const count = this.#counts.get(bucket);
    this.#counts.set(bucket, (count ?? 0) + 1);
    if (count === undefined) this.#forgetBefore(bucket - buckets);
  }

  perSecond(now: Ms): number {
    this.#forgetBefore(Math.floor(now / bucketMs) - buckets);
    return (Math.max(0, ...this.#counts.values()) * 1_000) / bucketMs;
  }

  #forgetBefore(oldest: number): void {
    for (const bucket of this.#counts.keys()) if (bucket <= oldest) this.#counts.delete(bucket);
  }
}
