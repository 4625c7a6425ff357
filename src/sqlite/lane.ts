/** A lane: jobs with one key, admitted `width` at a time in the order of enqueue (G7). Here its rows; what happens to the jobs is in lanePasses.ts. */
import { claimMax } from "../core/defaults.ts";
import type { Instant } from "../core/runtime.ts";
import type { Job } from "./job.ts";
import { splitRow } from "./laneRow.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Where a live member stands. A `head` died with "block": while there is one, nobody is admitted. One that runs in a row behind another stays at `blocked`,
 * so that starting it costs its lane no write; while it is the first there, nobody is admitted either.
 */
export const places = { blocked: 0, admitted: 1, parked: 2, head: 3 } as const;

export interface Member {
  readonly seq: number;
  readonly width: number;
}

export interface Closed {
  readonly by: string;
  readonly at: Instant;
}

/** All by primary keys. */
const addMember = "INSERT INTO errand_members (lane, place, seq, width) VALUES (?, ?, ?, ?)";
const moveMember = "UPDATE errand_members SET place = ? WHERE lane = ? AND place IN (0, 1, 2, 3) AND place <> ? AND seq = ?";
const removeMember = "DELETE FROM errand_members WHERE lane = ? AND place IN (0, 1, 2, 3) AND seq = ?";
const removeAdmitted = "DELETE FROM errand_members WHERE lane = ? AND place = 1 AND seq = ?";
const rowBetween = "SELECT count(*), min(seq) FROM errand_members WHERE lane = ? AND place = 0 AND seq BETWEEN ? AND ?";
/** Asked apart from the above: with it as a subquery, SQLite would first list the rows and then delete them, at twice the cost. */
const removeRow = "DELETE FROM errand_members WHERE lane = ? AND place = 0 AND seq BETWEEN ? AND ?";
const removeAny = "DELETE FROM errand_members WHERE lane = ? AND place IN (0, 1) AND seq IN (SELECT value FROM json_each(?))";
const firstAt = "SELECT seq, width FROM errand_members WHERE lane = ? AND place = ? ORDER BY seq LIMIT 1";
const allAt = "SELECT seq FROM errand_members WHERE lane = ? AND place = ? ORDER BY seq LIMIT ?";
const isAt = "SELECT 1 FROM errand_members WHERE lane = ? AND place = ? AND seq = ?";
/** One statement for all that decides who is next; counts no more than a lane's width. */
const standing = `SELECT closed_at IS NOT NULL, k.key IS NOT NULL, (SELECT count(*) FROM errand_members WHERE lane = q.lane AND place = 1),
    EXISTS (SELECT 1 FROM errand_members WHERE lane = q.lane AND place = 3),
    (SELECT min(seq) FROM errand_members WHERE lane = q.lane AND place = 0), (SELECT min(seq) FROM errand_members WHERE lane = q.lane AND place = 2),
    EXISTS (SELECT 1 FROM errand_running WHERE seq = (SELECT min(seq) FROM errand_members WHERE lane = q.lane AND place = 0)),
    (SELECT last FROM errand_rows WHERE lane = q.lane)
  FROM (SELECT ? AS lane) q LEFT JOIN (SELECT lane AS key, closed_at FROM errand_lanes) k ON k.key = q.lane`;
/** A row stands at the beginning of those at `blocked`. */
const isAnyFollowing =
  "SELECT 1 FROM (SELECT seq FROM errand_members WHERE lane = ? AND place = 0 ORDER BY seq LIMIT 1) q CROSS JOIN errand_running r ON r.seq = q.seq";
const anyBefore = "SELECT 1 FROM errand_members WHERE lane = ? AND place IN (0, 1, 2, 3) AND seq < ? LIMIT 1";
/** The first of those at `blocked`, as many as a row may be long. */
const admitRunning = `UPDATE errand_members SET place = 1 WHERE lane = ? AND place = 0 AND seq IN (SELECT r.seq FROM (
  SELECT seq FROM errand_members WHERE lane = ? AND place = 0 ORDER BY seq LIMIT ${claimMax}) q CROSS JOIN errand_running r ON r.seq = q.seq)`;
const anyAdmittedBefore = `SELECT 1 FROM errand_members m LEFT JOIN errand_running r ON r.seq = m.seq
  WHERE m.lane = ? AND m.place IN (0, 1) AND m.seq < ? AND (m.place = 1 OR r.seq IS NOT NULL) LIMIT 1`;
