/** `errand schedules next`. */
import type { Arguments } from "./arguments.ts";
import { fromNow, inZone } from "./instants.ts";
import { remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";
import { table } from "./table.ts";

/** 3: none comes any more. */
export async function nextSlots({ work }: OpenStore, given: Arguments, name: string, count: number): Promise<number> {
  const schedule = work.schedule(name);
  const { zone, isPaused } = await schedule.view();
  const slots = await schedule.next(count);
  if (given.has("json")) say(plainJson({ name, zone, isPaused, slots }));
  else if (slots.length > 0)
    say(
      table(slots, [
        { title: zone, of: (slot) => inZone(slot, zone) },
        { title: "UTC", of: (slot) => inZone(slot, "UTC"), spare: 1 },
        { title: "", of: (slot) => fromNow(slot) },
      ]),
    );
  if (slots.length === 0) remark(`${name} has no slot any more`);
  else if (isPaused) remark(`${name} is paused: it passes over its slots until errand schedules resume ${name}`);
  return slots.length === 0 ? 3 : 0;
}
