/** `errand jobs`: list, show, cancel, retry, redrive. */
import { jobStates } from "../core/states.ts";
import { usage, type Arguments } from "./arguments.ts";
import { changeByFilter } from "./changeByFilter.ts";
import { changeByIds } from "./changeByIds.ts";
import { filterOptions, isFiltered, type ChangingVerb } from "./jobFilter.ts";
import { listJobs } from "./listJobs.ts";
import { showJob } from "./showJob.ts";
import type { OpenStore } from "./store.ts";
import { runVerb, type VerbCommand } from "./verbs.ts";

const help = `errand jobs [list]         jobs, newest first
errand jobs show <id>      one job: why it waits or how it ended, its attempts
errand jobs cancel <id …>  or by filter: what waits never starts, what runs is
                           asked to stop
errand jobs retry <id …>   or by filter: dead and parked jobs run again,
                           delayed ones at once
errand jobs redrive        all dead and parked jobs that fit the filter run
                           again, those of a key in their order

Which jobs:
  --state S          ${jobStates.slice(0, 5).join(", ")},
                     ${jobStates.slice(5).join(", ")}; several with commas
  --queue Q          only of this queue
  --task T           only of this task
  --key K            only of this key, as jobs show names it ("ordered by")
  --reason-has TEXT  cancel, retry, redrive: only where the reason has this text
  --all              cancel, retry, redrive: all of them, without a filter

How:
  --dry-run          count by queue, task, state and reason what would change,
                     and change nothing
  --reason TEXT      cancel: why; kept with the job
  --limit N          list: how many (default 50, at most 1000)
  --after CURSOR     list: the next page, as the page before names it
  --store URL        the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json             for scripts

Exit codes: 0 done, 1 failed, 2 a mistake on the command line,
3 nothing matched, or nothing of it could be changed.`;

const changing = [...filterOptions, "reason-has", "all", "dry-run"];
const wordsMax = 10_000;

const command: VerbCommand = {
  name: "jobs",
  help,
  options: {
    state: { type: "string", multiple: true },
    queue: { type: "string" },
    task: { type: "string" },
    key: { type: "string" },
    "reason-has": { type: "string" },
    all: { type: "boolean" },
    "dry-run": { type: "boolean" },
    reason: { type: "string" },
    limit: { type: "string" },
    after: { type: "string" },
  },
  stranger: (word) => `; for one job: errand jobs show ${word}`,
  verbs: {
    list: { takes: [...filterOptions, "limit", "after"], wordsMax: 0, run: listJobs },
    show: { takes: [], wordsMax: 1, run: (store, given, [id]) => showJob(store, given, id) },
    cancel: { takes: [...changing, "reason"], wordsMax, run: (store, given, ids) => change(store, given, "cancel", ids) },
    retry: { takes: changing, wordsMax, run: (store, given, ids) => change(store, given, "retry", ids) },
    redrive: { takes: changing, wordsMax, run: redrive },
  },
};

export function run(args: readonly string[]): Promise<number> {
  return runVerb(command, args);
}

function redrive(store: OpenStore, given: Arguments, ids: readonly string[]): Promise<number> {
  if (ids.length > 0) throw usage(`jobs redrive goes by filter; for single jobs there is errand jobs retry ${ids.join(" ")}`);
  return change(store, given, "redrive", []);
}

function change(store: OpenStore, given: Arguments, verb: ChangingVerb, ids: readonly string[]): Promise<number> {
  const asked = verb === "cancel" ? { do: "cancel" as const, reason: given.text("reason") ?? "cancelled from the command line" } : { do: "retry" as const };
  const filtered = isFiltered(given);
  if (ids.length > 0 && (filtered || given.has("all"))) throw usage(`jobs ${verb} takes ids or a filter, not both`);
  if (ids.length > 0) return changeByIds(store, given, asked, [...new Set(ids)]);
  if (!filtered && !given.has("all"))
    throw usage(`jobs ${verb} of which jobs? give ${verb === "redrive" ? "" : "ids, or "}a filter (--task, --queue, --key, --state, --reason-has), or --all`);
  return changeByFilter(store, given, { verb, change: asked });
}
