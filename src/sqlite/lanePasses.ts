/** Bounded passes over lanes: admitting, parking those behind a death, sorting back those that were parked. */
import { tidyMax } from "../core/defaults.ts";
import { jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import { admitFirsts } from "./admitFirsts.ts";
import { closedBy, firstMember, mark, nextOf, places, put, unmark } from "./lane.ts";
import { leavePark, park, waitInOpenLane } from "./life.ts";
import { move } from "./move.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_lanes_marked. */
const markedLanes = "SELECT lane FROM errand_lanes WHERE is_marked = 1 ORDER BY lane LIMIT ?";

export function isAnyLaneMarked(sql: Statements): boolean {
  return sql.value(markedLanes, 1) !== undefined;
}

/** Admits the next members of lanes that may have room; what is too much for one transaction is left to tidy. */
export function admitMarked(tx: Transaction): void {
  if (tx.lanesToAdmit.size > 1) admitFirsts(tx, tidyMax - tx.admitted);
  // A member that is admitted too late ends at once and puts its lane back into the set, behind the others.
  for (const lane of tx.lanesToAdmit) {
    tx.lanesToAdmit.delete(lane);
    for (let next = nextOf(tx, lane); next !== undefined; next = nextOf(tx, lane)) {
      if (tx.admitted >= tidyMax) {
        mark(tx, lane);
        break;
      }
      const job = jobAt(tx, next);
      if (job) admit(tx, lane, job);
    }
  }
}

/** Parks blocked members of closed lanes, blocks parked members of opened ones, and lets opened ones admit. */
export function sortMembers(tx: Transaction, limit: number): { parked: number; hasMore: boolean } {
  let parked = 0;
  let budget = limit;
  for (const [lane] of tx.sql.tuples<[string]>(markedLanes, limit)) {
    const isClosed = closedBy(tx, lane) !== undefined;
    const sorted = sortLane(tx, lane, isClosed, budget);
    if (isClosed) parked += sorted;
    else tx.lanesToAdmit.add(lane);
    budget -= sorted;
    if (budget === 0) break;
  }
  return { parked, hasMore: budget === 0 };
}

export function sortLane(tx: Transaction, lane: string, isClosed: boolean, limit: number): number {
  const from = isClosed ? places.blocked : places.parked;
  let sorted = 0;
  for (let member = firstMember(tx, lane, from); member && sorted < limit; member = firstMember(tx, lane, from)) {
    const job = jobAt(tx, member.seq);
    if (job && isClosed) park(tx, lane, job);
    else if (job) unpark(tx, lane, job);
    sorted += 1;
  }
  if (firstMember(tx, lane, from) === undefined) unmark(tx, lane);
  return sorted;
}

/** Its turn has come: it waits for its time or a worker, or was not started in time. */
function admit(tx: Transaction, lane: string, job: Job): void {
  tx.admitted += 1;
  put(tx, lane, job.seq, places.admitted);
  waitInOpenLane(tx, job, job.state === "parked" ? leavePark(job) : {});
}

function unpark(tx: Transaction, lane: string, job: Job): void {
  put(tx, lane, job.seq, places.blocked);
  move(tx, job, "blocked", leavePark(job));
}
