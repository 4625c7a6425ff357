/** Who is a member of which join, and how the endings of members are counted: once for all that a transaction ended. */
import { endedAs } from "../core/joining.ts";
import type { Ended } from "../core/joining.ts";
import { flags, hasFlag } from "./job.ts";
import type { Job } from "./job.ts";
import { joinStates, takesMembers } from "./join.ts";
import type { Join } from "./join.ts";
import { passKinds } from "./ties.ts";
import type { Transaction } from "./transaction.ts";
import { waitsFor } from "./waitsFor.ts";

/** By errand_joined_seq. */
const ownJoin = "SELECT joined FROM errand_joined WHERE seq = ? AND nth = 0";
const joinsOf = "SELECT m.seq, m.joined FROM json_each(?) e CROSS JOIN errand_joined m ON m.seq = e.value";
const forgetMember = "DELETE FROM errand_joined WHERE (joined, seq) IN (SELECT joined, seq FROM errand_joined WHERE seq = ?)";
const joinedOf = "SELECT joined FROM errand_joined WHERE seq = ?";
/** By primary key. */
const addMember = "INSERT INTO errand_joined (joined, seq, nth) VALUES (?, ?, ?)";
const isMember = "SELECT 1 FROM errand_joined WHERE joined = ? AND seq = ?";
const leave = "DELETE FROM errand_joined WHERE joined = ? AND seq = ?";
const adoptMember = `INSERT INTO errand_joined (joined, seq, nth)
  SELECT ?, q.seq, 1 + coalesce((SELECT max(nth) FROM errand_joined m WHERE m.seq = q.seq), 0) FROM (SELECT ? AS seq) q`;
/** By primary key. */
const cursorOf = "SELECT cursor FROM errand_passes WHERE kind = ? AND node = ?";
/** By rowids. */
const tellJoined = `UPDATE errand_jobs SET flags = flags | ${flags.hasJoin} WHERE seq = ?`;
const tellRunning = `UPDATE errand_running SET flags = flags | ${flags.hasJoin} WHERE seq = ?`;

export function ownJoinOf(tx: Transaction, job: Pick<Job, "seq" | "flags">): Join | undefined {
  const seq = hasFlag(job, flags.hasJoin) ? tx.sql.value<number>(ownJoin, job.seq) : undefined;
  return seq === undefined ? undefined : tx.joins.at(tx.sql, seq);
}

/** Whether an open join, which lets its members go in their order and in passes, has come to this one. */
export function hasCome(look: Transaction, join: Join, seq: number): boolean {
  const cursor = look.ties.passOver(passKinds.members, join.seq)?.cursor ?? look.sql.value<number>(cursorOf, passKinds.members, join.seq);
  return cursor === undefined || seq <= cursor;
}

/** Something was added to it, which for those around it is an addition too. */
export function touch(tx: Transaction, join: Join): void {
  for (let touched: Join | undefined = join; touched; touched = touched.parent === null ? undefined : tx.joins.at(tx.sql, touched.parent)) {
    tx.joins.change(touched, { touchedAt: tx.now });
  }
}

/** A work named it. `from` outside: not by a run, whose members do not count for its size. */
export function give(tx: Transaction, id: string, from: "outside" | "run"): void {
  const join = tx.joins.find(tx.sql, id);
  if (join === undefined) return;
  if (join.state === joinStates.staged && from === "outside") tx.joins.change(join, { given: join.given + 1 });
  touch(tx, join);
}

/** A job that names it is stored; it counts as it stands. */
export function enroll(tx: Transaction, join: Join, job: Pick<Job, "seq" | "state">): void {
  tx.sql.run(addMember, join.seq, job.seq, 0);
  countNew(tx, join, endedAs(job.state));
}

/** A job that stands instead of one that named it becomes a member too, unless it would wait for itself. */
export function adopt(tx: Transaction, join: Join, job: Job): void {
  if (!takesMembers(join) || tx.sql.value(isMember, join.seq, job.seq) !== undefined) return;
  if (hasFlag(job, flags.isHeld) && waitsFor(tx, job.seq, join)) return;
  // It counts as it stands now: what was noted of it before is counted first.
  countEndings(tx);
  tx.sql.run(adoptMember, join.seq, job.seq);
  tx.sql.run(tellJoined, job.seq);
  tx.sql.run(tellRunning, job.seq);
  job.flags |= flags.hasJoin;
  countNew(tx, join, endedAs(job.state));
}

/** A member more: a job or a join. */
export function countNew(tx: Transaction, join: Join, ended: Ended): void {
  tx.joins.change(join, { members: join.members + 1, live: join.live + 1 });
  countChange(tx, join, undefined, ended);
}

/** The counts of one that has closed stand for ever. */
export function countChange(tx: Transaction, join: Join, was: Ended, is: Ended): void {
  if (join.state >= joinStates.closed) return;
  const succeeded = Number(is === "well") - Number(was === "well");
  const failed = Number(is === "badly") - Number(was === "badly");
  tx.joins.change(join, { live: join.live - succeeded - failed, succeeded: join.succeeded + succeeded, failed: join.failed + failed });
  if (join.live === 0) tx.ties.toClose.add(join.seq);
}

/** Tells the joins of all that ended or lives again; whoever came after it is looked at later. */
export function countEndings(tx: Transaction): void {
  const { endings } = tx.ties;
  if (endings.size === 0) return;
  const members = [...endings].filter(([, { flags: flagged, was, is }]) => (flagged & flags.hasJoin) !== 0 && was !== is).map(([seq]) => seq);
  if (members.length > 0) {
    for (const [seq, joined] of tx.sql.tuples<[seq: number, joined: number]>(joinsOf, JSON.stringify(members))) {
      const join = tx.joins.at(tx.sql, joined);
      const change = endings.get(seq);
      if (join && change) countChange(tx, join, change.was, change.is);
    }
  }
  for (const [seq, { flags: flagged, is }] of endings) if ((flagged & flags.hasFollowers) !== 0 && is !== undefined) tx.ties.ended.set(seq, 0);
  endings.clear();
}

/** The join was given up. Answers whether the job is its own; one that only stood for another goes on as it is. */
export function leaveJoin(tx: Transaction, join: Join, job: Job): boolean {
  if (ownJoinOf(tx, job) === join) return true;
  tx.sql.run(leave, join.seq, job.seq);
  return false;
}

/** A job is gone: its joins may go too, when it was their last. */
export function forgetMembership(tx: Transaction, job: Pick<Job, "seq" | "flags">): void {
  if (!hasFlag(job, flags.hasJoin)) return;
  for (const [joined] of tx.sql.tuples<[number]>(joinedOf, job.seq)) tx.ties.joinsToPurge.add(joined);
  tx.sql.run(forgetMember, job.seq);
}
