/** `errand schedules remove`. */
import type { Arguments } from "./arguments.ts";
import { say } from "./output.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";

export async function removeSchedule({ work }: OpenStore, given: Arguments, name: string): Promise<number> {
  await work.schedule(name).remove();
  if (given.has("json")) say(plainJson({ schedule: name, isRemoved: true }));
  else say(`schedule ${name} is removed; code that still defines it registers it again when its broker opens`);
  return 0;
}
