/** Takes one job in: known by its id, lost to the holder of its unique key, or stored where it may go on from. */
import type { After, NewJob, Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { judge } from "./after.ts";
import { gather, payloadWith } from "./gathering.ts";
import type { Before } from "./hold.ts";
import { newJob } from "./job.ts";
import type { Job, Terms } from "./job.ts";
import { comeDue, end } from "./life.ts";
import type { Store } from "./store.ts";
import { adoptAgain } from "./adopt.ts";

/** The job that stands; undefined where a throttled key outlived it. */
export interface Accepted {
  readonly id: string;
  readonly isDuplicate: boolean;
  readonly job: Job | undefined;
}

/** By the id of each work of an atom that lost its unique key: who won it. */
export type Winners = Map<string, string>;

export function acceptJob(store: Store, work: NewJob, now: Instant, winners: Winners = new Map()): Accepted {
  const known = store.jobs.get(work.id);
  if (known) return stand(store, known, work);
  const winner = winnerOf(store, work, now);
  if (winner === undefined) return { id: work.id, isDuplicate: false, job: storeJob(store, work, winners, now) };
  winners.set(work.id, typeof winner === "string" ? winner : winner.id);
  if (typeof winner === "string") {
    const ended = store.jobs.get(winner);
    return ended ? stand(store, ended, work) : { id: winner, isDuplicate: true, job: undefined };
  }
  yieldTo(store, winner, work, now);
  return stand(store, winner, work);
}

const none: readonly Before[] = [];

/** What stands under these ids now: a job first, else a join. */
export function resolved(store: Store, after: readonly After[] | undefined, winners: Winners): readonly Before[] {
  if (after === undefined) return none;
  return after.map(({ id: named, when }) => {
    const id = winners.get(named) ?? named;
    return { id, when, held: store.jobs.get(id) ?? store.joins.find(id) };
  });
}

/** It is there already: where it was given to a join, it is a member of that too. */
function stand(store: Store, job: Job, work: NewJob): Accepted {
  adoptAgain(store, job, work.join);
  return { id: job.id, isDuplicate: true, job };
}

/** A gathering job that the newcomer does not fit into is full from here on. */
function winnerOf(store: Store, work: NewJob, now: Instant): Job | string | undefined {
  if (work.unique === undefined) return undefined;
  for (;;) {
    const winner = store.uniques.winner(work.unique, now);
    if (work.unique.mode.is !== "gather" || winner === undefined || typeof winner === "string") return winner;
    if (payloadWith(winner, work) !== undefined || winner.gathering === undefined) return winner;
    winner.gathering.isFull = true;
  }
}

function storeJob(store: Store, work: NewJob, winners: Winners, now: Instant): Job {
  const line = store.lines.of(work.queue, work.task);
  const join = work.join === undefined ? undefined : store.joins.find(work.join);
  const after = resolved(store, work.after, winners);
  const job = newJob(work, termsOf(work, now, 1, now), { line, seq: store.nextSeq(), join, after }, now);
  gather(job, work);
  if (work.unique?.mode.is === "throttle") store.uniques.keepUntil(work.unique.key, job.id, now + work.unique.mode.windowMs);
  const verdict = judge(store, after);
  const isByJoin = join !== undefined && join.state !== "open";
  if (verdict.is !== "met" || isByJoin) hold(store, job, work, isByJoin, now);
  else place(store, job, now);
  if (verdict.is === "unmet") end(store, job, verdict.fate.is, { reason: verdict.fate.reason }, now);
  return job;
}

/** Outside its lane and its limits until it is let go. */
function hold(store: Store, job: Job, work: NewJob, isByJoin: boolean, now: Instant): void {
  job.hold = { isByJoin, ...countdown(work) };
  job.startBy = work.startBy;
  job.state = "blocked";
  store.add(job, now);
}

function place(store: Store, job: Job, now: Instant): void {
  const place = job.lane ? store.lanes.of(job.lane.key).arrive(job) : "admitted";
  const isLimited = place === "admitted" && job.state === "ready" && job.keyLimits.length > 0;
  if (place !== "admitted") job.state = place;
  else if (isLimited) job.state = "blocked";
  store.add(job, now);
  if (isLimited) store.limits.queueUp(job);
}

/** The waiting job keeps its id and its place in lane and enqueue order; what it is to do, and when, becomes the new one's. */
function yieldTo(store: Store, job: Job, work: NewJob, now: Instant): void {
  if (!isRewriting(work.unique) || job.state === "running" || job.state === "parked") return;
  const isGathered = work.unique?.mode.is === "gather";
  if (!isGathered) {
    job.content = work.content;
    job.checkpoint = undefined;
  }
  job.payload = (isGathered ? payloadWith(job, work) : undefined) ?? work.payload;
  gather(job, work);
  const terms = termsOf(work, job.enqueuedAt, job.gathering?.elements ?? 1, now);
  const limit = job.limitedBy;
  store.limits.leave(job);
  job.version = work.version;
  job.expecting = work.expecting;
  job.headStartMs = work.headStartMs;
  job.startBy = job.hold ? work.startBy : terms.startBy;
  job.dueAt = terms.dueAt;
  job.urgency = terms.dueAt - work.headStartMs;
  job.delayedBy = "time";
  if (job.hold) Object.assign(job.hold, countdown(work));
  else if (limit && job.dueAt <= now) store.limits.moveTo(job, limit);
  else if (limit || job.state !== "blocked") resume(store, job, now);
}

/** A ready one keeps the room that it holds. */
function resume(store: Store, job: Job, now: Instant): void {
  if (job.dueAt > now) store.move(job, "scheduled", now);
  else if (job.state === "ready") store.move(job, "ready", now);
  else comeDue(store, job, now);
}

/** When it is due and must have started. `firstEnqueuedAt` is what a debounce's deadline counts from. */
function termsOf(work: NewJob, firstEnqueuedAt: Instant, elements: number, now: Instant): Terms {
  const startBy = work.startBy ?? (work.startWithinMs === undefined ? undefined : now + work.startWithinMs);
  const mode = work.unique?.mode;
  if (mode?.is === "gather" && elements >= mode.most) return { dueAt: now, startBy };
  if (mode?.is === "debounce" || mode?.is === "gather") return { dueAt: Math.min(now + mode.quietMs, firstEnqueuedAt + mode.atMostMs), startBy };
  return { dueAt: Math.max(now, work.dueAt ?? now + (work.delayMs ?? 0)), startBy };
}

/** What counts from its being let go. An instant that was stated stands, and so does the time of a debounce. */
function countdown(work: NewJob): { readonly delayMs: number | undefined; readonly startWithinMs: number | undefined } {
  const mode = work.unique?.mode.is;
  const stands = work.dueAt !== undefined || mode === "debounce" || mode === "gather";
  return { delayMs: stands ? undefined : work.delayMs, startWithinMs: work.startBy === undefined ? work.startWithinMs : undefined };
}

function isRewriting(unique: Uniqueness | undefined): boolean {
  return unique?.mode.is === "replace" || unique?.mode.is === "debounce" || unique?.mode.is === "gather";
}
