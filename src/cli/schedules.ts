/** `errand schedules`: what comes again and again, when next; pause, resume, backfill, remove. */
import { numberOf, usage, type Arguments } from "./arguments.ts";
import { backfillSchedule } from "./backfillSchedule.ts";
import { instantOf } from "./instants.ts";
import { listSchedules } from "./listSchedules.ts";
import { nextSlots } from "./nextSlots.ts";
import { pauseSchedule, resumeSchedule } from "./pauseSchedule.ts";
import { removeSchedule } from "./removeSchedule.ts";
import type { OpenStore } from "./store.ts";
import { runVerb, type VerbCommand } from "./verbs.ts";

const help = `errand schedules [list]           schedules: their rhythm, when they are due
                                  next, what is paused or was edited
errand schedules next <name>      the next slots of one
errand schedules pause <name>     it enqueues nothing, whichever workers run,
                                  until it is resumed
errand schedules resume <name>    goes on with the next slot; what was passed
                                  over is not made up for
errand schedules backfill <name>  enqueues the slots of a time in the past; what
                                  has a job already gets no other
errand schedules remove <name>    retires one that no code defines any more

  --count N      next: how many (default 10, at most 1000)
  --from TIME    backfill: the first instant, as in 2026-01-31 (midnight UTC)
  --to TIME      or 2026-01-31T09:00+01:00; the last one. Default: now
  --dry-run      backfill: only count the slots
  --reason TEXT  pause: why
  --store URL    the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json         for scripts

Exit codes: 0 done, 1 failed, 2 a mistake on the command line,
3 there is no schedule, none was paused, or nothing was to be enqueued.`;

const command: VerbCommand = {
  name: "schedules",
  help,
  options: {
    count: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    "dry-run": { type: "boolean" },
    reason: { type: "string" },
  },
  verbs: {
    list: { takes: [], wordsMax: 0, run: listSchedules },
    next: {
      takes: ["count"],
      wordsMax: 1,
      run: (store, given, [name]) => nextSlots(store, given, named("next", name), numberOf(given, "count", 10, 1, 1_000)),
    },
    pause: { takes: ["reason"], wordsMax: 1, run: (store, given, [name]) => pauseSchedule(store, given, named("pause", name)) },
    resume: { takes: [], wordsMax: 1, run: (store, given, [name]) => resumeSchedule(store, given, named("resume", name)) },
    backfill: { takes: ["from", "to", "dry-run"], wordsMax: 1, run: (store, given, [name]) => backfill(store, given, named("backfill", name)) },
    remove: { takes: [], wordsMax: 1, run: (store, given, [name]) => removeSchedule(store, given, named("remove", name)) },
  },
};

export function run(args: readonly string[]): Promise<number> {
  return runVerb(command, args);
}

function named(verb: string, name: string | undefined): string {
  if (name === undefined) throw usage(`schedules ${verb} of which schedule? errand schedules lists them`);
  return name;
}

function backfill(store: OpenStore, given: Arguments, name: string): Promise<number> {
  const from = instantOf(given, "from");
  if (from === undefined) throw usage("schedules backfill from when? give --from 2026-01-31, or 2026-01-31T09:00+01:00");
  return backfillSchedule(store, given, name, { from, to: instantOf(given, "to") });
}
