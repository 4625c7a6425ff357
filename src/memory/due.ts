/** What the passing of time does: scheduled jobs come due, and jobs that were not started in time are skipped. */
import type { Instant } from "../core/runtime.ts";
import { isLate } from "./job.ts";
import { comeDue, skipLate } from "./life.ts";
import type { Store } from "./store.ts";

/** Answers how many came due. */
export function promote(store: Store, limit: number, now: Instant): number {
  let promoted = 0;
  for (let job = store.scheduled.first(); job && job.dueAt <= now && promoted < limit; job = store.scheduled.first()) {
    comeDue(store, job, now);
    promoted += 1;
  }
  return promoted;
}

/** Answers how many were skipped. */
export function skipLateOnes(store: Store, limit: number, now: Instant): number {
  let skipped = 0;
  for (let job = store.startingInTime.first(); job && isLate(job, now) && skipped < limit; job = store.startingInTime.first()) {
    skipLate(store, job, now);
    skipped += 1;
  }
  return skipped;
}
