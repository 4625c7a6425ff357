/**
 * What one process has of its machine: a wall clock that is wrong and may be set, a monotonic one that runs too fast or too slow, and a thread that beats on a
 * connection of its own while the main loop is blocked.
 */
import { maxBlockMs } from "../../src/core/defaults.ts";
import type { Heard } from "../../src/core/engine.ts";
import type { Beat, BeatPlan, Instant, Logger, Ms, Runtime, Timer } from "../../src/core/runtime.ts";
import type { Gate } from "../../src/conformance/gate.ts";
import { Rhythm } from "../../src/runtime/rhythm.ts";
import type { SimulatedClock } from "./clock.ts";

export interface MachineParts {
  readonly clock: SimulatedClock;
  /** Seconds of its monotonic clock in a second. */
  readonly rate: number;
  readonly wallOffsetMs: Ms;
  /** Undefined: the main loop beats. */
  readonly beat: ((process: string, leaseMs: Ms) => Promise<Heard>) | undefined;
  readonly gate: () => Gate;
}

export class Machine implements Runtime {
  readonly log: Logger;
  readonly #parts: MachineParts;
  #wallOffsetMs: Ms;
  #blockedAt: number | undefined;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#wallOffsetMs = parts.wallOffsetMs;
    this.log = parts.clock.log;
  }

  now(): Instant {
    return this.#parts.clock.now() + this.#wallOffsetMs;
  }

  /** Somebody sets it. */
  setClock(offsetMs: Ms): void {
    this.#wallOffsetMs = offsetMs;
  }

  storeTime(): Instant {
    return this.#parts.clock.storeTime();
  }

  monotonic(): number {
    return this.#parts.clock.monotonic() * this.#parts.rate;
  }

  after(ms: Ms, fn: () => void): Timer {
    return this.#parts.clock.after(ms / this.#parts.rate, fn);
  }

  soon(fn: () => void): void {
    this.#parts.clock.soon(fn);
  }

  random(): number {
    return this.#parts.clock.random();
  }

  id(): string {
    return this.#parts.clock.id();
  }

  startBeat(plan: BeatPlan): Beat {
    const { everyMs, leaseMs, beat, heard, failed } = plan;
    const own = this.#parts.beat === undefined ? beat : (): Promise<Heard | undefined> => this.#beatFromThread(plan);
    return new Rhythm({ everyMs, limitMs: leaseMs, beat: own, heard, failed }, this);
  }

  /** Nothing of the main loop goes on, and the thread does. */
  block(): void {
    this.#parts.gate().pause();
    this.#blockedAt ??= this.#parts.clock.monotonic();
  }

  goOn(): void {
    this.#blockedAt = undefined;
    this.#parts.gate().resume();
  }

  async #beatFromThread({ process, leaseMs }: BeatPlan): Promise<Heard | undefined> {
    const { clock, gate, beat } = this.#parts;
    // One that is stopped stands still as a whole, one that is dead for ever.
    if (this.#blockedAt === undefined || gate().isCrashed) await gate().alive();
    else if (clock.monotonic() - this.#blockedAt >= maxBlockMs) return undefined;
    return beat?.(process, leaseMs);
  }
}
