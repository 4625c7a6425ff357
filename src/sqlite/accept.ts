/** Takes one job in: known by its id, lost to the holder of its unique key, or stored in its line and lane. */
import type { Enqueued, NewJob, Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { findJob, flags } from "./job.ts";
import type { Job } from "./job.ts";
import { arrive } from "./lane.ts";
import { enter, move, writeRow } from "./move.ts";
import { codeOf } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";
import { holdKey, keepKeyUntil, winnerOf } from "./unique.ts";

const addJob = `INSERT INTO errand_jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra,
  state, start_by, lane, lane_width, if_dead, unique_key, reason, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** By rowid. */
const replaceJob = "UPDATE errand_jobs SET payload = ?, content = ?, extra = json_patch(coalesce(extra, '{}'), ?) WHERE seq = ?";
/** By errand_jobs_id. */
const jobKnown = "SELECT 1 FROM errand_jobs WHERE id = ?";

export function acceptJob(tx: Transaction, work: NewJob): Enqueued {
  const known = tx.sql.value(jobKnown, work.id) !== undefined && findJob(tx, work.id);
  if (known) return { id: known.id, isDuplicate: true, state: known.state };
  const winner = work.unique && winnerOf(tx, work.unique);
  if (winner !== undefined) return lose(tx, work, winner);
  const job = storeJob(tx, work);
  return { id: job.id, isDuplicate: false, state: job.state };
}

/** What a job carries besides, as it is stored: JSON, or null when it carries nothing. */
export function extraOf(work: NewJob): string | null {
  if (work.expecting === undefined && work.version === undefined && work.from === undefined && work.slot === undefined) return null;
  const { expecting, version, from, slot } = work;
  return JSON.stringify({ expecting, version, from, slot });
}

function storeJob(tx: Transaction, work: NewJob): Job {
  const job = newJob(tx, work);
  if (work.lane) {
    const place = arrive(tx, work.lane.key, { seq: job.seq, width: work.lane.width });
    if (place !== "admitted") job.state = place;
  }
  if (work.unique?.mode.is === "throttle") keepKeyUntil(tx, work.unique.key, job.id, tx.now + work.unique.mode.windowMs);
  const code = job.state === "ready" ? 0 : codeOf(job.state);
  tx.sql.run(
    addJob,
    job.seq,
    job.id,
    job.line,
    job.keep,
    job.flags,
    work.payload,
    work.content,
    tx.now,
    job.urgency,
    job.headStartMs,
    job.dueAt,
    job.rememberUntil,
    extraOf(work),
    code,
    job.startBy,
    job.lane,
    job.laneWidth,
    job.ifDead,
    job.uniqueKey,
    job.reason,
    tx.now,
  );
  holdKey(tx, job);
  enter(tx, job);
  return job;
}

function newJob(tx: Transaction, work: NewJob): Job {
  const { dueAt, startBy } = termsOf(work, undefined, tx.now);
  return {
    seq: tx.takeSeq(),
    id: work.id,
    line: tx.dictionary.line(tx.sql, work.queue, work.task).id,
    keep: tx.dictionary.keep(tx.sql, work.keep),
    flags: flagsOf(work, startBy),
    enqueuedAt: tx.now,
    rememberUntil: work.rememberMs > 0 ? tx.now + work.rememberMs : null,
    lane: work.lane?.key ?? null,
    laneWidth: work.lane?.width ?? null,
    ifDead: work.lane?.ifDead ?? null,
    uniqueKey: work.unique?.key ?? null,
    fromEvent: work.from?.event ?? null,
    state: dueAt > tx.now ? "scheduled" : "ready",
    urgency: dueAt - work.headStartMs,
    headStartMs: work.headStartMs,
    dueAt,
    startBy,
    attempts: 0,
    starts: 0,
    suspects: 0,
    hasDied: 0,
    delayedBy: null,
    checkpoint: null,
    result: null,
    history: null,
    reason: null,
    isPoison: 0,
    endedAt: null,
    process: null,
    claim: null,
    fence: null,
    startedAt: null,
    isCancelling: null,
  };
}

function flagsOf(work: NewJob, startBy: Instant | null): number {
  return (
    (work.lane ? flags.hasLane : 0) |
    (work.unique ? flags.hasUnique : 0) |
    (startBy === null ? 0 : flags.hasStartBy) |
    (work.rememberMs > 0 ? flags.isRemembered : 0)
  );
}

function lose(tx: Transaction, work: NewJob, winner: Job | string): Enqueued {
  if (typeof winner === "string") {
    const ended = findJob(tx, winner);
    return { id: winner, isDuplicate: true, ...(ended && { state: ended.state }) };
  }
  if (isReplacing(work.unique) && winner.state !== "running" && winner.state !== "parked") replace(tx, winner, work);
  return { id: winner.id, isDuplicate: true, state: winner.state };
}

/** The waiting job keeps its id and its place in lane and enqueue order; what it is to do, and when, becomes the new one's. */
function replace(tx: Transaction, job: Job, work: NewJob): void {
  const { dueAt, startBy } = termsOf(work, job.enqueuedAt, tx.now);
  const change = { startBy, dueAt, headStartMs: work.headStartMs, urgency: dueAt - work.headStartMs, delayedBy: null };
  if (job.state === "blocked") {
    Object.assign(job, change);
    job.flags = startBy === null ? job.flags & ~flags.hasStartBy : job.flags | flags.hasStartBy;
    writeRow(tx, job, null);
  } else move(tx, job, dueAt > tx.now ? "scheduled" : "ready", change);
  // In a JSON patch, null removes.
  tx.sql.run(replaceJob, work.payload, work.content, JSON.stringify({ version: work.version ?? null, expecting: work.expecting ?? null }), job.seq);
}

/** When it is due and must have started. `firstEnqueuedAt` is what a debounce's deadline counts from. */
function termsOf(work: NewJob, firstEnqueuedAt: Instant | undefined, now: Instant): { dueAt: Instant; startBy: Instant | null } {
  const startBy = work.startBy ?? (work.startWithinMs === undefined ? null : now + work.startWithinMs);
  const mode = work.unique?.mode;
  if (mode?.is !== "debounce") return { dueAt: Math.max(now, work.dueAt ?? now + (work.delayMs ?? 0)), startBy };
  const quietAt = now + mode.quietMs;
  return { dueAt: firstEnqueuedAt === undefined ? quietAt : Math.min(quietAt, firstEnqueuedAt + mode.atMostMs), startBy };
}

function isReplacing(unique: Uniqueness | undefined): boolean {
  return unique?.mode.is === "replace" || unique?.mode.is === "debounce";
}
