/** The store's time as a process last heard it, going on by the monotonic clock: no instant is read from a worker's own clock (G21). */
import type { Instant, Ms, Runtime } from "../runtime.ts";

/** No two clocks go alike: what was heard longer ago says less than an answer that was slow. */
const heardMaxMs: Ms = 60_000;

export class StoreClock {
  readonly #runtime: Pick<Runtime, "monotonic">;
  #aheadMs = Number.NEGATIVE_INFINITY;
  /** By the monotonic clock: when that was heard. */
  #heardAt = 0;

  constructor(runtime: Pick<Runtime, "monotonic">) {
    this.#runtime = runtime;
  }

  /** An answer was under way for a while, so the latest of all in a minute is the truest. */
  heard(now: Instant): void {
    const monotonic = this.#runtime.monotonic();
    const aheadMs = now - monotonic;
    if (aheadMs < this.#aheadMs && monotonic - this.#heardAt < heardMaxMs) return;
    this.#aheadMs = aheadMs;
    this.#heardAt = monotonic;
  }

  now(): Instant {
    return this.at(this.#runtime.monotonic());
  }

  /** The store's time at that time of the monotonic clock. */
  at(monotonic: number): Instant {
    return Math.floor(monotonic + this.#aheadMs);
  }
}
