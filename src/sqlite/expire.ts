/** Takes back what expired processes held: their jobs run again, as suspects (G13), and their locks are free. */
import { deathsAloneMax, suspectsBeforeAlone } from "../core/defaults.ts";
import { jobAt, remember } from "./job.ts";
import type { Job } from "./job.ts";
import { splitRowsOf } from "./laneRow.ts";
import { attemptRow, die, end, wait } from "./life.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** How long a lost process is known, so that it hears of it also when it was away for long. */
const lostKeptMs = 24 * 60 * 60 * 1_000;

const crashed = "its process was gone";

/** By errand_processes_lease. */
const expiredOnes = "SELECT id, is_lost FROM errand_processes WHERE is_lost IN (0, 1) AND lease_until <= ? ORDER BY lease_until, id LIMIT ?";
/** Walks the running jobs: as many as there are hands, and only when a process is gone. */
const runningOf = "SELECT seq FROM errand_running WHERE process = ? ORDER BY seq LIMIT ?";
/** By errand_tickets_process. */
const dropTickets = "DELETE FROM errand_tickets WHERE process = ?";
/** By rowid. */
const forgetProcess = "DELETE FROM errand_processes WHERE id = ?";
const lose = "UPDATE errand_processes SET is_lost = 1 WHERE id = ?";
const keepLost = "UPDATE errand_processes SET lease_until = ? WHERE id = ?";

export interface Expired {
  takenBack: number;
  quarantined: number;
  hasMore: boolean;
}

export function isAnyExpired(sql: Statements, until: number): boolean {
  return sql.value(expiredOnes, until, 1) !== undefined;
}

/** Takes back at most `limit` jobs, of processes whose lease ended by `until`. */
export function expire(tx: Transaction, limit: number, until: number): Expired {
  const expired: Expired = { takenBack: 0, quarantined: 0, hasMore: false };
  const processes = tx.sql.tuples<[id: number, isLost: number]>(expiredOnes, until, limit);
  for (const [id] of processes) {
    const room = limit - expired.takenBack;
    splitRowsOf(tx, id);
    const held = tx.sql.tuples<[seq: number]>(runningOf, id, room + 1);
    const tickets = tx.sql.run(dropTickets, id);
    if (held.length + tickets === 0) {
      tx.sql.run(forgetProcess, id);
      continue;
    }
    tx.sql.run(lose, id);
    if (tickets > 0) tx.isReadied = true;
    for (const [seq] of held.slice(0, room)) takeBack(tx, seq, expired);
    expired.hasMore = held.length > room;
    if (expired.hasMore) break;
    tx.sql.run(keepLost, tx.now + lostKeptMs, id);
  }
  expired.hasMore ||= processes.length === limit;
  return expired;
}

function takeBack(tx: Transaction, seq: number, expired: Expired): void {
  const job = jobAt(tx, seq);
  if (job === undefined) return;
  expired.takenBack += 1;
  if (job.isCancelling === 1) end(tx, job, "cancelled", { reason: job.reason ?? undefined }, { starts: job.starts + 1 });
  else if (crash(tx, job) === "quarantined") expired.quarantined += 1;
}

/** A crash costs no attempt, but a suspicion. One that dies alone again and again is the culprit. */
function crash(tx: Transaction, job: Job): "ready" | "quarantined" {
  const change = { starts: job.starts + 1, suspects: job.suspects + 1 };
  // Who is suspect that often ran alone ever since.
  const deathsAlone = change.suspects - suspectsBeforeAlone;
  if (deathsAlone >= deathsAloneMax) {
    die(tx, job, { reason: `quarantined: its process died ${deathsAlone} times while it ran alone`, isPoison: true }, change);
    return "quarantined";
  }
  remember(job, attemptRow(tx, job, "crashed", { reason: crashed }));
  wait(tx, job, change);
  return "ready";
}
