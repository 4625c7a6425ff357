/** Wakes those who wait for work, once per turn of the event loop however much became ready. */
import type { Unlisten } from "../core/engine.ts";
import type { Runtime } from "../core/runtime.ts";

export class Listeners {
  readonly #wakes = new Set<() => void>();
  #isWaking = false;

  listen(wake: () => void): Unlisten {
    // Wrapped, so that the same function may listen twice.
    const own = () => wake();
    this.#wakes.add(own);
    return () => void this.#wakes.delete(own);
  }

  wake(runtime: Runtime): void {
    if (this.#isWaking || this.#wakes.size === 0) return;
    this.#isWaking = true;
    runtime.soon(() => {
      this.#isWaking = false;
      for (const wake of this.#wakes) wake();
    });
  }
}
