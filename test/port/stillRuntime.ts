/** A Runtime whose clock stands still: the port's tests give `at.now` themselves. */
import type { Logger, Runtime } from "../../src/core/runtime.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class StillRuntime implements Runtime {
  readonly log: Logger = silent;
  #ids = 0;

  now(): number {
    return 0;
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, fn: () => void, options: { readonly background?: boolean } = {}): { cancel(): void } {
    const timer = setTimeout(fn, ms);
    if (options.background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  random(): number {
    return 0.5;
  }

  id(): string {
    this.#ids += 1;
    return `${process.pid}-${this.#ids}`;
  }

  startBeat(): never {
    throw new Error("the port's tests beat by themselves");
  }
}
