/** The store's time as a process last heard it, going on by the monotonic clock: no instant is read from a worker's own clock (G21). */
import type { Instant, Runtime } from "../runtime.ts";

export class StoreClock {
  readonly #runtime: Pick<Runtime, "monotonic">;
  #aheadMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: Pick<Runtime, "monotonic">) {
    this.#runtime = runtime;
  }

  /** False: nothing was heard yet. */
  get isKnown(): boolean {
    return this.#aheadMs > Number.NEGATIVE_INFINITY;
  }

  /** An answer was under way for a while, so the latest of all is the truest. */
  heard(now: Instant): void {
    this.#aheadMs = Math.max(this.#aheadMs, now - this.#runtime.monotonic());
  }

  now(): Instant {
    return this.at(this.#runtime.monotonic());
  }

  /** The store's time at that time of the monotonic clock. */
  at(monotonic: number): Instant {
    return Math.floor(monotonic + this.#aheadMs);
  }
}
