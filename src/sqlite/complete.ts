/** The common outcome, many at once: completed, with nothing to keep. Touches no wide row. */
import type { Outcome } from "../core/engine.ts";
import { flags } from "./job.ts";
import { turnFollowers } from "./after.ts";
import { giveBackKeys } from "./keyLimit.ts";
import { leaveLanes } from "./lane.ts";
import type { Leaving } from "./lane.ts";
import { endRows } from "./laneRow.ts";
import type { Transaction } from "./transaction.ts";
import { releaseKeys } from "./unique.ts";

const heldColumns = "r.seq, r.line, r.keep, r.flags, r.terms, r.lane";
const isHeld = "r.fence = ? AND r.claim = ? AND r.is_cancelling = 0 AND (r.flags & ?) = 0";
/** By errand_jobs_id, covering. */
const seqsOf = "SELECT j.id, j.seq FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value";
/** By rowids. */
const heldAmong = `SELECT ${heldColumns} FROM json_each(?) e CROSS JOIN errand_running r ON r.seq = e.value WHERE ${isHeld}`;
const leaveRunning = "DELETE FROM errand_running WHERE seq IN (SELECT value FROM json_each(?))";
const enterDone = "INSERT INTO errand_done (seq, ended_at) SELECT value, ? FROM json_each(?)";
/** By ranges of rowids: a third of the cost. */
const runningBetween = "SELECT count(*) FROM (SELECT 1 FROM errand_running WHERE seq BETWEEN ? AND ? LIMIT ?)";
const heldBetween = `SELECT ${heldColumns} FROM errand_running r WHERE r.seq BETWEEN ? AND ? AND ${isHeld}`;
const leaveRunningBetween = "DELETE FROM errand_running WHERE seq BETWEEN ? AND ?";
const enterDoneBetween = "INSERT INTO errand_done (seq, ended_at) SELECT seq, ? FROM errand_running WHERE seq BETWEEN ? AND ?";

/** What a completion must tell somebody of. */
const hasTies = flags.hasJoin | flags.hasFollowers;
/** What keeps its place in the order of the outcomes where follow-up work may want it. */
const hasKey = flags.hasLane | flags.hasUnique;

type Held = [seq: number, line: number, keep: number, flags: number, terms: number | null, lane: string | null];

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
  const bySeq = outcomesBySeq(tx, group, first.claim);
  const ofRows = (without & flags.hasLane) === 0 ? completeRows(tx, bySeq, first) : nobody;
  for (const seq of ofRows) {
    const outcome = bySeq.get(seq);
    if (outcome) completed.add(outcome);
    bySeq.delete(seq);
  }
  const rows = endRunning(tx, Float64Array.from(bySeq.keys()).toSorted(), first, without);
  if (rows.length + ofRows.length === 0) return;
  leaveAll(tx, rows);
  countCompleted(tx, rows);
  for (const [seq, , , flagsOf, terms] of rows) {
    if (terms !== null) tx.giveGatesBack(terms);
    if ((flagsOf & hasTies) !== 0) tx.ties.noteEnding(seq, flagsOf, undefined, "well");
    const outcome = bySeq.get(seq);
    if (outcome) completed.add(outcome);
  }
  tx.handedOut?.forget(first.claim, group.keys());
}

const nobody: readonly number[] = [];

/** Those that ran in rows, all of a row or the first of it. */
function completeRows(tx: Transaction, bySeq: ReadonlyMap<number, Outcome>, { fence, claim }: Outcome): readonly number[] {
  const seqs: number[] = [];
  for (const { line, keep, seqs: ofRow } of endRows(tx, bySeq, { fence, claim })) {
    seqs.push(...ofRow);
    tx.purgesAt(tx.now + tx.dictionary.keepById(tx.sql, keep).completed).push(...ofRow);
    tx.counters.add(line, "running", -ofRow.length);
    tx.counters.add(line, "completed", ofRow.length);
  }
  if (seqs.length > 0) tx.sql.run(enterDone, tx.now, listOf(Float64Array.from(seqs).toSorted()));
  return seqs;
}

