/** One bounded pass of housekeeping. Each reason has its own budget of `items`. */
import type { Tidied, Tidy } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { promote, skipLateOnes } from "./due.ts";
import { expire } from "./expire.ts";
import { admitNext, sortMembers } from "./lanePasses.ts";
import { replay } from "./replay.ts";
import { purge } from "./retention.ts";
import type { Store } from "./store.ts";

export function tidy(store: Store, { items, mayExpire }: Tidy, now: Instant): Tidied {
  const promoted = promote(store, items, now);
  const skipped = skipLateOnes(store, items, now);
  const expired = mayExpire ? expire(store, items, now) : { takenBack: 0, quarantined: 0, hasMore: false };
  const sorted = sortMembers(store, items, now);
  const admitted = admitNext(store, items, now);
  const replayed = replay(store, items, now);
  const purged = purge(store, items, now);
  const hasMore = expired.hasMore || sorted.hasMore || replayed.hasMore || [promoted, skipped, admitted, purged].some((count) => count >= items);
  return {
    now,
    promoted,
    skipped,
    takenBack: expired.takenBack,
    quarantined: expired.quarantined,
    parked: sorted.parked,
    admitted,
    released: 0,
    closed: 0,
    dropped: 0,
    replayed: replayed.replayed,
    purged,
    hasMore,
  };
}
