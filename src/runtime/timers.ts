/** Timers of the platform. Node takes a delay above 2^31-1 ms for 1 ms, so longer ones are waited for in parts. */
import type { Ms, Timer } from "../core/runtime.ts";

const delayMax = 2 ** 31 - 1;

/** Calls `fn` once, `ms` from now; less than nothing counts as nothing. */
export function after(ms: Ms, fn: () => void, options: { readonly background?: boolean } = {}): Timer {
  return new PlatformTimer(ms, fn, options.background === true);
}

class PlatformTimer implements Timer {
  readonly #fn: () => void;
  readonly #isBackground: boolean;
  #handle: NodeJS.Timeout;

  constructor(ms: Ms, fn: () => void, isBackground: boolean) {
    this.#fn = fn;
    this.#isBackground = isBackground;
    this.#handle = this.#wait(ms);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #wait(ms: Ms): NodeJS.Timeout {
    const handle = ms <= delayMax ? setTimeout(this.#fn, ms) : setTimeout(() => this.#waitOn(ms - delayMax), delayMax);
    return this.#isBackground ? handle.unref() : handle;
  }

  #waitOn(ms: Ms): void {
    this.#handle = this.#wait(ms);
  }
}