/** Whom the process was handed out itself, it need not look for. */
function outcomesBySeq(tx: Transaction, group: ReadonlyMap<string, Outcome>, claim: string): Map<number, Outcome> {
  const known = tx.handedOut?.of(claim);
  const bySeq = new Map<number, Outcome>();
  const unknown: string[] = [];
  for (const [id, outcome] of group) {
    const seq = known?.get(id);
    if (seq === undefined) unknown.push(id);
    else bySeq.set(seq, outcome);
  }
  if (unknown.length === 0) return bySeq;
  for (const [id, seq] of tx.sql.tuples<[id: string, seq: number]>(seqsOf, JSON.stringify(unknown))) {
    const outcome = group.get(id);
    if (outcome) bySeq.set(seq, outcome);
  }
  return bySeq;
}

/** Those that are held, in the order of their rows: pages are written one after the other. They run no more, and are done. */
function endRunning(tx: Transaction, seqs: Float64Array, { fence, claim }: Outcome, without: number): readonly Held[] {
  const [from = 0, to = 0] = [seqs[0], seqs.at(-1)];
  // As many run between the first and the last of them. Where one of them runs no longer, another does that no outcome names.
  if (seqs.length > 1 && tx.sql.value(runningBetween, from, to, seqs.length + 1) === seqs.length) {
    const rows = tx.sql.tuples<Held>(heldBetween, from, to, fence, claim, without);
    if (rows.length === seqs.length && rows.every(([seq], nth) => seq === seqs[nth])) {
      tx.sql.run(enterDoneBetween, tx.now, from, to);
      tx.sql.run(leaveRunningBetween, from, to);
      return rows;
    }
  }
  const rows = tx.sql.tuples<Held>(heldAmong, listOf(seqs), fence, claim, without);
  if (rows.length === 0) return rows;
  const held = listOf(rows.length === seqs.length ? seqs : rows.map(([seq]) => seq));
  tx.sql.run(leaveRunning, held);
  tx.sql.run(enterDone, tx.now, held);
  return rows;
}

/** As JSON. */
function listOf(seqs: Float64Array | readonly number[]): string {
  return `[${seqs.join(",")}]`;
}

/** Side by side they mostly have the same line and keep. */
function countCompleted(tx: Transaction, rows: readonly Held[]): void {
  for (let at = 0, next = 0; at < rows.length; at = next) {
    const [, line = 0, keep = 0] = rows[at] ?? [];
    // A job may be remembered for longer than it is kept: whoever purges looks.
    const purges = tx.purgesAt(tx.now + tx.dictionary.keepById(tx.sql, keep).completed);
    for (next = at; next < rows.length && rows[next]?.[1] === line && rows[next]?.[2] === keep; next++) purges.push(rows[next]?.[0] ?? 0);
    tx.counters.add(line, "running", at - next);
    tx.counters.add(line, "completed", next - at);
  }
}

/** What those that are more than plain held: their lanes, keys and limits, and what they came after. */
function leaveAll(tx: Transaction, rows: readonly Held[]): void {
  const all = rows.reduce((any, row) => any | row[3], 0);
  if ((all & flags.hasLane) !== 0) leaveLanes(tx, leaving(rows));
  if ((all & flags.hasUnique) !== 0) releaseKeys(tx, flagged(rows, flags.hasUnique));
  if ((all & flags.hasKeyLimits) !== 0) giveBackKeys(tx, flagged(rows, flags.hasKeyLimits));
  if ((all & flags.hasAfter) !== 0) turnFollowers(tx, flagged(rows, flags.hasAfter), false);
}

/** By lane, in order. All were handed out by one claim. */
function leaving(rows: readonly Held[]): Map<string, Leaving> {
  const lanes = new Map<string, Leaving>();
  for (const [seq, , , flagsOf, , lane] of rows) {
    if (lane === null) continue;
    let ofLane = lanes.get(lane);
    if (ofLane === undefined) lanes.set(lane, (ofLane = { heads: [], row: [] }));
    ((flagsOf & flags.isFollowing) === 0 ? ofLane.heads : ofLane.row).push(seq);
  }
  return lanes;
}

function flagged(rows: readonly Held[], flag: number): number[] {
  return rows.filter((row) => (row[3] & flag) !== 0).map(([seq]) => seq);
}
