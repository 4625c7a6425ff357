/** Which slots a look at the clock finds due, and what becomes of those that were missed. */
import { missedAfterMs, missedRunsMax, scheduleEveryLeastMs } from "../defaults.ts";
import type { Instant } from "../runtime.ts";
import type { Missed } from "./rule.ts";
import type { Slots } from "./slots.ts";

/** No rhythm has more. */
const inTimeMax = Math.ceil(missedAfterMs / scheduleEveryLeastMs) + 1;

export interface Due {
  /** To be enqueued, in order. */
  readonly slots: readonly Instant[];
  /** Everything up to here is decided. */
  readonly cursor: Instant;
  /** Some were missed, and are not made up for. */
  readonly isPassedOver: boolean;
  /** There are more: look again at once. */
  readonly hasMore: boolean;
}
export interface Look {
  readonly cursor: Instant;
  /** The store's. */
  readonly now: Instant;
  readonly missed: Missed;
  /** How many slots fit into one atom. */
  readonly most: number;
}

/** Undefined: none. */
export function dueSlots(slots: Slots, look: Look): Due | undefined {
  const { cursor, now, missed, most } = look;
  const first = slots.next(cursor);
  if (first === undefined || first > now) return undefined;
  const inTimeAfter = Math.max(cursor, now - missedAfterMs - 1);
  const inTime = slots.within(inTimeAfter, now, inTimeMax);
  if (first > inTimeAfter) return some(inTime, most, false);
  const lastMissed = slots.last(cursor, inTimeAfter) ?? first;
  if (missed === "run-all") {
    const all = slots.lastFew(cursor, now, missedRunsMax);
    return some(all, most, all[0] !== first);
  }
  if (inTime.length > 0) return some(inTime, most, true);
  return { slots: missed === "drop" ? [] : [lastMissed], cursor: lastMissed, isPassedOver: missed === "drop" || first < lastMissed, hasMore: false };
}

/** From the oldest on: the next look goes on where the cursor stands. */
function some(all: readonly Instant[], most: number, isPassedOver: boolean): Due {
  const slots = all.slice(0, most);
  return { slots, cursor: slots.at(-1) ?? 0, isPassedOver, hasMore: slots.length < all.length };
}
