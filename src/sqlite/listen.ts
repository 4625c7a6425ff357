/** Wakes those who wait for work: at once after a commit of this engine, within 20 ms after one of anybody else. */
import type { Unlisten } from "../core/engine.ts";
import type { Runtime, Timer } from "../core/runtime.ts";

/** A look costs 2 µs. */
const lookEveryMs = 10;

export class Listeners {
  readonly #wakes = new Set<() => void>();
  readonly #runtime: Runtime;
  /** Another number after each commit of another connection; undefined when it cannot be read now. */
  readonly #dataVersion: () => number | undefined;
  #seen: number | undefined;
  #timer: Timer | undefined;
  #isWaking = false;

  constructor(runtime: Runtime, dataVersion: () => number | undefined) {
    this.#runtime = runtime;
    this.#dataVersion = dataVersion;
  }

  listen(wake: () => void): Unlisten {
    // Wrapped, so that the same function may listen twice.
    const own = (): void => wake();
    this.#wakes.add(own);
    if (this.#timer === undefined) {
      this.#seen = this.#dataVersion();
      this.#lookLater();
    }
    return () => {
      this.#wakes.delete(own);
      if (this.#wakes.size === 0) this.stop();
    };
  }

  wake(): void {
    if (this.#isWaking || this.#wakes.size === 0) return;
    this.#isWaking = true;
    this.#runtime.soon(() => {
      this.#isWaking = false;
      for (const wake of this.#wakes) wake();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    this.#timer = this.#runtime.after(lookEveryMs, () => this.#look(), { background: true });
  }

  #look(): void {
    const version = this.#dataVersion();
    if (version !== undefined && version !== this.#seen) {
      this.#seen = version;
      this.wake();
    }
    this.#lookLater();
  }
}
