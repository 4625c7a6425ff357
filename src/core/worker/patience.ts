/**
 * Rows that were claimed together end one soon after the other. Whoever claims at the first end claims a few jobs at a time, and touches every lane each
 * time: so it waits for more of them, no longer than the last claim kept the event loop.
 */
import type { Ms, Runtime, Timer } from "../runtime.ts";

export class Patience {
  readonly #runtime: Pick<Runtime, "monotonic" | "after">;
  readonly #wake: () => void;
  #mostMs: Ms = 0;
  #until: number | undefined;
  #timer: Timer | undefined;

  constructor(runtime: Pick<Runtime, "monotonic" | "after">, wake: () => void) {
    this.#runtime = runtime;
    this.#wake = wake;
  }

  /** A claim kept the event loop for so long. */
  claimed(ms: Ms): void {
    this.#mostMs = ms;
    this.#until = undefined;
  }

  /** Whether to wait on. Wakes when that is over. */
  isWaiting(): boolean {
    const now = this.#runtime.monotonic();
    this.#until ??= now + this.#mostMs;
    const restMs = this.#until - now;
    if (restMs <= 0) return false;
    this.#timer ??= this.#runtime.after(restMs, () => {
      this.#timer = undefined;
      this.#wake();
    });
    return true;
  }

  end(): void {
    this.#timer?.cancel();
  }
}
