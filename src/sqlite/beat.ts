/** Renews all that a process holds, in one write, and tells it what it must know. */
import type { Heard } from "../core/engine.ts";
import type { Ms } from "../core/runtime.ts";
import { eraOf } from "./schema.ts";
import { processAsking } from "./processes.ts";
import type { Transaction } from "./transaction.ts";

const cancelledMax = 1_000;
/** By rowid. */
const renew = "UPDATE errand_processes SET lease_until = ? WHERE id = ?";
const addProcess = "INSERT INTO errand_processes (process, since, lease_until) VALUES (?, ?, ?)";
/** By errand_running_cancelling, then rowids. */
const cancelled = `SELECT j.id FROM errand_running r CROSS JOIN errand_jobs j ON j.seq = r.seq WHERE r.process = ? AND r.is_cancelling = 1 ORDER BY r.seq LIMIT ${cancelledMax}`;

/** A process that is not known holds nothing here: it becomes known. */
export function beat(tx: Transaction, name: string, leaseMs: Ms): Heard {
  const process = processAsking(tx, name);
  if (process === undefined) tx.sql.run(addProcess, name, tx.now, tx.now + leaseMs);
  else if (!process.isLost) tx.sql.run(renew, tx.now + leaseMs, process.id);
  const isLost = process?.isLost === true;
  const ids = process === undefined || isLost ? [] : tx.sql.tuples<[string]>(cancelled, process.id).map(([id]) => id);
  return { now: tx.now, isLost, cancelled: ids, notesVersion: tx.numbers.notesVersion, era: eraOf(tx.sql) };
}
