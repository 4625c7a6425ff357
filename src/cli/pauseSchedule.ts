/** `errand schedules pause` and `resume`. */
import type { Arguments } from "./arguments.ts";
import { fromNow, inZone } from "./instants.ts";
import { paint, remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";

export async function pauseSchedule({ work }: OpenStore, given: Arguments, name: string): Promise<number> {
  await work.schedule(name).view(); // refuses a name that is not there
  await work.pause({ schedule: name }, given.text("reason"));
  if (given.has("json")) say(plainJson({ schedule: name, isPaused: true }));
  else say(`schedule ${name} ${paint("yellow", "is paused")}: it enqueues nothing until errand schedules resume ${name}`);
  return 0;
}

/** 3: it was not paused. */
export async function resumeSchedule({ work }: OpenStore, given: Arguments, name: string): Promise<number> {
  const { isPaused } = await work.schedule(name).view();
  await work.resume({ schedule: name });
  const { next, zone } = await work.schedule(name).view();
  if (given.has("json")) say(plainJson({ schedule: name, isPaused: false, next: next ?? null }));
  if (!isPaused) remark(`schedule ${name} was not paused`);
  else if (!given.has("json")) say(`schedule ${name} ${paint("green", "goes on")}${next === undefined ? "" : ` at ${inZone(next, zone)}, ${fromNow(next)}`}`);
  return isPaused ? 0 : 3;
}
