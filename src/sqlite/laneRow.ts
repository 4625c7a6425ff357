/**
 * Those that run in a row behind another of their lane, as one row of errand_rows: the members at `blocked` from its first to its last, all plain and of one
 * claim. Nobody else stands among them, and none of them is written alone: whatever concerns one of them, or brings somebody between them, gives each its own
 * row of errand_running first.
 */
import type { Follower } from "./inRow.ts";
import { flags } from "./job.ts";
import type { Line } from "./lines.ts";
import type { Transaction } from "./transaction.ts";

/** By primary keys, then rowids. */
const enterRunning = `INSERT INTO errand_running (seq, line, keep, flags, process, fence, claim, started_at, lane)
  SELECT j.seq, j.line, j.keep, j.flags | ?, w.process, w.fence, w.claim, w.started_at, w.lane FROM errand_rows w
    CROSS JOIN errand_members m ON m.lane = w.lane AND m.place = 0 AND m.seq BETWEEN w.first AND w.last CROSS JOIN errand_jobs j ON j.seq = m.seq WHERE w.lane = ?`;
/** By primary key. */
const addRow = "INSERT INTO errand_rows (lane, first, last, jobs, line, keep, process, fence, claim, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const removeRow = "DELETE FROM errand_rows WHERE lane = ?";
const shortenRow = "UPDATE errand_rows SET first = ?, jobs = ? WHERE lane = ?";
const membersOf = "SELECT seq FROM errand_members WHERE lane = ? AND place = 0 AND seq BETWEEN ? AND ? ORDER BY seq";
const removeMembers = "DELETE FROM errand_members WHERE lane = ? AND place = 0 AND seq BETWEEN ? AND ?";
/** By rowid, then primary keys. */
const laneAround = "SELECT w.lane FROM errand_jobs j CROSS JOIN errand_rows w ON w.lane = j.lane WHERE j.seq = ?";
/** By errand_rows_fence. */
const rowsUnder = "SELECT lane, first, last, line, keep FROM errand_rows WHERE fence = ? AND claim = ?";
/** Walks the rows: no more than there are hands. */
const rowsHeldBy = "SELECT lane FROM errand_rows WHERE process = ? ORDER BY lane";
const anyHeldBy = "SELECT 1 FROM errand_rows WHERE process = ? LIMIT 1";

/** Under what it runs. */
export type RowStart = readonly [process: number, fence: number, claim: string, now: number];

/** False: one of them is more than plain, or kept for another time than the others. */
export function startRow(tx: Transaction, lane: string, line: Line, followers: readonly Follower[], start: RowStart): boolean {
  const [first = 0, keep = 0] = [followers[0]?.[0], followers[0]?.[keepAt]];
  const mayBePlain = flags.hasLane | flags.isRemembered;
  if (followers.some((row) => (row[flagsAt] & ~mayBePlain) !== 0 || row[keepAt] !== keep)) return false;
  tx.sql.run(addRow, lane, first, followers.at(-1)?.[0] ?? first, followers.length, line.id, keep, ...start);
  return true;
}

const flagsAt = 10;
const keepAt = 11;

/** Each of them runs by itself from here on. */
export function splitRow(tx: Transaction, lane: string): void {
  if (tx.sql.run(enterRunning, flags.isFollowing, lane) > 0) tx.sql.run(removeRow, lane);
}

/** As {@link splitRow}, where the job is of a lane of which some run in a row. */
export function splitRowAround(tx: Transaction, seq: number): void {
  const lane = tx.sql.value<string>(laneAround, seq);
  if (lane !== undefined) splitRow(tx, lane);
}

export function splitRowsOf(tx: Transaction, process: number): void {
  for (const [lane] of tx.sql.tuples<[string]>(rowsHeldBy, process)) splitRow(tx, lane);
}

export function holdsRow(tx: Transaction, process: number): boolean {
  return tx.sql.value(anyHeldBy, process) !== undefined;
}

/** Completed members of one row. */
export interface RowEnd {
  readonly line: number;
  readonly keep: number;
  readonly seqs: readonly number[];
}

/** Of each row of the claim, the first that `ended` names without a gap run no more. Others that it names are left to be settled one by one. */
export function endRows(tx: Transaction, ended: ReadonlyMap<number, unknown>, { fence, claim }: { readonly fence: number; readonly claim: string }): RowEnd[] {
  const ends: RowEnd[] = [];
  for (const [lane, first, last, line, keep] of tx.sql.tuples<[string, number, number, number, number]>(rowsUnder, fence, claim)) {
    const members = tx.sql.tuples<[number]>(membersOf, lane, first, last).map(([seq]) => seq);
    const left = members.findIndex((seq) => !ended.has(seq));
    const seqs = left < 0 ? members : members.slice(0, left);
    if (seqs.length === 0) continue;
    tx.sql.run(removeMembers, lane, first, seqs.at(-1) ?? last);
    if (left < 0) tx.sql.run(removeRow, lane);
    else tx.sql.run(shortenRow, members[left] ?? last, members.length - left, lane);
    if (left < 0) tx.lanesToAdmit.add(lane);
    ends.push({ line, keep, seqs });
  }
  return ends;
}
