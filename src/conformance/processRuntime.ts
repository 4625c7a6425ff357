/** The Runtime of one process of a world: the shared clock, with timers that stop with the process and a wall clock that may be wrong. */
import type { Beat, BeatPlan, Instant, Logger, Ms, Runtime, Timer } from "../core/runtime.ts";
import type { Gate } from "./gate.ts";

export class ProcessRuntime implements Runtime {
  readonly #shared: Runtime;
  readonly #gate: Gate;
  readonly #clockOffsetMs: Ms;
  readonly #beats: Set<Beat> = new Set();
  readonly log: Logger;

  constructor(shared: Runtime, gate: Gate, options: { readonly clockOffsetMs: Ms; readonly log: Logger }) {
    this.#shared = shared;
    this.#gate = gate;
    this.#clockOffsetMs = options.clockOffsetMs;
    this.log = options.log;
  }

  now(): Instant {
    return this.#shared.now() + this.#clockOffsetMs;
  }

  /** The store's clock is not the process's. */
  storeTime(): Instant {
    return this.#shared.storeTime?.() ?? this.#shared.now();
  }

  monotonic(): number {
    return this.#shared.monotonic();
  }

  after(ms: Ms, fn: () => void, options?: { readonly background?: boolean }): Timer {
    return this.#shared.after(ms, () => this.#gate.pass(fn), options);
  }

  soon(fn: () => void): void {
    this.#shared.soon(() => this.#gate.pass(fn));
  }

  random(): number {
    return this.#shared.random();
  }

  id(): string {
    return this.#shared.id();
  }

  startBeat(plan: BeatPlan): Beat {
    const beat = this.#shared.startBeat({
      ...plan,
      source: undefined,
      heard: (heard) => this.#gate.pass(() => plan.heard(heard)),
      failed: (error) => this.#gate.pass(() => plan.failed(error)),
    });
    this.#beats.add(beat);
    return beat;
  }

  /** A dead process beats no more. What a beat under way would answer, nobody hears. */
  stopBeats(): void {
    for (const beat of this.#beats) beat.stop().catch(() => undefined);
    this.#beats.clear();
  }
}
