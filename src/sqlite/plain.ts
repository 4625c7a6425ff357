/** Jobs without lane, unique key or deadline: stored many to a statement (3 µs each where one by one takes 10). */
import type { NewJob, NewWork } from "../core/engine.ts";
import type { Value } from "./driver.ts";
import type { Instant } from "../core/runtime.ts";
import { extraOf } from "./accept.ts";
import { firstDueAt } from "./due.ts";
import { flags } from "./job.ts";
import { codeOf } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

export function isPlain(work: NewWork): work is NewJob {
  return work.kind === "job" && work.lane === undefined && work.unique === undefined && work.startBy === undefined && work.startWithinMs === undefined;
}

/** Their states, in order; undefined, and nothing stored, if one of the ids is known. */
export function storePlain(tx: Transaction, jobs: readonly NewJob[]): ("ready" | "scheduled")[] | undefined {
  if (jobs.length === 0) return [];
  const first = tx.takeSeqs(jobs.length);
  const earliest = firstDueAt(tx.sql) ?? Infinity;
  const rows = jobs.map((job, at) => rowOf(tx, job, first + at));
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
  readonly line: number;
  readonly dueAt: Instant;
  readonly values: readonly Value[];
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

function rowOf(tx: Transaction, job: NewJob, seq: number): PlainRow {
  const { now } = tx;
  const line = tx.dictionary.line(tx.sql, job.queue, job.task).id;
  const keep = tx.dictionary.keep(tx.sql, job.keep);
  const dueAt = Math.max(now, job.dueAt ?? now + (job.delayMs ?? 0));
  const rememberUntil = job.rememberMs > 0 ? now + job.rememberMs : null;
  const values = [
    seq, job.id, line, keep, rememberUntil === null ? 0 : flags.isRemembered, job.payload, job.content,
    now, dueAt - job.headStartMs, job.headStartMs, dueAt, rememberUntil, extraOf(job), dueAt > now ? codeOf("scheduled") : 0,
  ];
  return { line, dueAt, values };
}

function insertAll(tx: Transaction, rows: readonly PlainRow[]): number {
  let inserted = 0;
  let at = 0;
  for (const size of sizes) {
    for (; rows.length - at >= size; at += size) {
      inserted += tx.sql.run(inserts.get(size) ?? "", ...rows.slice(at, at + size).flatMap(({ values }) => values));
    }
  }
  return inserted;
}
