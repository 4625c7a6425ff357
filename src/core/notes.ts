/** The keys and shapes of the notes that errand itself keeps. */
import type { Keep, KeyLimit, Uniqueness } from "./engine.ts";
import type { Ms } from "./runtime.ts";

/** A paused queue or task: `{ "reason": "…" }`. A claim passes over its lines; running jobs go on. */
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
export interface StoredSubscription extends StoredTask {
  readonly name: string;
  readonly event: string;
  readonly since: "now" | "beginning";
  readonly delayMs: Ms;
  /** True: the payload must be mapped by code first. The job is a hop, ordered by the event's own `orderedBy`; it has no unique key. */
  readonly isMapped: boolean;
}

/** A task as data: all that one of its jobs is stored with, besides what each job says itself. */
export interface StoredTask {
  readonly task: string;
  readonly queue: string;
  readonly headStartMs: Ms;
  /** Fields of the payload. */
  readonly orderedBy?: readonly string[];
  readonly ifDead?: "park" | "block" | "continue";
  readonly uniqueBy?: readonly string[];
  readonly uniqueMode?: Uniqueness["mode"];
  /** Key limits by fields of the payload; `per` empty never occurs. */
  readonly keyLimits?: readonly StoredKeyLimit[];
  readonly keep: Keep;
  readonly version?: number;
}

/**
 * What those need who hand work in by name, without its code, such as a trigger in the store's own database ({@link Engine.enqueuesByName}): a {@link StoredTask},
 * and a {@link StoredEvent} for each event that has something to say. Written when a broker that has the code opens; the last one counts.
 */
export const definitionPrefix = "definition/";
export const taskKey = (task: string): string => `${definitionPrefix}task/${task}`;
export const eventKey = (event: string): string => `${definitionPrefix}event/${event}`;
export interface StoredEvent {
  /** Fields of the payload that order its hops. */
  readonly orderedBy: readonly string[];
}

/** A task's limit per key as data: `scope` and the values of `per` make the key; `except` names other numbers for single values of a one-field key. */
export interface StoredKeyLimit {
  readonly scope: string;
  readonly per: readonly string[];
  readonly is: KeyLimit["is"];
  readonly except?: Readonly<Record<string, number>>;
}

/**
 * A limit over all keys that claims must have room under (G9): at most `running` at once, or `starts` in any `everyMs`. A worker names it in its claim's
 * terms, never its numbers: those stand here, versioned, and may be changed while workers run.
 */
export const limitKey = (name: string): string => `limit/${name}`;
export const limitPrefix = "limit/";
export type StoredLimit = { readonly running: number } | { readonly starts: number; readonly everyMs: Ms };

/** A named resource of which running jobs hold amounts. */
export const resourceKey = (name: string): string => `resource/${name}`;
export const resourcePrefix = "resource/";
export interface StoredResource {
  readonly capacity: number;
}

/** Where a schedule stands: written in the atom of the jobs of its slots, so that no instant at or before its cursor is enqueued again (G12). */
export const scheduleKey = (name: string): string => `schedule/${name}`;
export const schedulePrefix = "schedule/";
export const pausedSchedulePrefix = "pause/schedule/";
export const pausedSchedule = (name: string): string => `${pausedSchedulePrefix}${name}`;
/** How far a reconciliation has come, and what the last one found. */
export const reconciliationKey = (name: string): string => `reconciliation/${name}`;
export const reconciliationPrefix = "reconciliation/";

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
