/** The end of every verb: what it let happen happens, in bounded passes; the rest is left to tidy. */
import { tidyMax } from "../core/defaults.ts";
import type { Instant } from "../core/runtime.ts";
import { closeJoins, endMembers, lookAtJoin, releaseMembers } from "./joinPasses.ts";
import { admitNext } from "./lanePasses.ts";
import { lookAtJob } from "./letGo.ts";
import { giveRoom } from "./limitPasses.ts";
import type { Store } from "./store.ts";

/** What was done, counted; each has a limit of its own. */
export interface Done {
  closed: number;
  looked: number;
  dropped: number;
  released: number;
  admitted: number;
  given: number;
}

/** Goes round until nothing is left to do, since each ending may let others go. */
export function aftermath(store: Store, now: Instant, limit: number = tidyMax): Done {
  const done: Done = { closed: 0, looked: 0, dropped: 0, released: 0, admitted: 0, given: 0 };
  while (hasWork(store, done, limit)) {
    // All are let go before lanes admit: in its lane each stands by its order of enqueue among them.
    while (hasHeld(store, done, limit)) {
      closeAndLook(store, done, limit, now);
      done.dropped += endMembers(store, limit - done.dropped, now);
      done.released += releaseMembers(store, limit - done.released, now);
    }
    done.admitted += admitNext(store, limit - done.admitted, now);
    done.given += giveRoom(store, limit - done.given, now);
  }
  return done;
}

/** What can close is closed before anything that may come after it is looked at. */
function closeAndLook(store: Store, done: Done, limit: number, now: Instant): void {
  for (;;) {
    done.closed += closeJoins(store, limit - done.closed, now);
    const held = done.looked < limit ? store.afters.take() : undefined;
    if (held === undefined) return;
    done.looked += 1;
    if (held.kind === "join") lookAtJoin(store, held);
    else if (lookAtJob(store, held, now) === "dropped") done.dropped += 1;
  }
}

function hasWork(store: Store, done: Done, limit: number): boolean {
  const { lanes, limits } = store;
  return hasHeld(store, done, limit) || (lanes.toAdmit.size > 0 && done.admitted < limit) || (limits.marked.size > 0 && done.given < limit);
}

function hasHeld({ joins, afters }: Store, done: Done, limit: number): boolean {
  return (
    (joins.toClose.size > 0 && done.closed < limit) ||
    (afters.hasLooks && done.looked < limit) ||
    (joins.toEnd.size > 0 && done.dropped < limit) ||
    (joins.toRelease.size > 0 && done.released < limit)
  );
}
