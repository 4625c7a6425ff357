/** The only way for a job from one state to another; keeps the small tables and the counters in step. */
import type { Instant } from "../core/runtime.ts";
import { endedAs } from "../core/joining.ts";
import { isEnded } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { turnFollowers } from "./after.ts";
import { codeIn, flags, hasFlag } from "./job.ts";
import type { Job } from "./job.ts";
import { leaveKeys, takeKeys } from "./keyLimit.ts";
import { readyPlace } from "./readyPlace.ts";
import type { Transaction } from "./transaction.ts";
import { holdKey, releaseKey } from "./unique.ts";

/** What may change together with the state. */
export type Change = Partial<
  Pick<
    Job,
    | "urgency"
    | "headStartMs"
    | "dueAt"
    | "startBy"
    | "attempts"
    | "starts"
    | "suspects"
    | "hasDied"
    | "delayedBy"
    | "checkpoint"
    | "result"
    | "reason"
    | "isPoison"
  >
>;

/** By primary keys. */
const leaveReady = "DELETE FROM errand_ready WHERE line = ? AND urgency = ? AND seq = ?";
const leaveScheduled = "DELETE FROM errand_scheduled WHERE due_at = ? AND seq = ?";
const leaveRunning = "DELETE FROM errand_running WHERE seq = ?";
const leaveDone = "DELETE FROM errand_done WHERE seq = ?";
const forgetDeadline = "DELETE FROM errand_deadlines WHERE start_by = ? AND seq = ?";
const enterReady = "INSERT INTO errand_ready (line, urgency, seq, flags) VALUES (?, ?, ?, ?)";
const enterScheduled = "INSERT INTO errand_scheduled (due_at, seq) VALUES (?, ?)";
const enterDone = "INSERT INTO errand_done (seq, ended_at) VALUES (?, ?)";
const setDeadline = "INSERT INTO errand_deadlines (start_by, seq) VALUES (?, ?)";
/** By primary key: the first. */
const firstDue = "SELECT min(due_at) FROM errand_scheduled";
/** By rowid. */
const writeJob = `UPDATE errand_jobs SET state = ?, flags = ?, urgency = ?, head_start = ?, due_at = ?, start_by = ?, attempts = ?, starts = ?, suspects = ?,
  has_died = ?, delayed_by = ?, checkpoint = ?, result = ?, history = ?, reason = ?, is_poison = ?, ended_at = ?, since = coalesce(?, since) WHERE seq = ?`;

/** What has key limits asks for their room when it would become ready: at the end of the verb, together with all that do. */
export function move(tx: Transaction, job: Job, to: JobState, change: Change = {}): void {
  if (to !== "ready" || job.state === "ready" || !hasFlag(job, flags.hasKeyLimits)) return place(tx, job, to, change);
  place(tx, job, "blocked", change, flags.isLimited);
  tx.keys.arrivals.add(job.seq);
}

/** `more`: a flag that goes with being blocked. */
export function place(tx: Transaction, job: Job, to: JobState, change: Change = {}, more = 0): void {
  const from = job.state;
  leave(tx, job);
  Object.assign(job, change);
  job.state = to;
  job.endedAt = isEnded(to) ? tx.now : null;
  job.flags = job.startBy === null ? job.flags & ~flags.hasStartBy : job.flags | flags.hasStartBy;
  job.flags = (job.flags & ~(to === "blocked" ? flags.isLimited : flags.isLimited | flags.isHeld)) | more;
  // A plain completion is told by errand_done alone.
  if (to !== "completed" || Object.keys(change).length > 0) writeRow(tx, job);
  if (isEnded(to) !== isEnded(from)) turn(tx, job, !isEnded(to));
  if ((job.flags & hasTies) !== 0) tx.ties.noteEnding(job.seq, job.flags, endedAs(from), endedAs(to));
  enter(tx, job);
}

const hasTies = flags.hasJoin | flags.hasFollowers;

function turn(tx: Transaction, job: Job, isLive: boolean): void {
  if (isLive) holdKey(tx, job);
  else releaseKey(tx, job);
  if (hasFlag(job, flags.hasAfter)) turnFollowers(tx, [job.seq], isLive);
}

/** Puts a job that was just stored where its state belongs. */
export function enter(tx: Transaction, job: Job): void {
  tx.counters.add(job.line, job.state, 1);
  if (job.state === "ready") {
    tx.sql.run(enterReady, readyPlace(job), job.urgency, job.seq, job.flags);
    if (hasFlag(job, flags.hasKeyLimits)) takeKeys(tx, job);
    tx.isReadied = true;
  } else if (job.state === "scheduled") {
    // One that is due before all others moves the instant that workers sleep until.
    if (job.dueAt < (tx.sql.value<number>(firstDue) ?? Infinity)) tx.isReadied = true;
    tx.sql.run(enterScheduled, job.dueAt, job.seq);
  } else if (isEnded(job.state)) {
    if (job.state === "completed") tx.sql.run(enterDone, job.seq, tx.now);
    tx.purgeAt(Math.max(tx.now + tx.dictionary.keepById(tx.sql, job.keep)[job.state], job.rememberUntil ?? 0), job.seq);
  }
  if (hasDeadline(job)) tx.sql.run(setDeadline, job.startBy, job.seq);
}

/** Takes it out of its state's small rows. */
export function leave(tx: Transaction, job: Job): void {
  tx.counters.add(job.line, job.state, -1);
  if (hasFlag(job, flags.hasKeyLimits)) leaveKeys(tx, job);
  if (job.state === "ready") tx.sql.run(leaveReady, readyPlace(job), job.urgency, job.seq);
  else if (job.state === "scheduled") tx.sql.run(leaveScheduled, job.dueAt, job.seq);
  else if (job.state === "running") leaveHands(tx, job);
  else if (job.state === "completed") tx.sql.run(leaveDone, job.seq);
  if (hasDeadline(job)) tx.sql.run(forgetDeadline, job.startBy, job.seq);
}

function leaveHands(tx: Transaction, job: Job): void {
  tx.sql.run(leaveRunning, job.seq);
  if (job.terms !== null) tx.giveGatesBack(job.terms);
}

/** `since`: when it came into its state; null leaves it. */
export function writeRow(tx: Transaction, job: Job, since: Instant | null = tx.now): void {
  job.since = since ?? job.since;
  tx.sql.run(
    writeJob,
    codeIn(job),
    job.flags,
    job.urgency,
    job.headStartMs,
    job.dueAt,
    job.startBy,
    job.attempts,
    job.starts,
    job.suspects,
    job.hasDied,
    job.delayedBy,
    job.checkpoint,
    job.result,
    job.history,
    job.reason,
    job.isPoison,
    job.state === "completed" ? null : job.endedAt,
    since,
    job.seq,
  );
}

function hasDeadline(job: Job): job is Job & { startBy: number } {
  return job.startBy !== null && job.starts === 0 && (job.state === "ready" || job.state === "scheduled");
}
