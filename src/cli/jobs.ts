/** `errand jobs`: list, show, cancel, retry, redrive. */
import type { Broker, Change, JobFilter, JobState, Selection } from "../index.ts";
import { jobStates } from "../core/states.ts";
import { numberOf, readArguments, usage, type Arguments } from "./arguments.ts";
import { changeJobs } from "./changeJobs.ts";
import { jobDetails, jobTable } from "./jobText.ts";
import { say, sayJson } from "./output.ts";
import { storeOption, withBroker } from "./store.ts";

const help = `errand jobs [list]                 jobs, newest first
errand jobs show <id>              one job: what it waits for, its history
errand jobs cancel <id …>          or by filter; running ones are asked to stop
errand jobs retry <id …>           dead, parked and delayed ones run again
errand jobs redrive                all dead and parked ones that fit the filter run again, keys in their order

  --state S      ${jobStates.join(", ")}; several with commas
  --queue Q  --task T                only of this queue or task
  --limit N      rows to list (default 50, at most 1000)   --after CURSOR  the next page
  --dry-run      say what would change, change nothing
  --store URL    the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json         for scripts`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, {
    ...storeOption,
    state: { type: "string" },
    queue: { type: "string" },
    task: { type: "string" },
    limit: { type: "string" },
    after: { type: "string" },
    reason: { type: "string" },
    "dry-run": { type: "boolean" },
  });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const [verb = "list", ...ids] = given.words;
  return withBroker(given, (work) => runVerb(work, given, verb, ids));
}

async function runVerb(work: Broker, given: Arguments, verb: string, ids: readonly string[]): Promise<number> {
  switch (verb) {
    case "list":
      return list(work, given);
    case "show":
      return show(work, given, ids);
    case "cancel":
      return changeJobs(work, given, selectionOf(given, ids, "cancel"), { do: "cancel", reason: given.text("reason") ?? "cancelled from the command line" });
    case "retry":
      return changeJobs(work, given, selectionOf(given, ids, "retry"), { do: "retry" } satisfies Change);
    case "redrive":
      return changeJobs(work, given, { jobs: { states: ["dead", "parked"], ...filterOf(given) } }, { do: "retry" });
    default:
      throw usage(`jobs has no "${verb}"; it has list, show, cancel, retry, redrive`);
  }
}

async function list(work: Broker, given: Arguments): Promise<number> {
  const after = given.text("after");
  const page = await work.list(filterOf(given), { limit: numberOf(given, "limit", 50, 1, 1_000), newestFirst: true, ...(after !== undefined && { after }) });
  if (given.has("json")) sayJson(page);
  else if (page.jobs.length === 0) say("no jobs match");
  else say([jobTable(page.jobs), ...(page.next === undefined ? [] : [`more: --after ${page.next}`])].join("\n"));
  return page.jobs.length === 0 ? 3 : 0;
}

async function show(work: Broker, given: Arguments, ids: readonly string[]): Promise<number> {
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw usage("jobs show takes one id");
  const job = await work.find(id);
  if (job === undefined) {
    say(`no job has the id ${id}, or its retention has passed`);
    return 3;
  }
  const why = await work.why(id);
  if (given.has("json")) sayJson({ ...job, why });
  else say(jobDetails(job, why));
  return 0;
}

function selectionOf(given: Arguments, ids: readonly string[], verb: string): Selection {
  if (ids.length > 0) return { ids };
  const filter = filterOf(given);
  if (Object.keys(filter).length === 0) throw usage(`jobs ${verb} takes ids, or a filter: --state, --queue, --task`);
  return { jobs: filter };
}

function filterOf(given: Arguments): JobFilter {
  const states = given.text("state")?.split(",") as JobState[] | undefined;
  const unknown = states?.find((state) => !(jobStates as readonly string[]).includes(state));
  if (unknown !== undefined) throw usage(`--state has "${unknown}"; the states are ${jobStates.join(", ")}`);
  const [queue, task] = [given.text("queue"), given.text("task")];
  return { ...(states && { states }), ...(queue !== undefined && { queue }), ...(task !== undefined && { task }) };
}
