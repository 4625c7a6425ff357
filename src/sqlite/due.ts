/** What the passing of time does: scheduled jobs become ready, and jobs that were not started in time are skipped. */
import type { Instant } from "../core/runtime.ts";
import { flags, jobAt } from "./job.ts";
import { skipLate } from "./life.ts";
import { move } from "./move.ts";
import { readyPlaceOf } from "./readyPlace.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key: the first. */
const firstDue = "SELECT min(due_at) FROM errand_scheduled";
const firstDeadline = "SELECT min(start_by) FROM errand_deadlines";
/** By primary key, then rowids. */
const dueJobs =
  "SELECT s.due_at, s.seq, j.line, j.flags FROM errand_scheduled s CROSS JOIN errand_jobs j ON j.seq = s.seq WHERE s.due_at <= ? ORDER BY s.due_at, s.seq LIMIT ?";
const leaveScheduled = "DELETE FROM errand_scheduled WHERE (due_at, seq) <= (?, ?)";
const leaveScheduledOne = "DELETE FROM errand_scheduled WHERE due_at = ? AND seq = ?";
/** By rowids. */
const tellReady = "UPDATE errand_jobs SET state = 0, since = ? WHERE seq IN (SELECT value FROM json_each(?))";
const enterReady = `INSERT INTO errand_ready (line, urgency, seq, flags)
  SELECT ${readyPlaceOf("j")}, j.urgency, j.seq, j.flags FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value`;
/** By primary key. */
const lateJobs = "SELECT seq FROM errand_deadlines WHERE start_by < ? ORDER BY start_by, seq LIMIT ?";

export function firstDueAt(sql: Statements): Instant | undefined {
  return sql.value<number | null>(firstDue) ?? undefined;
}

export function firstDeadlineAt(sql: Statements): Instant | undefined {
  return sql.value<number | null>(firstDeadline) ?? undefined;
}

/** Answers how many were due: ready now, or blocked by a key limit. */
export function promote(tx: Transaction, limit: number): number {
  if ((firstDueAt(tx.sql) ?? Infinity) > tx.now) return 0;
  const due = tx.sql.tuples<Due>(dueJobs, tx.now, limit);
  const plain = due.filter(([, , , flagged]) => (flagged & flags.hasKeyLimits) === 0);
  if (plain.length === due.length) promotePlain(tx, plain, upToLast);
  else promotePlain(tx, plain, oneByOne);
  for (const [, seq, , flagged] of due) {
    const job = (flagged & flags.hasKeyLimits) === 0 ? undefined : jobAt(tx, seq);
    if (job) move(tx, job, "ready");
  }
  return due.length;
}

type Due = [dueAt: number, seq: number, line: number, flags: number];

function promotePlain(tx: Transaction, due: readonly Due[], leave: (tx: Transaction, due: readonly Due[]) => void): void {
  if (due.length === 0) return;
  const seqs = JSON.stringify(due.map(([, seq]) => seq));
  leave(tx, due);
  tx.sql.run(tellReady, tx.now, seqs);
  tx.sql.run(enterReady, seqs);
  for (const [, , line] of due) {
    tx.counters.add(line, "scheduled", -1);
    tx.counters.add(line, "ready", 1);
  }
  tx.isReadied = true;
}

/** Where they are all that is due up to the last. */
function upToLast(tx: Transaction, due: readonly Due[]): void {
  const last = due.at(-1);
  if (last) tx.sql.run(leaveScheduled, last[0], last[1]);
}

function oneByOne(tx: Transaction, due: readonly Due[]): void {
  for (const [dueAt, seq] of due) tx.sql.run(leaveScheduledOne, dueAt, seq);
}

/** Answers how many were skipped. */
export function skipLateOnes(tx: Transaction, limit: number): number {
  const late = tx.sql.tuples<[seq: number]>(lateJobs, tx.now, limit);
  for (const [seq] of late) {
    const job = jobAt(tx, seq);
    if (job) skipLate(tx, job);
  }
  return late.length;
}
