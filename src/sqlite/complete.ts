/** The common outcome, many at once: completed, nothing to keep, neither lane nor unique key. Touches no wide row. */
import type { Outcome } from "../core/engine.ts";
import { flags } from "./job.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_jobs_id, covering; then rowids. */
const held = `SELECT j.id, r.seq, r.line, r.keep FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value CROSS JOIN errand_running r ON r.seq = j.seq
  WHERE r.fence = ? AND r.claim = ? AND r.is_cancelling = 0 AND (r.flags & ${flags.hasLane | flags.hasUnique}) = 0`;
/** By rowids. */
const leaveRunning = "DELETE FROM errand_running WHERE seq IN (SELECT value FROM json_each(?))";
const enterDone = "INSERT INTO errand_done (seq, ended_at) SELECT value, ? FROM json_each(?)";

type Held = [id: string, seq: number, line: number, keep: number];

/** Answers those that were completed; the others are to be settled one by one. */
export function completePlain(tx: Transaction, outcomes: readonly Outcome[]): Set<Outcome> {
  const completed = new Set<Outcome>();
  for (const group of plainGroups(outcomes)) completeGroup(tx, group, completed);
  return completed;
}

/** Plain completions by claim, each id once; an id that is met again, in whatever outcome, is left out. */
function plainGroups(outcomes: readonly Outcome[]): Map<string, Outcome>[] {
  const groups = new Map<number, Map<string, Outcome>>();
  const ids = new Set<string>();
  for (const outcome of outcomes) {
    const isMetAgain = ids.has(outcome.id);
    ids.add(outcome.id);
    const group = groups.get(outcome.fence) ?? new Map<string, Outcome>();
    if (isMetAgain || !isPlain(outcome)) {
      if (isMetAgain) for (const other of groups.values()) other.delete(outcome.id);
      continue;
    }
    const { value: first } = group.values().next();
    if (first === undefined || first.claim === outcome.claim) groups.set(outcome.fence, group.set(outcome.id, outcome));
  }
  return [...groups.values()].filter((group) => group.size > 0);
}

function isPlain({ is, follow, checkpoint, result }: Outcome): boolean {
  return is === "completed" && follow === undefined && checkpoint === undefined && result === undefined;
}

function completeGroup(tx: Transaction, group: ReadonlyMap<string, Outcome>, completed: Set<Outcome>): void {
  const [first] = group.values();
  if (first === undefined) return;
  const rows = tx.sql.tuples<Held>(held, JSON.stringify([...group.keys()]), first.fence, first.claim);
  if (rows.length === 0) return;
  const seqs = JSON.stringify(rows.map(([, seq]) => seq));
  tx.sql.run(leaveRunning, seqs);
  tx.sql.run(enterDone, tx.now, seqs);
  for (const [id, seq, line, keep] of rows) {
    tx.counters.add(line, "running", -1);
    tx.counters.add(line, "completed", 1);
    // The job may be remembered for longer than it is kept: whoever purges looks.
    tx.purgeAt(tx.now + tx.dictionary.keepById(tx.sql, keep).completed, seq);
    const outcome = group.get(id);
    if (outcome) completed.add(outcome);
  }
}
