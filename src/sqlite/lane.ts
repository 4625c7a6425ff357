/** A lane: jobs with one key, admitted `width` at a time in the order of enqueue (G7). Here its rows; what happens to the jobs is in lanePasses.ts. */
import type { Instant } from "../core/runtime.ts";
import type { Job } from "./job.ts";
import type { Transaction } from "./transaction.ts";

/** Where a live member stands. A `head` died with "block": while there is one, nobody is admitted. */
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
const removeMember = "DELETE FROM errand_members WHERE lane = ? AND place IN (0, 1, 2, 3) AND seq = ?";
const firstAt = "SELECT seq, width FROM errand_members WHERE lane = ? AND place = ? ORDER BY seq LIMIT 1";
const allAt = "SELECT seq FROM errand_members WHERE lane = ? AND place = ? ORDER BY seq LIMIT ?";
const isAt = "SELECT 1 FROM errand_members WHERE lane = ? AND place = ? AND seq = ?";
const anyMember = "SELECT 1 FROM errand_members WHERE lane = ? LIMIT 1";
/** Counts no more than a lane's width. */
const countAdmitted = "SELECT count(*) FROM errand_members WHERE lane = ? AND place = 1";
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
  const isClosed = closedBy(tx, lane) !== undefined;
  tx.sql.run(addMember, lane, isClosed ? places.parked : places.blocked, member.seq, member.width);
  if (isClosed) return "parked";
  if (nextOf(tx, lane)?.seq !== member.seq) return "blocked";
  put(tx, lane, member, places.admitted);
  return "admitted";
}

/** The member to be admitted now, if any. Those that were parked and are not sorted back yet keep their order. */
export function nextOf(tx: Transaction, lane: string): Member | undefined {
  const blocked = firstMember(tx, lane, places.blocked);
  const parked = firstMember(tx, lane, places.parked);
  const first = blocked && parked ? (blocked.seq < parked.seq ? blocked : parked) : (blocked ?? parked);
  if (first === undefined || closedBy(tx, lane) !== undefined || firstMember(tx, lane, places.head) !== undefined) return undefined;
  return (tx.sql.value<number>(countAdmitted, lane) ?? 0) < first.width ? first : undefined;
}

export function put(tx: Transaction, lane: string, member: Member, place: number): void {
  tx.sql.run(removeMember, lane, member.seq);
  tx.sql.run(addMember, lane, place, member.seq, member.width);
}

/** It ended. Its lane may have room now, or is forgotten with its last member. */
export function leaveLane(tx: Transaction, job: Job): void {
  if (job.lane === null) return;
  tx.sql.run(removeMember, job.lane, job.seq);
  if (tx.sql.value(anyMember, job.lane) === undefined) tx.sql.run(forgetLane, job.lane);
  else tx.lanesToAdmit.add(job.lane);
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
