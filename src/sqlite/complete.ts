/** The common outcome, many at once: completed, with nothing to keep. Touches no wide row. */
import type { Outcome } from "../core/engine.ts";
import { flags } from "./job.ts";
import { leaveLane } from "./lane.ts";
import type { Transaction } from "./transaction.ts";
import { releaseKey } from "./unique.ts";

/** By errand_jobs_id, covering; then rowids. */
const held = `SELECT j.id, r.seq, r.line, r.keep, r.flags FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value CROSS JOIN errand_running r ON r.seq = j.seq
  WHERE r.fence = ? AND r.claim = ? AND r.is_cancelling = 0 AND (r.flags & ?) = 0`;
/** By rowids. */
const leaveRunning = "DELETE FROM errand_running WHERE seq IN (SELECT value FROM json_each(?))";
const enterDone = "INSERT INTO errand_done (seq, ended_at) SELECT value, ? FROM json_each(?)";
const keysOf = "SELECT j.seq, j.lane, j.unique_key FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value";

const hasKey = flags.hasLane | flags.hasUnique;

type Held = [id: string, seq: number, line: number, keep: number, flags: number];

/** Answers those that were completed; the others are to be settled one by one. */
export function completePlain(tx: Transaction, outcomes: readonly Outcome[]): Set<Outcome> {
  const completed = new Set<Outcome>();
  // Follow-up work may want a key that another outcome frees: then those with keys keep their place in the order.
  const mayFollow = outcomes.some(({ is, follow }) => follow !== undefined || is === "dead");
  for (const group of plainGroups(outcomes)) completeGroup(tx, group, mayFollow ? hasKey : 0, completed);
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

function completeGroup(tx: Transaction, group: ReadonlyMap<string, Outcome>, without: number, completed: Set<Outcome>): void {
  const [first] = group.values();
  if (first === undefined) return;
  const rows = tx.sql.tuples<Held>(held, JSON.stringify([...group.keys()]), first.fence, first.claim, without);
  if (rows.length === 0) return;
  const seqs = JSON.stringify(rows.map(([, seq]) => seq));
  tx.sql.run(leaveRunning, seqs);
  tx.sql.run(enterDone, tx.now, seqs);
  leaveKeys(
    tx,
    rows.filter(([, , , , flagged]) => (flagged & hasKey) !== 0).map(([, seq]) => seq),
  );
  for (const [id, seq, line, keep] of rows) {
    tx.counters.add(line, "running", -1);
    tx.counters.add(line, "completed", 1);
    // The job may be remembered for longer than it is kept: whoever purges looks.
    tx.purgeAt(tx.now + tx.dictionary.keepById(tx.sql, keep).completed, seq);
    const outcome = group.get(id);
    if (outcome) completed.add(outcome);
  }
}

/** Lanes and unique keys are left as they are when a job ends by itself. */
function leaveKeys(tx: Transaction, seqs: readonly number[]): void {
  if (seqs.length === 0) return;
  for (const [seq, lane, uniqueKey] of tx.sql.tuples<[seq: number, lane: string | null, uniqueKey: string | null]>(keysOf, JSON.stringify(seqs))) {
    leaveLane(tx, { seq, lane });
    releaseKey(tx, { seq, uniqueKey });
  }
}
