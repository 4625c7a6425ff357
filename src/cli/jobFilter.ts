/** Which jobs the options mean. */
import type { JobFilter, JobState, JobView } from "../index.ts";
import { didYouMean } from "../core/names.ts";
import { jobStates, liveStates } from "../core/states.ts";
import { usage, type Arguments } from "./arguments.ts";
import { remark } from "./output.ts";
import type { OpenStore } from "./store.ts";

export const filterOptions: readonly string[] = ["state", "queue", "task", "key"];

/** The states in which a verb does something. */
export const statesChanged: Readonly<Record<ChangingVerb, readonly JobState[]>> = {
  cancel: liveStates,
  retry: ["scheduled", "parked", "dead"],
  redrive: ["parked", "dead"],
};
export type ChangingVerb = "cancel" | "retry" | "redrive";

/** Rows to read at a time: each may hold a payload of 256 KiB. */
const pageRows = 250;

export function isFiltered(given: Arguments): boolean {
  return [...filterOptions, "reason-has"].some((name) => given.names.includes(name));
}

/** Throws `cli-usage`. */
export function filterOf(given: Arguments): JobFilter {
  const states = given
    .texts("state")
    .flatMap((text) => text.split(","))
    .map((text) => stateOf(text.trim()));
  const [queue, task, lane] = [given.text("queue"), given.text("task"), given.text("key")];
  return {
    ...(states.length > 0 && { states: [...new Set(states)] }),
    ...(queue !== undefined && { queue }),
    ...(task !== undefined && { task }),
    ...(lane !== undefined && { lane }),
  };
}

/** As {@link filterOf}, within the states in which `verb` does something. Throws `cli-usage`. */
export function changeFilterOf(given: Arguments, verb: ChangingVerb): JobFilter {
  const filter = filterOf(given);
  const allowed = statesChanged[verb];
  const wrong = filter.states?.find((state) => !allowed.includes(state));
  if (wrong !== undefined) throw usage(`jobs ${verb} does nothing to ${wrong} jobs; it takes ${allowed.join(", ")}`);
  return { ...filter, states: filter.states ?? allowed };
}

/** Page by page, oldest first, so that memory stays bounded; a job that comes to fit later is not met twice. */
export async function* matchingJobs({ work }: OpenStore, filter: JobFilter, reasonHas: string | undefined): AsyncGenerator<readonly JobView[]> {
  let after: string | undefined;
  do {
    const page = await work.list(filter, { limit: pageRows, ...(after !== undefined && { after }) });
    const jobs = reasonHas === undefined ? page.jobs : page.jobs.filter((job) => job.reason?.includes(reasonHas) === true);
    if (jobs.length > 0) yield jobs;
    after = page.next;
  } while (after !== undefined);
}

/** How many there are, without looking at each; undefined where only that would tell. */
export async function countMatching({ work }: OpenStore, filter: JobFilter, reasonHas: string | undefined): Promise<number | undefined> {
  if (filter.lane !== undefined || reasonHas !== undefined) return undefined;
  const counts = await work.count({ ...(filter.queue !== undefined && { queue: filter.queue }), ...(filter.task !== undefined && { task: filter.task }) });
  return (filter.states ?? jobStates).reduce((sum, state) => sum + counts[state], 0);
}

/** Says that there is nothing, and what was probably meant. */
export async function remarkNone({ work }: OpenStore, filter: JobFilter): Promise<void> {
  const lines = await work.counts();
  const strange = (["queue", "task"] as const).flatMap((what) => {
    const name = filter[what];
    const known = new Set(lines.map((line) => line[what]));
    return name === undefined || known.has(name) ? [] : [`; no job here is of ${what} "${name}"${didYouMean(name, known)}`];
  });
  remark(`no jobs match${strange.join("")}`);
}

function stateOf(text: string): JobState {
  const state = jobStates.find((known) => known === text);
  if (state !== undefined) return state;
  throw usage(`--state has "${text}"${didYouMean(text, jobStates) || `; the states are ${jobStates.join(", ")}`}`);
}
