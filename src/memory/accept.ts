/** Takes one job in: known by its id, lost to the holder of its unique key, or stored in its line and lane. */
import type { Enqueued, NewJob, Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { newJob } from "./job.ts";
import type { Job, Terms } from "./job.ts";
import type { Store } from "./store.ts";

export function acceptJob(store: Store, work: NewJob, now: Instant): Enqueued {
  const known = store.jobs.get(work.id);
  if (known) return { id: known.id, isDuplicate: true, state: known.state };
  const winner = work.unique && store.uniques.winner(work.unique, now);
  if (winner !== undefined) return lose(store, work, winner, now);
  const job = storeJob(store, work, now);
  return { id: job.id, isDuplicate: false, state: job.state };
}

function storeJob(store: Store, work: NewJob, now: Instant): Job {
  const line = store.lines.of(work.queue, work.task);
  const job = newJob(work, termsOf(work, now, now), line, store.nextSeq(), now);
  if (job.lane) {
    const lane = store.lanes.of(job.lane.key);
    const place = lane.arrive(job);
    if (place !== "admitted") job.state = place;
  }
  if (work.unique?.mode.is === "throttle") store.uniques.keepUntil(work.unique.key, job.id, now + work.unique.mode.windowMs);
  store.add(job, now);
  return job;
}

function lose(store: Store, work: NewJob, winner: Job | string, now: Instant): Enqueued {
  if (typeof winner === "string") {
    const ended = store.jobs.get(winner);
    return { id: winner, isDuplicate: true, ...(ended && { state: ended.state }) };
  }
  if (isReplacing(work.unique) && winner.state !== "running" && winner.state !== "parked") replace(store, winner, work, now);
  return { id: winner.id, isDuplicate: true, state: winner.state };
}

/** The waiting job keeps its id and its place in lane and enqueue order; what it is to do, and when, becomes the new one's. */
function replace(store: Store, job: Job, work: NewJob, now: Instant): void {
  const terms = termsOf(work, job.enqueuedAt, now);
  job.content = work.content;
  job.payload = work.payload;
  job.version = work.version;
  job.expecting = work.expecting;
  job.headStartMs = work.headStartMs;
  job.startBy = terms.startBy;
  job.dueAt = terms.dueAt;
  job.urgency = terms.dueAt - work.headStartMs;
  job.delayedBy = "time";
  if (job.state !== "blocked") store.move(job, job.dueAt > now ? "scheduled" : "ready", now);
}

/** When it is due and must have started. `firstEnqueuedAt` is what a debounce's deadline counts from. */
function termsOf(work: NewJob, firstEnqueuedAt: Instant, now: Instant): Terms {
  const startBy = work.startBy ?? (work.startWithinMs === undefined ? undefined : now + work.startWithinMs);
  const mode = work.unique?.mode;
  if (mode?.is === "debounce") return { dueAt: Math.min(now + mode.quietMs, firstEnqueuedAt + mode.atMostMs), startBy };
  return { dueAt: Math.max(now, work.dueAt ?? now + (work.delayMs ?? 0)), startBy };
}

function isReplacing(unique: Uniqueness | undefined): boolean {
  return unique?.mode.is === "replace" || unique?.mode.is === "debounce";
}
