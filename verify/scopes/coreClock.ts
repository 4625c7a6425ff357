/** Time for the real parts of core: it stands still until the one who plays a schedule lets it pass, and everything that needs none has happened by then. */
import type { Beat, BeatPlan, Instant, Logger, Ms, Runtime, Timer } from "../../src/core/runtime.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { Rhythm } from "../../src/runtime/rhythm.ts";
import { Seeded } from "../../src/testing/seeded.ts";
import { VirtualTimers } from "../../src/testing/virtualTimers.ts";
import { startedAt } from "./play.ts";

const platform = realRuntime();
const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, isLevelEnabled: () => false };

export class CoreClock {
  now: Instant = startedAt;
  readonly timers: VirtualTimers = new VirtualTimers();
  #soon: (() => void)[] = [];

  soon(fn: () => void): void {
    this.#soon.push(fn);
  }

  /** All promises that can go on have gone on: stores answer here without waiting for anything real. */
  async rest(): Promise<void> {
    do {
      for (const fn of this.#soon.splice(0)) fn();
      await new Promise<void>((resolve) => platform.soon(resolve));
    } while (this.#soon.length > 0);
  }

  /** What becomes due meanwhile happens at its own time. */
  async pass(ms: Ms): Promise<void> {
    const until = this.now + ms;
    await this.rest();
    for (let due = this.timers.nextDueAt(); due !== undefined && due <= until; due = this.timers.nextDueAt()) {
      this.now = Math.max(this.now, due);
      this.timers.fireNext();
      await this.rest();
    }
    this.now = until;
  }
}

/** One process: what chance gives it does not hang on what others do. */
export class CoreRuntime implements Runtime {
  readonly log: Logger = silent;
  isDead = false;
  readonly #clock: CoreClock;
  readonly #random: Seeded;
  readonly #nth: number;
  #ids = 0;

  constructor(clock: CoreClock, nth: number) {
    this.#clock = clock;
    this.#nth = nth;
    this.#random = new Seeded(nth);
  }

  now(): Instant {
    return this.#clock.now;
  }

  storeTime(): Instant {
    return this.#clock.now;
  }

  monotonic(): number {
    return this.#clock.now - startedAt;
  }

  after(ms: Ms, fn: () => void): Timer {
    return this.#clock.timers.add(this.#clock.now + Math.max(1, Math.ceil(ms)), () => this.#if(fn));
  }

  soon(fn: () => void): void {
    this.#clock.soon(() => this.#if(fn));
  }

  random(): number {
    return this.#random.random();
  }

  id(): string {
    return `${this.#clock.now.toString(16).padStart(12, "0")}7${String(this.#nth).padStart(3, "0")}8${(this.#ids++).toString(16).padStart(15, "0")}`;
  }

  startBeat({ everyMs, leaseMs, beat, heard, failed }: BeatPlan): Beat {
    return new Rhythm({ everyMs, limitMs: leaseMs, beat, heard, failed }, this);
  }

  #if(fn: () => void): void {
    if (!this.isDead) fn();
  }
}
