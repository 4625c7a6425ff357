/** `errand schedules list`. */
import { inWords } from "../core/duration.ts";
import type { ScheduleView } from "../index.ts";
import { realRuntime } from "../runtime/real.ts";
import type { Arguments } from "./arguments.ts";
import { fromNow, inZone } from "./instants.ts";
import { remark, say } from "./output.ts";
import { pausesOfKind, type PauseOf } from "./pauses.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";
import { table } from "./table.ts";

/** 3: there is none. */
export async function listSchedules(store: OpenStore, given: Arguments): Promise<number> {
  const schedules = await store.work.schedules();
  if (given.has("json")) say(plainJson({ schedules: schedules.map(jsonOf) }));
  else if (schedules.length > 0) say(tableOf(schedules, await pausesOfKind(store, "schedule")));
  if (schedules.length === 0) remark("no schedules yet: a broker that defines one registers it when it opens");
  return schedules.length === 0 ? 3 : 0;
}

/** What is undefined is null, so that every line has the same fields. */
function jsonOf(schedule: ScheduleView): object {
  return Object.fromEntries(Object.entries(schedule).map(([name, value]) => [name, (value as unknown) ?? null]));
}

function tableOf(schedules: readonly ScheduleView[], pauses: readonly PauseOf<"schedule">[]): string {
  return table(schedules, [
    { title: "name", of: ({ name }) => name, style: ({ isPaused }) => (isPaused ? "yellow" : undefined) },
    { title: "task", of: ({ task }) => task, spare: 3 },
    { title: "rhythm", of: ({ rhythm }) => rhythm },
    { title: "zone", of: ({ zone, rhythm }) => (/^\d[\d.]*[a-z]+$/.test(rhythm) ? "" : zone), spare: 2 },
    { title: "next", of: ({ next, zone }) => (next === undefined ? "never" : inZone(next, zone)) },
    { title: "in", of: ({ next }) => (next === undefined ? "" : fromNow(next).replace(/^in /, "")), spare: 1 },
    { title: "last", of: ({ last }) => (last === undefined ? "" : fromNow(last)), spare: 4 },
    { title: "", of: (schedule) => noteOf(schedule, pauses), isFree: true },
  ]);
}

function noteOf({ name, missed, overlap, edited }: ScheduleView, pauses: readonly PauseOf<"schedule">[]): string {
  const pause = pauses.find((each) => each.name === name);
  return [
    ...(pause === undefined
      ? []
      : [`paused for ${inWords(Math.max(0, realRuntime().now() - pause.since.getTime()))}${pause.reason === "" ? "" : `: ${pause.reason}`}`]),
    ...(missed === "run-once" ? [] : [`missed ${missed}`]),
    ...(overlap === "allow" ? [] : [`overlap ${overlap}`]),
    ...(edited.length === 0 ? [] : [`edited: ${edited.join(", ")}`]),
  ].join("; ");
}
