/** What the passing of time does: scheduled jobs become ready, and jobs that were not started in time are skipped. */
import type { Instant } from "../core/runtime.ts";
import { isLate } from "./job.ts";
import { skipLate } from "./life.ts";
import type { Store } from "./store.ts";

/** Answers how many became ready. */
export function promote(store: Store, limit: number, now: Instant): number {
  let promoted = 0;
  for (let job = store.scheduled.first(); job && job.dueAt <= now && promoted < limit; job = store.scheduled.first()) {
    store.move(job, "ready", now);
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
