/** Members that wait for nothing but their join: let go many to a statement. */
import { flags } from "./job.ts";
import type { Join } from "./join.ts";
import { codeOf } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

const isMore = flags.hasLane | flags.hasStartBy | flags.hasAfter | flags.hasKeyLimits | flags.hasLater;
/** By primary key, then rowids. */
const plainMembers = `SELECT j.seq, j.line FROM json_each(?) e CROSS JOIN errand_joined m ON m.joined = ? AND m.seq = e.value CROSS JOIN errand_jobs j ON j.seq = e.value
  WHERE m.nth = 0 AND j.state = ${codeOf("blocked")} AND j.flags & ${flags.isHeld} AND (j.flags & ${isMore}) = 0 AND j.due_at <= ?`;
/** By rowids. */
const tellReady = `UPDATE errand_jobs SET state = 0, flags = flags & ~${flags.isHeld}, due_at = ?, since = ? WHERE seq IN (SELECT value FROM json_each(?))`;
const enterReady = `INSERT INTO errand_ready (line, urgency, seq, flags)
  SELECT j.line, j.urgency, j.seq, j.flags FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value`;

/** The join is open. Answers which of its members were let go; the others are to be looked at one by one. */
export function letGoPlain(tx: Transaction, join: Join, seqs: readonly number[]): Set<number> {
  const rows = tx.sql.tuples<[seq: number, line: number]>(plainMembers, JSON.stringify(seqs), join.seq, tx.now);
  const plain = new Set(rows.map(([seq]) => seq));
  if (plain.size === 0) return plain;
  const text = JSON.stringify([...plain]);
  tx.sql.run(tellReady, tx.now, tx.now, text);
  tx.sql.run(enterReady, text);
  for (const [, line] of rows) {
    tx.counters.add(line, "blocked", -1);
    tx.counters.add(line, "ready", 1);
  }
  tx.ties.released += plain.size;
  tx.isReadied = true;
  return plain;
}
