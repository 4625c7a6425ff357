/** A Runtime under a virtual clock: time stands still until it is told to move, and then passes at once. */
import { ErrandError } from "../core/errors.ts";
import type { Beat, BeatPlan, Instant, Ms, Runtime, Timer } from "../core/runtime.ts";
import { realRuntime } from "../runtime/real.ts";
import { Rhythm } from "../runtime/rhythm.ts";
import { LogBook, type LogEntry } from "./logBook.ts";
import { Seeded } from "./seeded.ts";
import { VirtualTimers } from "./virtualTimers.ts";

export interface VirtualRuntimeOptions {
  /** Of `random()` and `id()`. Default 1. */
  readonly seed?: number;
  /** What the clock shows at first. Default 2026-01-01. */
  readonly start?: Instant;
  readonly logged?: (entry: LogEntry) => void;
}

const defaultStart: Instant = Date.UTC(2026, 0, 1);
/** So many turns of the event loop in a row in which nothing happens are rest. */
const quietTurns = 5;
/** Something that goes on for so many turns without time passing goes on for ever. */
const turnsMax = 20_000;
/** The platform's timers take no less for 1 ms; and without it, time could stand still for ever. */
const delayLeastMs = 1;

export class VirtualRuntime implements Runtime {
  readonly log: LogBook;
  readonly #platform: Runtime = realRuntime();
  readonly #timers: VirtualTimers = new VirtualTimers();
  readonly #random: Seeded;
  readonly #idDigits: Seeded;
  readonly #start: Instant;
  #now: Instant;
  #ids = 0;
  /** Calls of `soon` that were not answered yet. */
  #pending = 0;
  /** Grows with all that happens through this runtime. */
  #activity = 0;

  constructor(options: VirtualRuntimeOptions = {}) {
    const { seed = 1, start = defaultStart } = options;
    this.#random = new Seeded(seed);
    this.#idDigits = new Seeded(~seed);
    this.#start = start;
    this.#now = start;
    this.log = new LogBook(() => this.#now, options.logged);
  }

  now(): Instant {
    return this.#now;
  }

  /** The store's clock is the same one. */
  storeTime(): Instant {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(ms: Ms, fn: () => void, _options?: { readonly background?: boolean }): Timer {
    this.#activity++;
    return this.#timers.add(this.#now + Math.max(delayLeastMs, Math.ceil(ms)), fn);
  }

  soon(fn: () => void): void {
    this.#pending++;
    this.#platform.soon(() => {
      this.#pending--;
      this.#activity++;
      fn();
    });
  }

  random(): number {
    return this.#random.random();
  }

  id(): string {
    this.#activity++;
    const count = (this.#ids++).toString(16).padStart(10, "0");
    return `${this.#now.toString(16).padStart(12, "0")}7${count.slice(0, 3)}8${count.slice(3)}${this.#idDigits.word().toString(16).padStart(8, "0")}`;
  }

  startBeat(plan: BeatPlan): Beat {
    const { everyMs, leaseMs, beat, heard, failed } = plan;
    return new Rhythm({ everyMs, limitMs: leaseMs, beat, heard, failed }, this);
  }

  /**
   * Moves time, from timer to timer, and comes to rest after each. `atRest`: what to await for that, in place of {@link settle}.
   * Between two timers nothing is skipped: what becomes due becomes due at its own instant.
   */
  async advance(ms: Ms, atRest: () => Promise<void> = () => this.settle()): Promise<void> {
    const target = this.#now + Math.max(0, Math.round(ms));
    await atRest();
    for (let dueAt = this.#timers.nextDueAt(); dueAt !== undefined && dueAt <= target; dueAt = this.#timers.nextDueAt()) {
      this.#moveTo(dueAt);
      this.#timers.fireNext();
      await atRest();
    }
    this.#moveTo(target);
    await atRest();
  }

  /**
   * Lets all happen that needs no time: until several turns of the event loop went by in which nothing did.
   * Throws `assertion-failed` when that does not come to an end.
   */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < quietTurns; turns++) {
      if (turns === turnsMax)
        throw new ErrandError(
          "assertion-failed",
          `errand does not come to rest: something happens in each of ${turnsMax} turns while time stands still; look for a job that enqueues itself without a delay`,
        );
      const before = this.#activity;
      await new Promise<void>((resolve) => this.#platform.soon(resolve));
      quiet = this.#activity === before && this.#pending === 0 ? quiet + 1 : 0;
    }
  }

  #moveTo(instant: Instant): void {
    this.#now = Math.max(this.#now, instant);
  }
}
