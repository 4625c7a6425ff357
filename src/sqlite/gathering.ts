/** Jobs that take the payloads of those that come while they wait. */
import type { NewJob } from "../core/engine.ts";
import { gathered } from "../core/gather.ts";
import { flags } from "./job.ts";
import type { Job } from "./job.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid. */
const payloadOf = "SELECT payload, extra ->> '$.version' FROM errand_jobs WHERE seq = ? AND checkpoint IS NULL";
const countElements = "SELECT json_array_length(?)";
const tellFull = `UPDATE errand_jobs SET flags = flags | ${flags.isFull} WHERE seq = ?`;

/** The payload with that of a newcomer; undefined where it does not fit, is of another version, or the job has saved how far it came with its own. */
export function payloadWith(tx: Transaction, job: Job, work: NewJob): string | undefined {
  const [row] = tx.sql.tuples<[payload: string, version: number | null]>(payloadOf, job.seq);
  return row && row[1] === (work.version ?? null) ? gathered(row[0], work.payload) : undefined;
}

export function elementsIn(tx: Transaction, payload: string): number {
  return tx.sql.value<number>(countElements, payload) ?? 0;
}

/** One more did not fit: it takes none any more. */
export function markFull(tx: Transaction, job: Job): void {
  tx.sql.run(tellFull, job.seq);
}
