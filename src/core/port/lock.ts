/** Locks with fences and a line of tickets (G17). Part of the Engine port. */
import type { Instant, Ms } from "../runtime.ts";

/** Asking again with the same ticket keeps the place; readers share, writers wait in the order of their tickets and let no later reader pass. */
export interface LockRequest {
  readonly name: string;
  readonly mode: "read" | "write";
  readonly process: string;
  readonly ticket: string;
  readonly leaseMs: Ms;
  readonly lastFence: number;
  /**
   * How many writers may hold it at once: a semaphore. Default 1. A writer is refused with `permits-conflict`, and gets no ticket, where one that holds it or
   * waits for it named another number.
   */
  readonly permits?: number;
}

export interface Grant {
  readonly is: "granted";
  readonly fence: number;
  readonly now: Instant;
}

export interface Waiting {
  readonly is: "waiting";
  readonly ahead: number;
  readonly now: Instant;
}
