/** A job that is held back by its join, or by what it comes after: whether it is still, and what follows where it is not. */
import { verdictOnJob } from "./after.ts";
import { flags, hasFlag } from "./job.ts";
import type { Job, Later } from "./job.ts";
import { isOpen } from "./join.ts";
import type { Join } from "./join.ts";
import { joinLine, memberOf } from "./lane.ts";
import { end, waitInOpenLane } from "./life.ts";
import { hasCome, ownJoinOf } from "./membership.ts";
import { move } from "./move.ts";
import type { Change } from "./move.ts";
import type { Transaction } from "./transaction.ts";

/** Something that it came after has ended. */
export function lookAtHeld(tx: Transaction, job: Job): void {
  if (!hasFlag(job, flags.isHeld)) return;
  const own = ownJoinOf(tx, job);
  const verdict = verdictOnJob(tx, job, own);
  if (verdict.is === "cancelled" || verdict.is === "skipped") drop(tx, job, verdict.is, verdict.reason);
  // Its join goes on with its members in their order.
  else if (verdict.is === "met" && (own === undefined || hasCome(tx, own, job.seq))) letGo(tx, job);
}

/** Its join has opened, or met its fate. One that it only adopted goes on as it was. */
export function letGoByJoin(tx: Transaction, join: Join, job: Job): void {
  if (!hasFlag(job, flags.isHeld) || ownJoinOf(tx, job) !== join) return;
  const verdict = verdictOnJob(tx, job, join);
  if (isOpen(join)) tx.ties.released += 1;
  if (verdict.is === "met") letGo(tx, job);
  else if (verdict.is !== "waits") drop(tx, job, verdict.is, verdict.reason);
}

/** It ends unstarted. */
function drop(tx: Transaction, job: Job, answer: "cancelled" | "skipped", reason: string): void {
  tx.ties.dropped += 1;
  end(tx, job, answer, { reason });
}

/** In its lane it takes its place among those that wait there; the lane admits. */
function letGo(tx: Transaction, job: Job): void {
  job.flags &= ~flags.isHeld;
  const change = counted(tx, job);
  if (job.lane === null) waitInOpenLane(tx, job, change);
  else if (joinLine(tx, job.lane, memberOf(job)) === "parked") move(tx, job, "parked", change);
  else move(tx, job, "blocked", change);
}

function counted(tx: Transaction, job: Job): Change {
  const { delayMs, startWithinMs } = (job.later === null ? {} : JSON.parse(job.later)) as Later;
  const dueAt = delayMs === undefined ? Math.max(tx.now, job.dueAt) : tx.now + delayMs;
  return { dueAt, ...(startWithinMs !== undefined && job.startBy === null && { startBy: tx.now + startWithinMs }) };
}