const widthOf = "SELECT width FROM errand_members WHERE lane = ? AND place IN (0, 2) AND seq = ?";
const readClosed = "SELECT closed_by AS by, closed_at AS at FROM errand_lanes WHERE lane = ? AND closed_at IS NOT NULL";
const closeLane = `INSERT INTO errand_lanes (lane, closed_by, closed_at, is_marked) VALUES (?, ?, ?, 1)
  ON CONFLICT (lane) DO UPDATE SET closed_by = coalesce(closed_by, excluded.closed_by), closed_at = coalesce(closed_at, excluded.closed_at), is_marked = 1`;
const openLane = "UPDATE errand_lanes SET closed_by = NULL, closed_at = NULL, is_marked = 1 WHERE lane = ?";
const markLane = "INSERT INTO errand_lanes (lane, is_marked) VALUES (?, 1) ON CONFLICT (lane) DO UPDATE SET is_marked = 1";
const unmarkLane = "UPDATE errand_lanes SET is_marked = 0 WHERE lane = ?";
const forgetOpenLane = "DELETE FROM errand_lanes WHERE lane = ? AND closed_at IS NULL AND is_marked = 0";
const forgetLane = "DELETE FROM errand_lanes WHERE lane = ?";

/** A new or redriven member takes its place. Answers what it is now. */
export function arrive(tx: Transaction, lane: string, member: Member): "admitted" | "blocked" | "parked" {
  const found = standingBefore(tx, lane, member);
  const isFirst = found.first === undefined || member.seq < found.first;
  const place = found.isClosed ? "parked" : isFirst && !found.hasHead && found.admitted < member.width ? "admitted" : "blocked";
  tx.sql.run(addMember, lane, places[place], member.seq, member.width);
  return place;
}

/** One that was let go stands in line; who is admitted is seen when all have come. */
export function joinLine(tx: Transaction, lane: string, member: Member): "blocked" | "parked" {
  const place = standingBefore(tx, lane, member).isClosed ? "parked" : "blocked";
  tx.sql.run(addMember, lane, places[place], member.seq, member.width);
  tx.lanesToAdmit.add(lane);
  return place;
}

/** The member to be admitted now, if any. Those that were parked and are not sorted back yet keep their order. */
export function nextOf(tx: Transaction, lane: string): number | undefined {
  const { first, isClosed, hasHead, admitted, isFirstRunning } = standingOf(tx, lane);
  if (first === undefined || isClosed || hasHead || isFirstRunning) return undefined;
  if (admitted === 0) return first;
  return admitted < (tx.sql.value<number>(widthOf, lane, first) ?? 1) ? first : undefined;
}

interface Standing {
  readonly isClosed: boolean;
  readonly admitted: number;
  readonly hasHead: boolean;
  /** The first of those that wait, if any. */
  readonly first: number | undefined;
  /** It runs in a row behind one that has ended. */
  readonly isFirstRunning: boolean;
  /** The last of those that run as one row. */
  readonly lastOfRow: number | null;
}

/** Those that run in a row behind others must not be overtaken by one that comes before them now. */
function standingBefore(tx: Transaction, lane: string, { seq }: Member): Standing {
  const found = standingOf(tx, lane);
  // Between those of a row he would be taken for one of them.
  if (found.lastOfRow !== null && seq < found.lastOfRow) splitRow(tx, lane);
  if (!found.isFirstRunning || found.first === undefined || seq > found.first) return found;
  admitFollowers(tx, lane);
  return standingOf(tx, lane);
}

/** A lane without members is forgotten, whenever that is found. */
function standingOf(tx: Transaction, lane: string): Standing {
  const [row] = tx.sql.tuples<StandingRow>(standing, lane);
  const [isClosed, isKnown, admitted, hasHead, blocked, parked, isBlockedRunning, lastOfRow] = row ?? [0, 0, 0, 0, null, null, 0, null];
  const first = blocked === null || parked === null ? (blocked ?? parked ?? undefined) : Math.min(blocked, parked);
  const isEmpty = admitted === 0 && hasHead === 0 && first === undefined;
  if (isEmpty && isKnown === 1) tx.sql.run(forgetLane, lane);
  const isFirstRunning = (isBlockedRunning === 1 || lastOfRow !== null) && first === blocked;
  return { isClosed: isClosed === 1 && !isEmpty, admitted, hasHead: hasHead === 1, first, isFirstRunning, lastOfRow };
}

