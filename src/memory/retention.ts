/** What history keeps, and for how long (G19). */
import type { Instant } from "../core/runtime.ts";
import type { Store } from "./store.ts";

/** Removes ended jobs, old events and ended windows of unique keys, `limit` of each. Answers how many jobs and events. */
export function purge(store: Store, limit: number, now: Instant): number {
  let purged = 0;
  for (let job = store.ended.first(); job && job.purgeAt <= now && purged < limit; job = store.ended.first()) {
    store.remove(job);
    purged += 1;
  }
  store.uniques.purge(limit, now);
  return purged + store.events.purge(limit, now);
}
