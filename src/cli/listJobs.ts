/** `errand jobs list`: a page, newest first. */
import type { JobView } from "../index.ts";
import { inWords } from "../core/duration.ts";
import { realRuntime } from "../runtime/real.ts";
import { numberOf, type Arguments } from "./arguments.ts";
import { filterOf, remarkNone } from "./jobFilter.ts";
import { jobJson } from "./jobJson.ts";
import { remark, say } from "./output.ts";
import { isPausedBy, pausesOf, type Pause } from "./pauses.ts";
import { plainJson } from "./plain.ts";
import { styleOfState } from "./stateStyle.ts";
import type { OpenStore } from "./store.ts";
import { table } from "./table.ts";

const rowsDefault = 50;
const rowsMax = 1_000;

export async function listJobs(store: OpenStore, given: Arguments): Promise<number> {
  const filter = filterOf(given);
  const page = await pageOf(store, filter, numberOf(given, "limit", rowsDefault, 1, rowsMax), given.text("after"));
  if (given.has("json")) say(plainJson({ jobs: page.jobs.map(jobJson), next: page.next ?? null }));
  else if (page.jobs.length > 0) say(jobTable(page.jobs, await pausesOf(store)));
  if (page.jobs.length === 0) await remarkNone(store, filter);
  else if (page.next !== undefined && !given.has("json")) remark(`there may be more: --after ${page.next}`);
  return page.jobs.length === 0 ? 3 : 0;
}

/** The store may answer with fewer than were asked for, or none, and more to come. */
async function pageOf(
  { work }: OpenStore,
  filter: ReturnType<typeof filterOf>,
  limit: number,
  start: string | undefined,
): ReturnType<OpenStore["work"]["list"]> {
  const jobs: JobView[] = [];
  let next = start;
  do {
    const page = await work.list(filter, { limit: limit - jobs.length, newestFirst: true, ...(next !== undefined && { after: next }) });
    jobs.push(...page.jobs);
    next = page.next;
  } while (next !== undefined && jobs.length < limit);
  return { jobs, next };
}

function jobTable(jobs: readonly JobView[], pauses: readonly Pause[]): string {
  const now = realRuntime().now();
  const isOneQueue = new Set(jobs.map((job) => job.queue)).size === 1;
  return table(jobs, [
    { title: "id", of: (job) => job.id },
    { title: "task", of: (job) => job.task },
    { title: "queue", of: (job) => job.queue, spare: isOneQueue ? 3 : 1 },
    { title: "state", of: (job) => job.state, style: (job) => styleOfState(job.state) },
    { title: "attempts", of: (job) => job.attempts, spare: 2 },
    { title: "age", of: (job) => age(now - job.enqueuedAt.getTime()) },
    { title: "why", of: (job) => noteOf(job, pauses, now), isFree: true },
  ]);
}

function noteOf(job: JobView, pauses: readonly Pause[], now: number): string {
  switch (job.state) {
    case "running":
      return job.running === undefined ? "" : runningNote(job.running, now);
    case "scheduled":
      return `${dueIn(job.dueAt.getTime() - now)}${failureOf(job)}`;
    case "blocked":
      return blockedNote(job);
    case "ready":
      return readyNote(job, pauses);
    case "parked":
      return job.reason ?? `behind a job of ${job.orderedBy ?? "its key"} that died`;
    default:
      return `${job.isPoison ? "poison: " : ""}${job.reason ?? ""}`;
  }
}

function runningNote({ since, leaseUntil, isCancelling }: NonNullable<JobView["running"]>, now: number): string {
  const isGone = leaseUntil.getTime() < now;
  return `for ${age(now - since.getTime())}${isCancelling ? ", asked to stop" : ""}${isGone ? ", its worker is silent" : ""}`;
}

function blockedNote({ waits, orderedBy }: JobView): string {
  switch (waits?.reason) {
    case "limit":
      return `for room under the limit of ${waits.on}`;
    case "after":
      return `after ${waits.on}`;
    case "join":
      return `with its batch ${waits.on}`;
    default:
      return `behind another job of ${orderedBy ?? "its key"}`;
  }
}

function readyNote(job: JobView, pauses: readonly Pause[]): string {
  const pause = isPausedBy(job, pauses);
  if (pause !== undefined) return `${pause.of} ${pause.name} is paused`;
  return job.waits?.reason === "alone" ? `to run alone: in flight at ${job.suspects} crashes` : "";
}

/** Why it is to be tried again. */
function failureOf(job: JobView): string {
  const last = job.history.at(-1);
  if (job.waits?.reason === "time" || last === undefined) return "";
  const why = last.error?.message ?? last.reason;
  return job.waits?.reason === "snooze" ? `, snoozed${why === undefined ? "" : `: ${why}`}` : `, after: ${why ?? last.is}`;
}

function dueIn(ms: number): string {
  return ms <= 0 ? "due" : `due in ${age(ms)}`;
}

/** In its largest unit only. */
function age(ms: number): string {
  return ms < 1_000 ? "0 s" : inWords(ms).split(" ").slice(0, 2).join(" ");
}
