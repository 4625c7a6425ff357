/** One bounded pass of housekeeping. Each reason has its own budget of `items`. */
import type { Tidied, Tidy } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { aftermath } from "./aftermath.ts";
import { promote, skipLateOnes } from "./due.ts";
import { expire } from "./expire.ts";
import { cancelMembers } from "./joinPasses.ts";
import { sortMembers } from "./lanePasses.ts";
import { replay } from "./replay.ts";
import { purge } from "./retention.ts";
import type { Store } from "./store.ts";

export function tidy(store: Store, { items, mayExpire, expireUntil = Number.POSITIVE_INFINITY }: Tidy, now: Instant): Tidied {
  const before = store.skippedLate;
  // Late ones first, so that none of them asks for room.
  skipLateOnes(store, items, now);
  const promoted = promote(store, items, now);
  const expired = mayExpire ? expire(store, items, now, Math.min(now, expireUntil)) : { takenBack: 0, quarantined: 0, hasMore: false };
  const cancelled = cancelMembers(store, items, now);
  const windows = store.limits.expire(items, now);
  const sorted = sortMembers(store, items, now);
  const replayed = replay(store, items, now);
  const purged = purge(store, items, now);
  const done = aftermath(store, now, items);
  const skipped = store.skippedLate - before;
  const bounded = [promoted, skipped, cancelled, windows, ...Object.values(done)];
  return {
    now,
    promoted,
    skipped,
    takenBack: expired.takenBack,
    quarantined: expired.quarantined,
    parked: sorted.parked,
    admitted: done.admitted + done.given,
    released: done.released,
    closed: done.closed,
    dropped: done.dropped + cancelled,
    replayed: replayed.replayed,
    purged: purged.purged,
    hasMore: expired.hasMore || sorted.hasMore || replayed.hasMore || purged.hasMore || bounded.some((count) => count >= items),
  };
}
