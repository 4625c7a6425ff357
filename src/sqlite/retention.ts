/** What history keeps, and for how long (G19). */
import type { Instant, Ms } from "../core/runtime.ts";
import { isEnded } from "../core/states.ts";
import { forgetEdges, hasLiveFollowers, isYetToBeTold } from "./after.ts";
import { flags, hasFlag, jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import { joinStates } from "./join.ts";
import { isAnyJoinPurgeDue, purgeJoins } from "./joinRetention.ts";
import { forgetMembership } from "./membership.ts";
import { leave } from "./move.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";
import { purgeEndedWindows } from "./unique.ts";

/** By errand_purges_at. */
const duePurges = "SELECT id, seqs FROM errand_purges WHERE at <= ? ORDER BY at, id LIMIT ?";
/** By rowid. */
const dropPurge = "DELETE FROM errand_purges WHERE id = ?";
const shortenPurge = "UPDATE errand_purges SET seqs = ? WHERE id = ?";
/** By rowids: completed ones whose time has come, and that have to do with no other. */
const dueCompleted = `SELECT j.seq, j.line FROM json_each(?) e CROSS JOIN errand_done d ON d.seq = e.value CROSS JOIN errand_jobs j ON j.seq = e.value
  CROSS JOIN errand_keeps k ON k.id = j.keep WHERE d.ended_at + (k.keep ->> 0) <= ? AND coalesce(j.remember_until, 0) <= ? AND (j.flags & ${flags.hasJoin | flags.hasAfter | flags.hasFollowers}) = 0`;
const removeRows = "DELETE FROM errand_jobs WHERE seq IN (SELECT value FROM json_each(?))";
const leaveDone = "DELETE FROM errand_done WHERE seq IN (SELECT value FROM json_each(?))";
/** By errand_joined_seq. */
const joinsOf = "SELECT joined, nth FROM errand_joined WHERE seq = ? ORDER BY nth";
/** By primary keys. */
const keepForJoin = "UPDATE errand_joined SET is_kept = 1 WHERE joined = ? AND seq = ?";
const keepForFollowers = `UPDATE errand_jobs SET flags = flags | ${flags.isKept} WHERE seq = ?`;
const removeRow = "DELETE FROM errand_jobs WHERE seq = ?";
/** By errand_events_purge. */
const purgeEvents = "DELETE FROM errand_events WHERE seq IN (SELECT seq FROM errand_events WHERE purge_at <= ? ORDER BY purge_at LIMIT ?)";
/** By their indexes: the first. */
const firstPurge = "SELECT min(at) FROM errand_purges";
const firstEventPurge = "SELECT min(purge_at) FROM errand_events";
const firstWindowEnd = "SELECT min(until) FROM errand_windows";

export function isAnyPurgeDue(sql: Statements, now: number): boolean {
  return (
    (sql.value<number | null>(firstPurge) ?? Infinity) <= now ||
    (sql.value<number | null>(firstEventPurge) ?? Infinity) <= now ||
    (sql.value<number | null>(firstWindowEnd) ?? Infinity) <= now ||
    isAnyJoinPurgeDue(sql, now)
  );
}

/** Removes ended jobs, old events, closed joins and ended windows of unique keys, `limit` of each. */
export function purge(tx: Transaction, limit: number): { purged: number; hasMore: boolean } {
  const jobs = purgeJobs(tx, limit);
  const joins = purgeJoins(tx, limit);
  const events = tx.sql.run(purgeEvents, tx.now, limit);
  const windows = purgeEndedWindows(tx, limit);
  return { purged: jobs.purged + joins + events, hasMore: jobs.hasMore || [joins, events, windows].some((count) => count >= limit) };
}

/** Members of joins that were given up, and these joins. */
export function purgeGivenUp(tx: Transaction, limit: number): number {
  const purged = tx.ties.givenUp.filter((seq) => purgeOne(tx, seq)).length;
  return purged + (tx.ties.joinsToPurge.size > 0 ? purgeJoins(tx, limit) : 0);
}

/** Out of the store, with all that points to it. */
export function removeJob(tx: Transaction, job: Job): void {
  leave(tx, job);
  tx.sql.run(removeRow, job.seq);
  forgetMembership(tx, job);
  if (hasFlag(job, flags.hasAfter)) forgetEdges(tx, job.seq);
  if (hasFlag(job, flags.hasFollowers)) tx.spendSeq(job.seq);
}

/** Hints are looked at, never trusted: the job may live again, be gone, or be remembered for longer. */
function purgeJobs(tx: Transaction, limit: number): { purged: number; hasMore: boolean } {
  let purged = 0;
  let budget = limit;
  const hints = tx.sql.tuples<[id: number, seqs: string]>(duePurges, tx.now, limit);
  for (const [id, text] of hints) {
    const seqs = JSON.parse(text) as number[];
    const looked = seqs.slice(0, budget);
    const completed = purgeCompleted(tx, looked);
    purged += completed.size;
    for (const seq of looked) if (!completed.has(seq) && purgeOne(tx, seq)) purged += 1;
    if (seqs.length > budget) {
      tx.sql.run(shortenPurge, JSON.stringify(seqs.slice(budget)), id);
      return { purged, hasMore: true };
    }
    tx.sql.run(dropPurge, id);
    budget -= seqs.length;
  }
  return { purged, hasMore: hints.length === limit };
}

/** Most are that: removed all at once, without reading them. */
function purgeCompleted(tx: Transaction, seqs: readonly number[]): Set<number> {
  const due = tx.sql.tuples<[seq: number, line: number]>(dueCompleted, JSON.stringify(seqs), tx.now, tx.now);
  const purged = new Set(due.map(([seq]) => seq));
  if (purged.size === 0) return purged;
  const text = JSON.stringify([...purged]);
  tx.sql.run(removeRows, text);
  tx.sql.run(leaveDone, text);
  for (const [, line] of due) tx.counters.add(line, "completed", -1);
  return purged;
}

function purgeOne(tx: Transaction, seq: number): boolean {
  const job = jobAt(tx, seq);
  if (job === undefined || !isEnded(job.state)) return false;
  const keepMs = tx.dictionary.keepById(tx.sql, job.keep)[job.state];
  const at = hasFlag(job, flags.hasJoin) ? timeOfMember(tx, job, keepMs) : timeOf(job, keepMs);
  const isGivenUp = at === -Infinity;
  const isNamed = hasFlag(job, flags.hasFollowers) && (isGivenUp ? isYetToBeTold(tx, seq) : hasLiveFollowers(tx, seq));
  if (at <= tx.now && !isNamed) removeJob(tx, job);
  else if (at <= tx.now && !isGivenUp) tx.sql.run(keepForFollowers, seq);
  else if (at !== Infinity) tx.purgeAt(Math.max(at, tx.now), seq);
  return at <= tx.now && !isNamed;
}

function timeOf(job: Job, keepMs: Ms): Instant {
  return Math.max((job.endedAt ?? 0) + keepMs, job.rememberUntil ?? 0);
}

/** Its keep counts from when its joins have closed; one that has not closed keeps it until then. -Infinity where its own was given up. */
function timeOfMember(tx: Transaction, job: Job, keepMs: Ms): Instant {
  let at = timeOf(job, keepMs);
  for (const [joined, nth] of tx.sql.tuples<[joined: number, nth: number]>(joinsOf, job.seq)) {
    const join = tx.joins.at(tx.sql, joined);
    if (join?.state === joinStates.removed && nth === 0) return -Infinity;
    if (join?.state === joinStates.closed) at = Math.max(at, (join.closedAt ?? 0) + keepMs);
    else if (join && at <= tx.now) {
      tx.sql.run(keepForJoin, joined, job.seq);
      at = Infinity;
    }
  }
  return at;
}
