/** Renews all that a process holds, in one write, and tells it what it must know. */
import type { Heard } from "../core/engine.ts";
import type { Ms } from "../core/runtime.ts";
import { eraOf } from "./schema.ts";
import { holdsRow } from "./laneRow.ts";
import { processAsking } from "./processes.ts";
import type { Process } from "./processes.ts";
import type { Transaction } from "./transaction.ts";

const cancelledMax = 1_000;
/** By rowid. */
const renew = "UPDATE errand_processes SET lease_until = ? WHERE id = ?";
/** Walks running jobs up to its first: as many as there are hands. */
const anyRunning = "SELECT 1 FROM errand_running WHERE process = ? LIMIT 1";
/** By errand_tickets_process. */
const anyTicket = "SELECT 1 FROM errand_tickets WHERE process = ? LIMIT 1";
/** By errand_running_cancelling, then rowids. */
const cancelled = `SELECT j.id FROM errand_running r CROSS JOIN errand_jobs j ON j.seq = r.seq WHERE r.process = ? AND r.is_cancelling = 1 ORDER BY r.seq LIMIT ${cancelledMax}`;

/** What a beat hears where there is nothing to renew: an idle process writes nothing. Undefined: it holds something. */
export function hearOnly(look: Transaction, name: string): Heard | undefined {
  const process = processAsking(look, name);
  if (process !== undefined && !process.isLost && holds(look, process)) return undefined;
  return heard(look, process);
}

export function beat(tx: Transaction, name: string, leaseMs: Ms): Heard {
  const process = processAsking(tx, name);
  if (process !== undefined && !process.isLost && holds(tx, process)) tx.sql.run(renew, tx.now + leaseMs, process.id);
  return heard(tx, process);
}

function holds(tx: Transaction, process: Process): boolean {
  return tx.sql.value(anyRunning, process.id) !== undefined || holdsRow(tx, process.id) || tx.sql.value(anyTicket, process.id) !== undefined;
}

/** A process that is not known holds nothing, so it lost nothing. */
function heard(tx: Transaction, process: Process | undefined): Heard {
  const isLost = process?.isLost === true;
  const ids = process === undefined || isLost ? [] : tx.sql.tuples<[string]>(cancelled, process.id).map(([id]) => id);
  return { now: tx.now, isLost, cancelled: ids, notesVersion: tx.numbers.notesVersion, era: eraOf(tx.sql) };
}
