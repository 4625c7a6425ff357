/** How many runs a second ended well in this process, at best, in the last minutes. */
import type { Ms } from "../runtime.ts";

const bucketMs: Ms = 5_000;
const buckets = 60;

export class LearnedRate {
  /** Good ends, by the number of their five seconds; only the last ones, without the present. */
  readonly #counts: Map<number, number> = new Map();
  #present = 0;
  #count = 0;

  /** `now`: the monotonic clock's. */
  add(now: Ms): void {
    const bucket = Math.floor(now / bucketMs);
    if (bucket !== this.#present) this.#turn(bucket);
    this.#count++;
  }

  perSecond(now: Ms): number {
    this.#turn(Math.floor(now / bucketMs));
    return (Math.max(this.#count, ...this.#counts.values()) * 1_000) / bucketMs;
  }

  #turn(bucket: number): void {
    if (bucket === this.#present) return;
    this.#counts.set(this.#present, this.#count);
    this.#present = bucket;
    this.#count = 0;
    for (const each of this.#counts.keys()) if (each <= bucket - buckets) this.#counts.delete(each);
  }
}
