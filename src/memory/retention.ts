/** What history keeps, and for how long (G19). */
import type { Instant } from "../core/runtime.ts";
import { isEmpty } from "./join.ts";
import { removeStaged, retainMembers } from "./joinPasses.ts";
import type { Store } from "./store.ts";

/**
 * Removes ended jobs, old events, joins that nothing needs, joins whose storing was given up, and ended windows of unique keys, `limit` of each.
 * Answers how many jobs, events and joins, and whether some of them reached the limit.
 */
export function purge(store: Store, limit: number, now: Instant): { purged: number; hasMore: boolean } {
  const retained = retainMembers(store, limit);
  const counts = [removeStaged(store, limit, now), purgeJobs(store, limit, now), purgeJoins(store, limit, now), store.events.purge(limit, now)];
  store.uniques.purge(limit, now);
  store.gates.purge(now);
  return { purged: counts.reduce((sum, count) => sum + count, 0), hasMore: [retained, ...counts].some((count) => count >= limit) };
}

function purgeJobs(store: Store, limit: number, now: Instant): number {
  let purged = 0;
  for (let job = store.ended.first(); job && job.purgeAt <= now && purged < limit; job = store.ended.first()) {
    // One that a live job names meanwhile comes back when that has ended.
    if (store.afters.isNamed(job)) store.ended.remove(job);
    else {
      store.remove(job);
      purged += 1;
    }
  }
  return purged;
}

function purgeJoins(store: Store, limit: number, now: Instant): number {
  const { forgettable } = store.joins;
  let purged = 0;
  for (let next = forgettable.first(); next && next.at <= now && purged < limit; next = forgettable.first()) {
    forgettable.remove(next);
    if (store.joins.find(next.join.id) !== next.join || !isEmpty(next.join) || store.afters.isNamed(next.join)) continue;
    store.removeJoin(next.join);
    purged += 1;
  }
  return purged;
}
