/** Timers of a clock that moves only when told to: in order of their time, then of their making. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Instant, Timer } from "../core/runtime.ts";

interface Entry {
  readonly dueAt: Instant;
  readonly fn: () => void;
}

export class VirtualTimers {
  /** The next one is last: it is taken most often. */
  readonly #entries: Entry[] = [];

  add(dueAt: Instant, fn: () => void): Timer {
    // As with the platform's timers, `fn` runs in the asynchronous context that asked for it.
    const entry: Entry = { dueAt, fn: AsyncLocalStorage.bind(fn) };
    this.#entries.splice(this.#placeOf(dueAt), 0, entry);
    return { cancel: () => this.#remove(entry) };
  }

  /** Undefined: there are none. */
  nextDueAt(): Instant | undefined {
    return this.#entries.at(-1)?.dueAt;
  }

  fireNext(): void {
    this.#entries.pop()?.fn();
  }

  /** Before all of the same time: those are older, and go first. */
  #placeOf(dueAt: Instant): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.dueAt ?? 0) > dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(entry: Entry): void {
    for (let place = this.#placeOf(entry.dueAt); this.#entries[place]?.dueAt === entry.dueAt; place++) {
      if (this.#entries[place] !== entry) continue;
      this.#entries.splice(place, 1);
      return;
    }
  }
}
