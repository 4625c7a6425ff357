/** The Runtime of production: the platform's clocks, timers, randomness, threads, child processes and signals. */
import type { Beat, BeatPlan, ChildEnd, ChildPlan, Instant, Logger, Ms, Runtime, Timer } from "../core/runtime.ts";
import { startBeat } from "./beat.ts";
import { Ids } from "./ids.ts";
import { StderrLog } from "./log.ts";
import { checkNodeVersion } from "./nodeVersion.ts";
import { onUnhandledRejection } from "./rejections.ts";
import { StopSignals } from "./signals.ts";
import { spawn } from "./spawn.ts";
import { after } from "./timers.ts";

/**
 * `log`: any logger of pino's shape. Default: warnings and errors to stderr, one line each.
 * Throws `node-too-old`.
 */
export function realRuntime(options: { readonly log?: Logger } = {}): Runtime {
  checkNodeVersion();
  return new RealRuntime(options.log ?? new StderrLog());
}

/** Shared by all runtimes of the process: its ids are in order across brokers. */
const ids: Ids = new Ids();

class RealRuntime implements Runtime {
  readonly log: Logger;
  readonly #stopSignals: StopSignals = new StopSignals();

  constructor(log: Logger) {
    this.log = log;
  }

  now(): Instant {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: Ms, fn: () => void, options?: { readonly background?: boolean }): Timer {
    return after(ms, fn, options);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  random(): number {
    return Math.random();
  }

  id(): string {
    return ids.next(Date.now());
  }

  startBeat(plan: BeatPlan): Beat {
    return startBeat(plan);
  }

  onStopSignal(fn: (signal: string) => void): () => void {
    return this.#stopSignals.listen(fn);
  }

  exitBy(signal: string): void {
    this.#stopSignals.exitBy(signal);
  }

  onUnhandledRejection(fn: (reason: unknown) => boolean): () => void {
    return onUnhandledRejection(fn);
  }

  spawn(plan: ChildPlan): Promise<ChildEnd> {
    return spawn(plan);
  }
}
