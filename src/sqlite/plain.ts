/** Jobs without lane, unique key or time: ready at once, stored many to a statement (3 µs each where one by one takes 15). */
import type { NewJob, NewWork } from "../core/engine.ts";
import type { Value } from "./driver.ts";
import { extraOf } from "./accept.ts";
import { flags } from "./job.ts";
import type { Transaction } from "./transaction.ts";

export function isPlain(work: NewWork): work is NewJob {
  return work.kind === "job" && work.lane === undefined && work.unique === undefined && work.startBy === undefined && work.startWithinMs === undefined
    && work.dueAt === undefined && (work.delayMs === undefined || work.delayMs <= 0);
}

/** False, and nothing stored, if one of the ids is known. */
export function storePlain(tx: Transaction, jobs: readonly NewJob[]): boolean {
  if (jobs.length === 0) return true;
  const first = tx.takeSeqs(jobs.length);
  const linesBefore = new Map<number, number>();
  if (insertAll(tx, jobs, first, linesBefore) < jobs.length) {
    tx.sql.run(undo, first);
    tx.giveSeqsBack(first);
    return false;
  }
  tx.sql.run(readyAll, first);
  for (const [line, count] of linesBefore) tx.counters.add(line, "ready", count);
  tx.isReadied = true;
  return true;
}

const columns = "seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra";
const columnsCount = columns.split(",").length;
/** By errand_jobs_id. */
const conflict = "ON CONFLICT (id) DO NOTHING";
/** By rowid: what this call stored stands at the end. */
const undo = "DELETE FROM errand_jobs WHERE seq >= ?";
/** By rowid, into the primary key. */
const readyAll = "INSERT INTO errand_ready (line, urgency, seq, flags) SELECT line, urgency, seq, flags FROM errand_jobs WHERE seq >= ?";

/** Rows to a statement: few sizes, so that few statements are prepared. Measured: 100 is best; 500 binds no faster. */
const sizes = [100, 10, 1] as const;
const inserts = new Map(sizes.map((size) => [size, insertOf(size)]));

function insertOf(rows: number): string {
  const row = `(${Array<string>(columnsCount).fill("?").join(", ")})`;
  return `INSERT INTO errand_jobs (${columns}) VALUES ${Array<string>(rows).fill(row).join(", ")} ${conflict}`;
}

function insertAll(tx: Transaction, jobs: readonly NewJob[], first: number, counts: Map<number, number>): number {
  let inserted = 0;
  let at = 0;
  for (const size of sizes) {
    for (; jobs.length - at >= size; at += size) {
      const values: Value[] = [];
      for (let row = at; row < at + size; row += 1) {
        const job = jobs[row];
        if (job) pushValues(tx, values, job, first + row, counts);
      }
      inserted += tx.sql.run(inserts.get(size) ?? "", ...values);
    }
  }
  return inserted;
}

function pushValues(tx: Transaction, values: Value[], job: NewJob, seq: number, counts: Map<number, number>): void {
  const line = tx.dictionary.line(tx.sql, job.queue, job.task).id;
  counts.set(line, (counts.get(line) ?? 0) + 1);
  const isRemembered = job.rememberMs > 0;
  values.push(
    seq, job.id, line, tx.dictionary.keep(tx.sql, job.keep), isRemembered ? flags.isRemembered : 0, job.payload, job.content,
    tx.now, tx.now - job.headStartMs, job.headStartMs, tx.now, isRemembered ? tx.now + job.rememberMs : null, extraOf(job),
  );
}
