/** One timer for the next look at the store: when the next job is due, or the idle poll. */
import type { Ms, Runtime, Timer } from "../runtime.ts";

export class Wake {
  readonly #runtime: Runtime;
  readonly #fn: () => void;
  #timer: Timer | undefined;
  #at: number = Number.POSITIVE_INFINITY;

  constructor(runtime: Runtime, fn: () => void) {
    this.#runtime = runtime;
    this.#fn = fn;
  }

  /** An earlier one stands: it costs one look for nothing rather than a timer for each claim. */
  within(ms: Ms): void {
    const now = this.#runtime.monotonic();
    const delayMs = Math.max(1, Math.ceil(ms));
    if (this.#timer !== undefined && this.#at <= now + delayMs) return;
    this.#timer?.cancel();
    this.#at = now + delayMs;
    this.#timer = this.#runtime.after(delayMs, () => {
      this.#timer = undefined;
      this.#fn();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
