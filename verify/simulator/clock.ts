/**
 * The Runtime of a simulated life: a clock that goes from event to event, events of one instant in an order that the seed draws, and nothing that the platform decides.
 * After each event all promises that can go on have gone on: engines here answer without waiting for anything real, so that no turn of the real event loop is needed,
 * only the end of the queue of microtasks.
 */
import type { Beat, BeatPlan, Instant, Logger, Ms, Runtime, Timer } from "../../src/core/runtime.ts";
import { Rhythm } from "../../src/runtime/rhythm.ts";
import { Seeded } from "../../src/testing/seeded.ts";
import { VirtualTimers } from "../../src/testing/virtualTimers.ts";

const start: Instant = Date.UTC(2026, 0, 1);
/** The platform's timers take no less. */
const delayLeastMs: Ms = 1;

export class SimulatedClock implements Runtime {
  readonly log: Logger;
  /** Events and calls so far. */
  steps = 0;
  readonly #timers = new VirtualTimers();
  readonly #order: Seeded;
  readonly #random: Seeded;
  readonly #digits: Seeded;
  #soon: (() => void)[] = [];
  #now = start;
  #ids = 0;
  #storeOffsetMs: Ms = 0;
  #storeLeast: Instant = 0;

  constructor(seed: number, log: Logger) {
    this.#order = new Seeded(seed ^ 0x5eed);
    this.#random = new Seeded(seed);
    this.#digits = new Seeded(~seed);
    this.log = log;
  }

  now(): Instant {
    return this.#now;
  }

  /** By the clock of the store's machine, which may be wrong, and goes back where it is set back. */
  storeTime(): Instant {
    return Math.max(this.#storeLeast, this.#now + this.#storeOffsetMs);
  }

  /** Somebody sets the clock of the store's machine. */
  setStoreClock(offsetMs: Ms): void {
    this.#storeOffsetMs = offsetMs;
  }

  /** From now on the store's machine is past that instant. */
  passStoreTime(instant: Instant): void {
    this.#storeLeast = Math.max(this.#storeLeast, instant + 1);
  }

  monotonic(): number {
    return this.#now - start;
  }

  /** Half of a millisecond is the place among the events of the same one. */
  after(ms: Ms, fn: () => void): Timer {
    return this.#timers.add(this.#now + Math.max(delayLeastMs, Math.ceil(ms)) + this.#order.random() / 2, fn);
  }

  soon(fn: () => void): void {
    this.#soon.push(fn);
  }

  random(): number {
    return this.#random.random();
  }

  id(): string {
    const count = (this.#ids++).toString(16).padStart(10, "0");
    return `${this.#now.toString(16).padStart(12, "0")}7${count.slice(0, 3)}8${count.slice(3)}${this.#digits.word().toString(16).padStart(8, "0")}`;
  }

  startBeat({ everyMs, leaseMs, beat, heard, failed }: BeatPlan): Beat {
    return new Rhythm({ everyMs, limitMs: leaseMs, beat, heard, failed }, this);
  }

  sleep(ms: Ms): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Goes on until `isOver`, or so long. Answers whether it was over. */
  async run(forMs: Ms, isOver: () => boolean = () => false): Promise<boolean> {
    const until = this.#now + forMs;
    await this.#rest();
    while (!isOver()) {
      const next = this.#timers.nextDueAt();
      if (next === undefined || next >= until + 1) {
        this.#now = until;
        return isOver();
      }
      this.#now = Math.max(this.#now, Math.floor(next));
      this.steps++;
      this.#timers.fireNext();
      await this.#rest();
    }
    return true;
  }

  async #rest(): Promise<void> {
    do {
      for (const fn of this.#soon.splice(0)) {
        this.steps++;
        fn();
      }
      await new Promise<void>((resolve) => process.nextTick(resolve));
    } while (this.#soon.length > 0);
  }
}
