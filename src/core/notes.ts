/** The keys and shapes of the notes that errand itself keeps. */
import type { Keep, Uniqueness } from "./engine.ts";
import type { Instant, Ms } from "./runtime.ts";

/** A paused queue or task: `{ "by": "…", "reason": "…" }`. A claim passes over its lines; running jobs go on. */
export const pausedQueue = (queue: string): string => `pause/queue/${queue}`;
export const pausedTask = (task: string): string => `pause/task/${task}`;
export const subscriptionKey = (name: string): string => `subscription/${name}`;
export const subscriptionPrefix = "subscription/";
/** How far the history of a new subscriber was replayed: {@link StoredReplay}. Made and removed by the engine's enqueue and tidy. */
export const replayKey = (subscription: string): string => `replay/${subscription}`;
export const replayPrefix = "replay/";

/**
 * A subscription as data: all that a publisher without the subscriber's code needs to fan out (G10).
 * Written with `enqueue`; retired by deleting it. One with `since: "beginning"` that is written for the first time gets its history from `tidy`:
 * a job for every event of that name stored before it was written, oldest first, with the same job ids as the live fan-out (an id that is stored already is
 * passed over), so that the two meet without a gap or a double. One event fans out in the order of its subscriptions' names.
 */
export interface StoredSubscription {
  readonly name: string;
  readonly event: string;
  readonly since: "now" | "beginning";
  readonly task: string;
  readonly queue: string;
  readonly headStartMs: Ms;
  readonly delayMs: Ms;
  /** True: the payload must be mapped by code first. The job is a hop, ordered by the event's own `orderedBy`; it has no unique key. */
  readonly isMapped: boolean;
  /** Fields of the payload. */
  readonly orderedBy?: readonly string[];
  readonly ifDead?: "park" | "block" | "continue";
  readonly uniqueBy?: readonly string[];
  readonly uniqueMode?: Uniqueness["mode"];
  readonly gates?: readonly string[];
  readonly needs?: Readonly<Record<string, number>>;
  readonly keep: Keep;
  readonly version?: number;
}

/**
 * A limit that claims must get a permit of (G9): at most `running` at once, or `starts` in any `everyMs`. Works name it in `gates`; a worker names
 * gates, never their numbers. A limit per key is a lane of that width.
 */
export const limitKey = (name: string): string => `limit/${name}`;
export type StoredLimit = { readonly running: number } | { readonly starts: number; readonly everyMs: Ms };

/** A named resource of which works take amounts in `needs`. */
export const resourceKey = (name: string): string => `resource/${name}`;
export interface StoredResource {
  readonly capacity: number;
}

/** Where a schedule stands: written in the atom of the jobs of its slots, so that no instant at or before it is enqueued again (G12). */
export const scheduleKey = (name: string): string => `schedule/${name}`;
export interface StoredSchedule {
  readonly name: string;
  readonly rhythm: string;
  readonly zone: string;
  readonly missed: "drop" | "run-once" | "run-all";
  readonly cursor: Instant;
}

export interface StoredReplay {
  readonly subscription: string;
  readonly event: string;
  /** The engine's own position in its events. */
  readonly after: string;
}

/** Published by every engine, in the atom of the death, when a job dies or is parked by its death; never for jobs that this very event made. */
export const jobDiedName = "errand.job-died";
export interface JobDiedPayload {
  readonly jobId: string;
  readonly task: string;
  readonly queue: string;
  readonly reason: string;
  readonly attempts: number;
  readonly isPoison: boolean;
  readonly isParked: boolean;
}
