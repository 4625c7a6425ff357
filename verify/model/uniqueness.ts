/** At most one live job per unique key (G6): who wins, and what the loser leaves with it. */
import type { Enqueued, NewJob } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import type { Storing } from "./enqueueing.ts";
import { beReady } from "./lanes.ts";
import { isLive, isWaiting, jobWithId } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

/** Undefined: nobody holds the key. */
export function joinWinner(state: ModelState, work: NewJob, now: Instant, told: Storing): Enqueued | undefined {
  if (work.unique === undefined) return undefined;
  const { key, mode } = work.unique;
  const winner = winnerOf(state, work, told);
  if (winner !== undefined) {
    if ((mode.is === "replace" || mode.is === "debounce" || mode.is === "gather") && isWaiting(winner)) replace(winner, work, now);
    return { id: winner.id, isDuplicate: true, state: winner.state };
  }
  const held = state.heldKeys.find((holder) => holder.key === key && holder.until > now && !isOnlyRunning(state, holder.jobId));
  if (held === undefined) return undefined;
  const holder = jobWithId(state, held.jobId);
  return { id: held.jobId, isDuplicate: true, ...(holder && { state: holder.state }) };
}

/** A throttled key under another mode: one-more lets one wait beside the running holder. */
function isOnlyRunning(state: ModelState, jobId: string): boolean {
  return jobWithId(state, jobId)?.state === "running";
}

/** Where several could win, the engine chooses. */
function winnerOf(state: ModelState, { id, unique, version }: NewJob, told: Storing): ModelJob | undefined {
  const live = state.jobs.filter((job) => job.unique?.key === unique?.key && isLive(job));
  const mode = unique?.mode.is;
  const could =
    mode === "one-more" ? live.filter((job) => job.state !== "running") : mode === "gather" ? live.filter((job) => isGathering(job, version)) : live;
  const isNew = mode === "gather" && told.winner(id) === id && could.every((job) => job.mayHaveLostKey);
  return isNew ? undefined : (could.find((job) => job.id === told.winner(id)) ?? could.find(told.hasGrown) ?? could[0]);
}

/** Born to gather, waiting, with nothing saved, and with room for one more element of this version. */
function isGathering(job: ModelJob, version: number | undefined): boolean {
  return isWaiting(job) && job.unique?.mode.is === "gather" && job.version === version && job.checkpoint === undefined && !isFull(job);
}

function isFull(job: ModelJob): boolean {
  return job.unique?.mode.is === "gather" && elementsOf(job.payload).length >= job.unique.mode.most;
}

const elementsOf = (payload: string): unknown[] => JSON.parse(payload) as unknown[];

function replace(job: ModelJob, work: NewJob, now: Instant): void {
  const isGathered = work.unique?.mode.is === "gather";
  job.payload = isGathered ? JSON.stringify([...elementsOf(job.payload), ...elementsOf(work.payload)]) : work.payload;
  job.version = work.version;
  if (!isGathered) job.content = work.content;
  if (!isGathered) job.checkpoint = undefined;
  job.expecting = work.expecting;
  job.startBy = job.isHeld ? work.startBy : startByOf(work, now);
  job.headStartMs = work.headStartMs;
  job.dueAt = isFull(job) ? now : dueOf(work, now, job.enqueuedAt);
  job.urgency = job.dueAt - work.headStartMs;
  job.delayMs = isDebounced(work) ? undefined : work.delayMs;
  job.startWithinMs = work.startBy === undefined ? work.startWithinMs : undefined;
  job.delayedBy = "time";
  // One that waits for room goes on to wait, as long as it is due.
  if (job.state !== "blocked" || (job.asks !== undefined && job.dueAt > now)) beReady(job, now);
}

export function dueOf(work: NewJob, now: Instant, firstEnqueuedAt: Instant): Instant {
  const mode = work.unique?.mode;
  if (mode?.is === "gather" && mode.most <= 1) return now;
  if (mode?.is === "debounce" || mode?.is === "gather") {
    return firstEnqueuedAt === now ? now + mode.quietMs : Math.min(now + mode.quietMs, firstEnqueuedAt + mode.atMostMs);
  }
  if (work.dueAt !== undefined) return Math.max(work.dueAt, now);
  return now + (work.delayMs ?? 0);
}

export function startByOf(work: NewJob, now: Instant): Instant | undefined {
  return work.startBy ?? (work.startWithinMs === undefined ? undefined : now + work.startWithinMs);
}

/** Due as its mode says, whatever its delay. */
export function isDebounced({ unique }: NewJob): boolean {
  return unique?.mode.is === "debounce" || unique?.mode.is === "gather";
}
