/** Keeps so many jobs waiting, with some calls at once. */
import type { Producer } from "./working.ts";

const lookEveryMs = 2;

export interface Calls {
  readonly batch: number;
  readonly callsAtOnce: number;
}

export class Supply {
  enqueued = 0;
  readonly #producer: Producer;
  readonly #calls: Calls;

  constructor(producer: Producer, calls: Calls) {
    this.#producer = producer;
    this.#calls = calls;
  }

  /** So many in all. */
  upTo(level: number): Promise<void> {
    return this.whileNot(
      () => this.enqueued >= level,
      () => level,
    );
  }

  async whileNot(isOver: () => boolean, level: () => number): Promise<void> {
    const { batch, callsAtOnce } = this.#calls;
    await Promise.all(
      Array.from({ length: callsAtOnce }, async () => {
        while (!isOver()) {
          const missing = level() - this.enqueued;
          if (missing <= 0) {
            await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
            continue;
          }
          const [from, count] = [this.enqueued, Math.min(batch, missing)];
          this.enqueued += count;
          await this.#producer.enqueue(Array.from({ length: count }, (_, index) => from + index));
        }
      }),
    );
  }
}
