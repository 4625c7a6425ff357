/** When any schedule of the store is due next: for clocks that are moved by hand. */
import type { Instant } from "../runtime.ts";
import { readSchedules, type Store } from "./stored.ts";
import { viewOf } from "./view.ts";

/** Infinity: never. */
export async function nextSlotAt(store: Store): Promise<Instant> {
  const { schedules, isPaused, now } = await readSchedules(store);
  const active = schedules.filter(({ stored }) => !isPaused(stored.name));
  return Math.min(...active.map((read) => viewOf(read, undefined, now).next?.getTime() ?? Number.POSITIVE_INFINITY));
}
