/** A job's life: each change of state with all that follows from it. Every verb changes jobs through these. */
import type { AttemptRow, StoredError } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import type { EndedState } from "../core/states.ts";
import { publishDeath } from "./fanOut.ts";
import { isLate, remember } from "./job.ts";
import type { Job } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { Store } from "./store.ts";

export interface Ending {
  readonly reason?: string | undefined;
  readonly error?: StoredError | undefined;
  readonly ranMs?: number | undefined;
  readonly isPoison?: boolean | undefined;
}

/** It ends, leaves its lane and frees its unique key. An ending that was not clean is recorded. */
export function end(store: Store, job: Job, state: EndedState, ending: Ending, now: Instant): void {
  if (state !== "completed") remember(job, attemptRow(job, state, ending, now));
  finish(store, job, state, ending, now);
}

/** It dies: dead, or parked where its lane says so. Its death is published. */
export function die(store: Store, job: Job, ending: Ending, now: Instant): void {
  remember(job, attemptRow(job, "dead", ending, now));
  job.isPoison = ending.isPoison ?? false;
  job.hasDied = true;
  // Read before it is moved: the fence of its last claim makes each death an event of its own, also of a job that was redriven.
  const fence = job.lease?.fence ?? 0;
  const lane = store.lanes.laneOf(job);
  if (lane && job.lane?.ifDead === "park") close(store, lane, job, ending, now);
  else if (lane && job.lane?.ifDead === "block") hold(store, lane, job, ending, now);
  else finish(store, job, "dead", ending, now);
  publishDeath(store, job, fence, now);
}

/** Waiting: it ends. Running: its worker hears of it with its next beat; whatever it settles, the job ends cancelled. */
export function cancel(store: Store, job: Job, reason: string, now: Instant): "cancelled" | "cancelling" {
  if (job.lease === undefined) {
    end(store, job, "cancelled", { reason }, now);
    return "cancelled";
  }
  job.lease.isCancelling = true;
  job.reason ??= reason;
  return "cancelling";
}

/**
 * It waits again: for its time, for room under its limits, or for a worker; unless its lane was closed meanwhile, it comes back though one before it
 * in its row lives, or it is too late to start.
 */
export function wait(store: Store, job: Job, now: Instant): void {
  const lane = store.lanes.laneOf(job);
  if (lane?.closed) park(store, lane, job, now);
  else if (lane && job.lease?.isFollower === true && lane.isBehind(job)) block(store, lane, job, now);
  else if (isLate(job, now)) skipLate(store, job, now);
  else if (job.dueAt > now) store.move(job, "scheduled", now);
  else comeDue(store, job, now);
}

/** Ready, or first to be given room by its limits: that is seen at the end of the verb. */
export function comeDue(store: Store, job: Job, now: Instant): void {
  if (job.keyLimits.length === 0) {
    store.move(job, "ready", now);
    return;
  }
  store.move(job, "blocked", now);
  store.limits.queueUp(job);
}

/** It was not started in time. */
export function skipLate(store: Store, job: Job, now: Instant): void {
  store.skippedLate += 1;
  const startBy = new Date(job.startBy ?? now).toISOString();
  end(store, job, "skipped", { reason: `too late: not started by ${startBy}` }, now);
}

export function park(store: Store, lane: Lane, job: Job, now: Instant): void {
  lane.park(job);
  store.move(job, "parked", now);
}

function block(store: Store, lane: Lane, job: Job, now: Instant): void {
  lane.block(job);
  // The earlier one may be waiting to be admitted itself.
  store.lanes.toAdmit.add(lane);
  store.move(job, "blocked", now);
}

/** A new start: attempts, starts and suspicion begin anew; the history stays. One that had started in time need not do so again. */
export function beginAnew(job: Job): void {
  if (job.starts > 0) job.startBy = undefined;
  job.attempts = 0;
  job.starts = 0;
  job.suspects = 0;
  job.deathsAlone = 0;
  job.hasDied = false;
  job.isPoison = false;
  job.reason = undefined;
  job.endedAt = undefined;
}

export function attemptRow(job: Job, is: AttemptRow["is"], ending: Ending, now: Instant): AttemptRow {
  return {
    start: job.starts,
    is,
    at: now,
    ...(ending.ranMs !== undefined && { ranMs: ending.ranMs }),
    ...(ending.reason !== undefined && { reason: ending.reason }),
    ...(ending.error && { error: ending.error }),
  };
}

function finish(store: Store, job: Job, state: EndedState, ending: Ending, now: Instant): void {
  job.reason = reasonOf(ending);
  store.move(job, state, now);
  store.lanes.leave(job);
}

function hold(store: Store, lane: Lane, job: Job, ending: Ending, now: Instant): void {
  job.reason = reasonOf(ending);
  lane.hold(job);
  store.move(job, "parked", now);
}

/** The lane closes. Its admitted members, at most its width, are parked at once; the blocked ones by tidy. */
function close(store: Store, lane: Lane, job: Job, ending: Ending, now: Instant): void {
  lane.closed ??= { by: job.id, at: now };
  job.reason = reasonOf(ending);
  park(store, lane, job, now);
  for (const member of lane.admittedWaiting()) park(store, lane, member, now);
  store.lanes.toSort.add(lane);
}

function reasonOf(ending: Ending): string | undefined {
  return ending.reason ?? ending.error?.message;
}
