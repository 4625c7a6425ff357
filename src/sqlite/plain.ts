/** Jobs without lane, unique key, deadline, join, predecessor or limit: stored many to a statement (3 µs each where one by one takes 10). */
import type { NewJob, NewWork } from "../core/engine.ts";
import type { Value } from "./driver.ts";
import type { Instant } from "../core/runtime.ts";
import { firstDueAt } from "./due.ts";
import { flags } from "./job.ts";
import { extraOf } from "./newJob.ts";
import { codeOf } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

export function isPlain(work: NewWork): work is NewJob {
  if (work.kind !== "job" || work.lane !== undefined || work.unique !== undefined || work.startBy !== undefined || work.startWithinMs !== undefined)
    return false;
  return work.join === undefined && isNone(work.after) && isNone(work.keyLimits) && work.lease === undefined;
}

function isNone(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

/** Their states, in order; undefined, and nothing stored, if one of the ids is known. */
export function storePlain(tx: Transaction, jobs: readonly NewJob[]): ("ready" | "scheduled")[] | undefined {
  if (jobs.length === 0) return [];
  const first = tx.takeSeqs(jobs.length);
  const earliest = firstDueAt(tx.sql) ?? Infinity;
  const rows = jobs.map((job, at): PlainRow => {
    const { dictionary, sql, now } = tx;
    const dueAt = Math.max(now, job.dueAt ?? now + (job.delayMs ?? 0));
    return { job, seq: first + at, line: dictionary.line(sql, job.queue, job.task).id, keep: dictionary.keep(sql, job.keep), dueAt };
  });
  if (insertAll(tx, rows) < jobs.length) {
    tx.sql.run(undo, first);
    tx.giveSeqsBack(first);
    return undefined;
  }
  tx.sql.run(readyAll, first);
  if (rows.some(({ dueAt }) => dueAt > tx.now)) tx.sql.run(scheduledAll, first);
  return rows.map(({ line, dueAt }) => {
    const state = dueAt > tx.now ? "scheduled" : "ready";
    tx.counters.add(line, state, 1);
    if (state === "ready" || dueAt < earliest) tx.isReadied = true;
    return state;
  });
}

interface PlainRow {
  readonly job: NewJob;
  readonly seq: number;
  readonly line: number;
  readonly keep: number;
  readonly dueAt: Instant;
}

const columns = "seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra, state";
const columnsCount = columns.split(",").length;
/** By errand_jobs_id. */
const conflict = "ON CONFLICT (id) DO NOTHING";
/** By rowid: what this call stored stands at the end. */
const undo = "DELETE FROM errand_jobs WHERE seq >= ?";
/** By rowid, into the primary keys. */
const readyAll = "INSERT INTO errand_ready (line, urgency, seq, flags) SELECT line, urgency, seq, flags FROM errand_jobs WHERE seq >= ? AND state = 0";
const scheduledAll = `INSERT INTO errand_scheduled (due_at, seq) SELECT due_at, seq FROM errand_jobs WHERE seq >= ? AND +state = ${codeOf("scheduled")}`;

/** Rows to a statement: few sizes, so that few statements are prepared. Measured: 100 is best; 500 binds no faster. */
const sizes = [100, 10, 1] as const;
const inserts = new Map(sizes.map((size) => [size, insertOf(size)]));

function insertOf(rows: number): string {
  const row = `(${Array<string>(columnsCount).fill("?").join(", ")})`;
  return `INSERT INTO errand_jobs (${columns}) VALUES ${Array<string>(rows).fill(row).join(", ")} ${conflict}`;
}

function insertAll(tx: Transaction, rows: readonly PlainRow[]): number {
  let inserted = 0;
  let at = 0;
  for (const size of sizes) {
    for (; rows.length - at >= size; at += size) {
      const values: Value[] = [];
      for (let row = at; row < at + size; row += 1) pushValues(values, rows[row], tx.now);
      inserted += tx.sql.run(inserts.get(size) ?? "", ...values);
    }
  }
  return inserted;
}

/** In the order of the columns. */
function pushValues(values: Value[], row: PlainRow | undefined, now: Instant): void {
  if (row === undefined) return;
  const { job, seq, line, keep, dueAt } = row;
  const rememberUntil = job.rememberMs > 0 ? now + job.rememberMs : null;
  const isRemembered = rememberUntil === null ? 0 : flags.isRemembered;
  values.push(seq, job.id, line, keep, isRemembered, job.payload, job.content, now, dueAt - job.headStartMs, job.headStartMs, dueAt, rememberUntil);
  values.push(extraOf(job), dueAt > now ? codeOf("scheduled") : 0);
}
