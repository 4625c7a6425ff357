/** Changes jobs page by page, with progress, or only says what would change. */
import type { Broker, Change, ChangedJob, Selection } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { paint, progress, progressDone, say, sayJson } from "./output.ts";
import { table } from "./table.ts";

const pageSize = 500;
/** A filter that keeps matching what it changed ends here. */
const pagesMax = 10_000;

/** 0: changed; 3: nothing matched. */
export async function changeJobs(work: Broker, given: Arguments, which: Selection, change: Change): Promise<number> {
  if (given.has("dry-run")) return foretell(work, given, which, change);
  const tally = new Map<ChangedJob["is"], number>();
  let done = 0;
  for await (const jobs of pages(work, which, change)) {
    for (const job of jobs) tally.set(job.is, (tally.get(job.is) ?? 0) + 1);
    progress(`${(done += jobs.length).toLocaleString("en-US")} jobs`);
  }
  progressDone();
  return report(given, tally);
}

/** Pages of ids that matched at the start of each page; every job is changed once. */
async function* pages(work: Broker, which: Selection, change: Change): AsyncGenerator<readonly ChangedJob[]> {
  if ("ids" in which) {
    for (let at = 0; at < which.ids.length; at += pageSize) yield (await work.change({ ids: which.ids.slice(at, at + pageSize) }, change)).jobs;
    return;
  }
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const found = await work.list(which.jobs, { limit: pageSize, ...(after !== undefined && { after }) });
    if (found.jobs.length > 0) yield (await work.change({ ids: found.jobs.map((job) => job.id) }, change)).jobs;
    if (found.next === undefined) return;
    after = found.next;
  }
}

async function foretell(work: Broker, given: Arguments, which: Selection, change: Change): Promise<number> {
  const jobs = "ids" in which ? (await Promise.all(which.ids.map((id) => work.find(id)))).filter((job) => job !== undefined) : await matching(work, which.jobs);
  if (given.has("json")) sayJson({ would: change.do, jobs: jobs.map(({ id, task, queue, state }) => ({ id, task, queue, state })) });
  else if (jobs.length === 0) say("no jobs match");
  else say(`${paint("yellow", `would ${change.do} ${jobs.length.toLocaleString("en-US")} jobs; nothing was changed`)}\n${summary(jobs)}`);
  return jobs.length === 0 ? 3 : 0;
}

async function matching(work: Broker, filter: Parameters<Broker["list"]>[0]): Promise<{ id: string; task: string; queue: string; state: string }[]> {
  const all: { id: string; task: string; queue: string; state: string }[] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const found = await work.list(filter, { limit: pageSize, ...(after !== undefined && { after }) });
    all.push(...found.jobs);
    if (found.next === undefined) break;
    after = found.next;
  }
  return all;
}

function summary(jobs: readonly { readonly task: string; readonly queue: string; readonly state: string }[]): string {
  const groups = Map.groupBy(jobs, (job) => `${job.queue}\n${job.task}\n${job.state}`);
  const rows = [...groups].map(([key, list]) => [...key.split("\n"), list.length] as [string, string, string, number]);
  return table(rows, [
    { title: "queue", of: ([queue]) => queue },
    { title: "task", of: ([, task]) => task },
    { title: "state", of: ([, , state]) => state },
    { title: "jobs", of: ([, , , count]) => count },
  ]);
}

function report(given: Arguments, tally: ReadonlyMap<ChangedJob["is"], number>): number {
  const total = [...tally.values()].reduce((sum, count) => sum + count, 0);
  if (given.has("json")) sayJson(Object.fromEntries(tally));
  else if (total === 0) say("no jobs match");
  else say([...tally].map(([is, count]) => `${count.toLocaleString("en-US")} ${wordFor(is)}`).join(", "));
  return total === 0 || tally.get("unknown") === total ? 3 : 0;
}

function wordFor(is: ChangedJob["is"]): string {
  const words: Partial<Record<ChangedJob["is"], string>> = { taken: "not retried: a live job holds the unique key", ended: "ended already", waiting: "waiting already", running: "running already", unknown: "not found" };
  return words[is] ?? is;
}
