/** Bounded passes over lanes: admitting, parking those behind a death, sorting back those that were parked. */
import type { Instant } from "../core/runtime.ts";
import { beginAnew, park, wait } from "./life.ts";
import type { Job } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { Store } from "./store.ts";

/** Admits the next members of lanes that may have room, `limit` at most; the rest is left to tidy. Answers how many. */
export function admitNext(store: Store, limit: number, now: Instant): number {
  let admitted = 0;
  // A member that is admitted too late ends at once and puts its lane back into the set, behind the others.
  for (const lane of store.lanes.toAdmit) {
    store.lanes.toAdmit.delete(lane);
    for (let next = lane.next(); next; next = lane.next()) {
      if (admitted >= limit) {
        store.lanes.toAdmit.add(lane);
        return admitted;
      }
      admit(store, lane, next, now);
      admitted += 1;
    }
  }
  return admitted;
}

/** Parks blocked members of closed lanes, and blocks parked members of opened ones, `limit` at most. */
export function sortMembers(store: Store, limit: number, now: Instant): { parked: number; hasMore: boolean } {
  let parked = 0;
  let budget = limit;
  for (const lane of store.lanes.toSort) {
    const sorted = sortLane(store, lane, budget, now);
    if (lane.closed) parked += sorted;
    budget -= sorted;
    if (budget === 0) return { parked, hasMore: store.lanes.toSort.size > 0 };
  }
  return { parked, hasMore: false };
}

export function sortLane(store: Store, lane: Lane, limit: number, now: Instant): number {
  let sorted = 0;
  for (let member = unsorted(lane); member && sorted < limit; member = unsorted(lane)) {
    if (lane.closed) park(store, lane, member, now);
    else unpark(store, lane, member, now);
    sorted += 1;
  }
  if (unsorted(lane) === undefined) store.lanes.toSort.delete(lane);
  return sorted;
}

/** Its turn has come: it waits for its time or a worker, or was not started in time. */
function admit(store: Store, lane: Lane, job: Job, now: Instant): void {
  lane.admit(job);
  if (job.hasDied) beginAnew(job);
  wait(store, job, now);
}

function unpark(store: Store, lane: Lane, job: Job, now: Instant): void {
  lane.block(job);
  if (job.hasDied) beginAnew(job);
  store.move(job, "blocked", now);
}

function unsorted(lane: Lane): Job | undefined {
  return lane.closed ? lane.firstBlocked() : lane.firstParked();
}
