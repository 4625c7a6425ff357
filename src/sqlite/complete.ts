/** The common outcome, many at once: completed, with nothing to keep. Touches no wide row. */
import type { Outcome } from "../core/engine.ts";
import { flags } from "./job.ts";
import { turnFollowers } from "./after.ts";
import { giveBackKeys } from "./keyLimit.ts";
import { leaveLanes } from "./lane.ts";
import type { Leaving } from "./lane.ts";
import type { Transaction } from "./transaction.ts";
import { releaseKeys } from "./unique.ts";

/** By errand_jobs_id, covering; then rowids. */
const held = `SELECT j.id, r.seq, r.line, r.keep, r.flags, r.terms, r.lane FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value CROSS JOIN errand_running r ON r.seq = j.seq
  WHERE r.fence = ? AND r.claim = ? AND r.is_cancelling = 0 AND (r.flags & ?) = 0`;
/** By rowids. */
const leaveRunning = "DELETE FROM errand_running WHERE seq IN (SELECT value FROM json_each(?))";
const enterDone = "INSERT INTO errand_done (seq, ended_at) SELECT value, ? FROM json_each(?)";

/** What a completion must tell somebody of. */
const hasTies = flags.hasJoin | flags.hasFollowers;
/** What keeps its place in the order of the outcomes where follow-up work may want it. */
const hasKey = flags.hasLane | flags.hasUnique;

type Held = [id: string, seq: number, line: number, keep: number, flags: number, terms: number | null, lane: string | null];

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
  const rows = inRowOrder(tx.sql.tuples<Held>(held, JSON.stringify([...group.keys()]), first.fence, first.claim, without));
  if (rows.length === 0) return;
  const seqs = JSON.stringify(rows.map(([, seq]) => seq));
  tx.sql.run(leaveRunning, seqs);
  tx.sql.run(enterDone, tx.now, seqs);
  leaveAll(tx, rows);
  for (const [id, seq, line, keep, flagsOf, terms] of rows) {
    tx.counters.add(line, "running", -1);
    tx.counters.add(line, "completed", 1);
    if (terms !== null) tx.giveGatesBack(terms);
    if ((flagsOf & hasTies) !== 0) tx.ties.noteEnding(seq, flagsOf, undefined, "well");
    // The job may be remembered for longer than it is kept: whoever purges looks.
    tx.purgeAt(tx.now + tx.dictionary.keepById(tx.sql, keep).completed, seq);
    const outcome = group.get(id);
    if (outcome) completed.add(outcome);
  }
}

/** In the order of their rows, whatever the order of the outcomes: pages are written one after the other. */
function inRowOrder(rows: Held[]): readonly Held[] {
  const isInOrder = rows.every(([, seq], at) => at === 0 || seq > (rows[at - 1]?.[1] ?? 0));
  return isInOrder ? rows : rows.sort(([, a], [, b]) => a - b);
}

/** What those that are more than plain held: their lanes, keys and limits, and what they came after. */
function leaveAll(tx: Transaction, rows: readonly Held[]): void {
  const all = rows.reduce((any, row) => any | row[4], 0);
  if ((all & flags.hasLane) !== 0) leaveLanes(tx, leaving(rows));
  if ((all & flags.hasUnique) !== 0) releaseKeys(tx, flagged(rows, flags.hasUnique));
  if ((all & flags.hasKeyLimits) !== 0) giveBackKeys(tx, flagged(rows, flags.hasKeyLimits));
  if ((all & flags.hasAfter) !== 0) turnFollowers(tx, flagged(rows, flags.hasAfter), false);
}

/** By lane, in order. All were handed out by one claim. */
function leaving(rows: readonly Held[]): Map<string, Leaving> {
  const lanes = new Map<string, Leaving>();
  for (const [, seq, , , flagsOf, , lane] of rows) {
    if (lane === null) continue;
    let ofLane = lanes.get(lane);
    if (ofLane === undefined) lanes.set(lane, (ofLane = { heads: [], row: [] }));
    ((flagsOf & flags.isFollowing) === 0 ? ofLane.heads : ofLane.row).push(seq);
  }
  return lanes;
}

function flagged(rows: readonly Held[], flag: number): number[] {
  return rows.filter((row) => (row[4] & flag) !== 0).map(([, seq]) => seq);
}
