/** `errand queues`: how many jobs are where; pause and resume. */
import type { Broker, Pausable } from "../index.ts";
import { jobStates, type JobState } from "../core/states.ts";
import { readArguments, usage, type Arguments } from "./arguments.ts";
import { paint, say, sayJson } from "./output.ts";
import { storeOption, withBroker } from "./store.ts";
import { table } from "./table.ts";

const help = `errand queues                          jobs in each state, by queue and task
errand queues pause <queue> [--reason …]   no job of it starts until resumed; --task <task> for a task
errand queues resume <queue>

  --store URL    the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json         for scripts`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { ...storeOption, task: { type: "string" }, reason: { type: "string" } });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const [verb = "list", name] = given.words;
  if (verb !== "list" && verb !== "pause" && verb !== "resume") throw usage(`queues has no "${verb}"; it has list, pause, resume`);
  return withBroker(given, (work) => (verb === "list" ? list(work, given) : switchOne(work, given, verb, name)));
}

async function list(work: Broker, given: Arguments): Promise<number> {
  const rows = await work.counts();
  if (given.has("json")) {
    sayJson(rows);
    return 0;
  }
  if (rows.length === 0) {
    say("no jobs yet");
    return 0;
  }
  const sorted = rows.toSorted((a, b) => a.queue.localeCompare(b.queue) || a.task.localeCompare(b.task));
  say(
    table(sorted, [
      { title: "queue", of: (row) => row.queue },
      { title: "task", of: (row) => row.task },
      ...jobStates.map((state) => ({ title: state, of: (row: (typeof sorted)[number]) => row.states[state], style: (row: (typeof sorted)[number]) => styleOf(state, row.states[state]) })),
      { title: "", of: (row) => (row.isPaused ? "paused" : ""), style: () => "yellow" as const },
    ]),
  );
  return 0;
}

function styleOf(state: JobState, jobs: number): "red" | "dim" | undefined {
  if (jobs === 0) return "dim";
  return state === "dead" || state === "parked" ? "red" : undefined;
}

async function switchOne(work: Broker, given: Arguments, verb: "pause" | "resume", queue: string | undefined): Promise<number> {
  const what = pausableOf(queue, given.text("task"), verb);
  if (verb === "pause") await work.pause(what, given.text("reason"));
  else await work.resume(what);
  const name = "queue" in what ? `queue ${what.queue}` : `task ${what.task}`;
  if (given.has("json")) sayJson({ ...what, isPaused: verb === "pause" });
  else say(`${name} ${verb === "pause" ? paint("yellow", "is paused: running jobs go on, no other starts") : paint("green", "goes on")}`);
  return 0;
}

function pausableOf(queue: string | undefined, task: string | undefined, verb: string): Pausable {
  if (queue !== undefined && task === undefined) return { queue };
  if (task !== undefined && queue === undefined) return { task };
  throw usage(`queues ${verb} takes one queue, or --task <task>`);
}