type StandingRow = [
  isClosed: number,
  isKnown: number,
  admitted: number,
  hasHead: number,
  blocked: number | null,
  parked: number | null,
  isBlockedRunning: number,
  lastOfRow: number | null,
];

/** Those that run in a row behind others count as admitted from here on. */
export function admitFollowers(tx: Transaction, lane: string): void {
  splitRow(tx, lane);
  tx.sql.run(admitRunning, lane, lane);
}

/** One of those that run in a row comes back: the others are a row no more. */
export function breakRow(tx: Transaction, lane: string): void {
  splitRow(tx, lane);
  if (tx.sql.value(isAnyFollowing, lane) !== undefined) admitFollowers(tx, lane);
}

/** Whether a member that was enqueued before it lives. */
export function isAnyBefore(tx: Transaction, lane: string, seq: number): boolean {
  return tx.sql.value(anyBefore, lane, seq) !== undefined;
}

/** Whether a member that was enqueued before it is admitted, or runs in a row. */
export function isAnyAdmittedBefore(tx: Transaction, lane: string, seq: number): boolean {
  return tx.sql.value(anyAdmittedBefore, lane, seq) !== undefined;
}

export function put(tx: Transaction, lane: string, seq: number, place: number): void {
  tx.sql.run(moveMember, place, lane, place, seq);
}

/** It ended: its lane may have room now, or have nobody left. */
export function leaveLane(tx: Transaction, job: Pick<Job, "lane" | "seq">): void {
  if (job.lane === null) return;
  tx.sql.run(removeMember, job.lane, job.seq);
  tx.lanesToAdmit.add(job.lane);
}

/** Members of one lane that ran, and have ended. */
export interface Leaving {
  /** Admitted. */
  readonly heads: number[];
  /** Of one row: all stand at `blocked`, or none. */
  readonly row: number[];
}

export function leaveLanes(tx: Transaction, leaving: ReadonlyMap<string, Leaving>): void {
  for (const [lane, { heads, row }] of leaving) {
    tx.lanesToAdmit.add(lane);
    for (const seq of heads) if (tx.sql.run(removeAdmitted, lane, seq) === 0) tx.sql.run(removeMember, lane, seq);
    if (row.length > 0) leaveRow(tx, lane, row);
  }
}

/** In order. Mostly they stand side by side, with nobody between: then they go at half the cost. */
function leaveRow(tx: Transaction, lane: string, seqs: readonly number[]): void {
  const [first = 0, last = 0] = [seqs[0], seqs.at(-1)];
  const [between] = tx.sql.tuples<[count: number, first: number | null]>(rowBetween, lane, first, last);
  if (between?.[0] === seqs.length && between[1] === first) tx.sql.run(removeRow, lane, first, last);
  else tx.sql.run(removeAny, lane, JSON.stringify(seqs));
}

export function firstMember(tx: Transaction, lane: string, place: number): Member | undefined {
  return tx.sql.get<Member>(firstAt, lane, place);
}

export function membersAt(tx: Transaction, lane: string, place: number, limit: number): number[] {
  return tx.sql.tuples<[number]>(allAt, lane, place, limit).map(([seq]) => seq);
}

export function isHeldBy(tx: Transaction, job: Job): boolean {
  return job.lane !== null && tx.sql.value(isAt, job.lane, places.head, job.seq) !== undefined;
}

export function closedBy(tx: Transaction, lane: string): Closed | undefined {
  return tx.sql.get<Closed>(readClosed, lane);
}

/** One that is closed already stays closed by the first. */
export function close(tx: Transaction, lane: string, by: string): void {
  tx.sql.run(closeLane, lane, by, tx.now);
}

export function open(tx: Transaction, lane: string): void {
  tx.sql.run(openLane, lane);
  tx.lanesToAdmit.add(lane);
}

/** Tidy has work with it. */
export function mark(tx: Transaction, lane: string): void {
  tx.sql.run(markLane, lane);
}

export function unmark(tx: Transaction, lane: string): void {
  tx.sql.run(unmarkLane, lane);
  tx.sql.run(forgetOpenLane, lane);
}

export function memberOf(job: Job): Member {
  return { seq: job.seq, width: job.laneWidth ?? 1 };
}
