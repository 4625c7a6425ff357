/** Deadlines of drivers, which ask no clock of errand's: they pass when they are let, and not before. */

/** What is shorter goes by the real clock. */
const longMs = 1_000;

interface LongWait {
  readonly over: () => void;
}

/** In the place of the process's own `setTimeout`, until it is disposed of. */
export class LongWaits implements Disposable {
  readonly #real = globalThis.setTimeout;
  readonly #clear = globalThis.clearTimeout;
  readonly #waits: Set<LongWait> = new Set();

  constructor() {
    const real = this.#real;
    const set = (fn: (...args: readonly unknown[]) => void, ms?: number, ...args: readonly unknown[]): unknown =>
      (ms ?? 0) < longMs ? real(fn, ms, ...args) : this.#wait({ over: () => fn(...args) });
    globalThis.setTimeout = Object.assign(set, real) as typeof setTimeout;
    globalThis.clearTimeout = ((timer) => {
      if (!this.#waits.delete(timer as unknown as LongWait)) this.#clear(timer);
    }) as typeof clearTimeout;
  }

  /** All that there are now are over. */
  pass(): void {
    const over = [...this.#waits];
    this.#waits.clear();
    for (const wait of over) wait.over();
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real;
    globalThis.clearTimeout = this.#clear;
  }

  /** As much of a timer as drivers use. */
  #wait(wait: LongWait): LongWait {
    this.#waits.add(wait);
    const timer = wait as LongWait & Record<string, unknown>;
    for (const name of ["ref", "unref", "refresh"]) timer[name] = () => timer;
    timer["hasRef"] = () => false;
    return timer;
  }
}
