/** What history keeps, and for how long (G19). */
import { isEnded } from "../core/states.ts";
import { jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import { leave } from "./move.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";
import { purgeEndedWindows } from "./unique.ts";

/** By errand_purges_at. */
const duePurges = "SELECT id, seqs FROM errand_purges WHERE at <= ? ORDER BY at, id LIMIT ?";
/** By rowid. */
const dropPurge = "DELETE FROM errand_purges WHERE id = ?";
const shortenPurge = "UPDATE errand_purges SET seqs = ? WHERE id = ?";
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
    (sql.value<number | null>(firstWindowEnd) ?? Infinity) <= now
  );
}

/** Removes ended jobs, old events and ended windows of unique keys, `limit` of each. */
export function purge(tx: Transaction, limit: number): { purged: number; hasMore: boolean } {
  const jobs = purgeJobs(tx, limit);
  const events = tx.sql.run(purgeEvents, tx.now, limit);
  const windows = purgeEndedWindows(tx, limit);
  return { purged: jobs.purged + events, hasMore: jobs.hasMore || events === limit || windows === limit };
}

/** Out of the store, with all that points to it. */
export function removeJob(tx: Transaction, job: Job): void {
  leave(tx, job);
  tx.sql.run(removeRow, job.seq);
}

/** Hints are looked at, never trusted: the job may live again, be gone, or be remembered for longer. */
function purgeJobs(tx: Transaction, limit: number): { purged: number; hasMore: boolean } {
  let purged = 0;
  let budget = limit;
  const hints = tx.sql.tuples<[id: number, seqs: string]>(duePurges, tx.now, limit);
  for (const [id, text] of hints) {
    const seqs = JSON.parse(text) as number[];
    for (const seq of seqs.slice(0, budget)) if (purgeOne(tx, seq)) purged += 1;
    if (seqs.length > budget) {
      tx.sql.run(shortenPurge, JSON.stringify(seqs.slice(budget)), id);
      return { purged, hasMore: true };
    }
    tx.sql.run(dropPurge, id);
    budget -= seqs.length;
  }
  return { purged, hasMore: hints.length === limit };
}

function purgeOne(tx: Transaction, seq: number): boolean {
  const job = jobAt(tx, seq);
  if (job === undefined || !isEnded(job.state)) return false;
  const keepMs = tx.dictionary.keepById(tx.sql, job.keep)[job.state];
  const at = Math.max((job.endedAt ?? 0) + keepMs, job.rememberUntil ?? 0);
  if (at <= tx.now) removeJob(tx, job);
  else tx.purgeAt(at, seq);
  return at <= tx.now;
}
