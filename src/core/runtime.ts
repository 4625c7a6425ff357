/**
 * The Runtime port: the only way errand reaches time, timers, randomness, ids, threads, child processes and logs.
 * One real implementation (`src/runtime/`), one virtual (`src/testing/`). Lint keeps every other file away from the globals.
 */
import type { Heard } from "./engine.ts";

/** Milliseconds since 1970, whole. Which clock it is from (store, process) is said where it stands. */
export type Instant = number;
/** A length of time in milliseconds. */
export type Ms = number;

export interface Timer {
  cancel(): void;
}

/** Any logger of pino's shape: the object first, then the message. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** Without it everything is written. */
  isLevelEnabled?(level: string): boolean;
}

/** What a beat needs to renew one process's lease without the main thread. */
export interface BeatPlan {
  readonly process: string;
  readonly leaseMs: Ms;
  readonly everyMs: Ms;
  /** The beat ends itself when the main thread has shown no progress for this long. */
  readonly maxBlockMs: Ms;
  /** A module whose `openBeat(data)` answers a {@link BeatConnection} of its own; without it, `beat` is called on the main loop. */
  readonly source: BeatSource | undefined;
  readonly beat: () => Promise<Heard>;
  readonly heard: (heard: Heard) => void;
  readonly failed: (error: Error) => void;
}

export interface BeatSource {
  /** URL of the module to import in the thread. */
  readonly module: string;
  /** Structured-cloneable; handed to `openBeat`. */
  readonly data: unknown;
}

export interface BeatConnection {
  beat(process: string, leaseMs: Ms): Heard | Promise<Heard>;
  close(): void | Promise<void>;
}

export interface Beat {
  /** Ends the renewals; resolves when the thread is gone. */
  stop(): Promise<void>;
}

/** A child process that runs one job of a module of definitions, alone. */
export interface ChildPlan {
  readonly module: string;
  readonly argument: string;
  readonly signal: AbortSignal;
  /** Answers what the child asks; both are JSON. A rejection rejects there. */
  readonly asked?: (question: unknown) => Promise<unknown>;
}
/** What became of the child: its last message, or how it died. */
export type ChildEnd =
  | { readonly is: "answered"; readonly message: unknown }
  | { readonly is: "died"; readonly code: number | null; readonly signal: string | null };

export interface Runtime {
  /** This process's wall clock. For logs, and for engines whose store is this process. */
  now(): Instant;
  /** Given only by virtual clocks: the time that engines are to take for the store's (`at.now`). */
  storeTime?: () => Instant;
  /** A clock that never goes back, in ms with fractions. For measuring. */
  monotonic(): number;
  /** Calls `fn` once, `ms` from now. `background: true` does not keep the process alive. */
  after(ms: Ms, fn: () => void, options?: { readonly background?: boolean }): Timer;
  /** Calls `fn` on the next turn of the event loop. */
  soon(fn: () => void): void;
  /** In [0, 1). */
  random(): number;
  /** A fresh id: 128 bits, in time order (UUIDv7), lower-case hex without dashes. */
  id(): string;
  startBeat(plan: BeatPlan): Beat;
  /** Hears the first and every further SIGTERM or SIGINT; undefined where there are none. Answers how to stop listening. */
  onStopSignal?: (fn: (signal: string) => void) => () => void;
  /** Ends this process by that signal, as if nobody had listened. Only after `onStopSignal`. */
  exitBy?: (signal: string) => void;
  /**
   * Hears rejections that nobody handled. The listener runs in the rejected promise's asynchronous context where the platform has one;
   * it answers true if it took the rejection, else the platform's own rule applies. Answers how to stop listening.
   */
  onUnhandledRejection?: (fn: (reason: unknown) => boolean) => () => void;
  /** Undefined where no child process can be had. */
  spawn?: (plan: ChildPlan) => Promise<ChildEnd>;
  readonly log: Logger;
}
