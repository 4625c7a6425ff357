/** What must hold in any store after any command, whatever the model says. */
import type { JobRow } from "../../src/core/engine.ts";
import { isEnded, transitions } from "../../src/core/states.ts";
import type { JobState, Verb } from "../../src/core/states.ts";
import { must, mustEqual } from "./divergence.ts";
import { sorted } from "./compare.ts";
import { isGathered, isOneMore, laneWidth } from "./plans.ts";
import type { View } from "./view.ts";

export function checkInvariants(before: View, after: View, verbs: readonly Verb[]): void {
  mustEqual("counts are not what a group-by says", sorted(after.counts.filter((row) => row.jobs > 0)), sorted(groupedBy(after.jobs)));
  for (const [key, jobs] of grouped(after.jobs, (job) => (isEnded(job.state) ? undefined : job.unique))) checkUnique(key, jobs);
  for (const [key, jobs] of grouped(after.jobs, (job) => job.lane)) checkLane(key, jobs);
  for (const job of after.jobs) {
    checkShape(job);
    checkTransition(job, before.byId.get(job.id)?.state ?? "new", verbs);
  }
}

function checkUnique(key: string, jobs: readonly JobRow[]): void {
  // Of a key that gathers, the full ones and the one that runs have let it go.
  if (isGathered(key)) return;
  const running = jobs.filter((job) => job.state === "running");
  // The one more may be handed out in a row behind the one that runs; then there may be another.
  must(jobs.length <= (isOneMore(key) ? 3 : 1), `unique key ${key} has ${jobs.length} live jobs: ${jobs.map((job) => job.id).join(", ")}`);
  must(new Set(running.map((job) => (isOneMore(key) ? job.claim?.claim : job.id))).size <= 1, `unique key ${key} runs twice`);
}

function checkLane(key: string, jobs: readonly JobRow[]): void {
  const admitted = jobs.filter((job) => job.state === "scheduled" || job.state === "ready" || (job.state === "running" && laneWidth(key) > 1));
  must(admitted.length <= laneWidth(key), `lane ${key} has admitted ${admitted.map((job) => `${job.id} ${job.state}`).join(", ")}`);
}

function checkShape(job: JobRow): void {
  const what = `job ${job.id} is ${job.state}`;
  must((job.endedAt !== undefined) === isEnded(job.state), `${what}, endedAt ${job.endedAt}`);
  must((job.claim !== undefined) === (job.state === "running"), `${what}, claim ${JSON.stringify(job.claim)}`);
  must((job.waits !== undefined) === (!isEnded(job.state) && job.state !== "running"), `${what}, waits ${JSON.stringify(job.waits)}`);
  must(job.history.length <= 10, `${what} with ${job.history.length} rows of history`);
}

/** One call may make several steps; each must stand in the table under a verb of the call. */
function checkTransition(job: JobRow, from: JobState | "new", verbs: readonly Verb[]): void {
  const reached = new Set<JobState | "new">([from]);
  for (const start of reached) {
    for (const step of transitions) if (step.from === start && step.by.some((verb) => verbs.includes(verb))) reached.add(step.to);
  }
  must(reached.has(job.state), `job ${job.id} went from ${from} to ${job.state} by ${verbs.join(", ") || "nothing"}`);
}

function groupedBy(jobs: readonly JobRow[]): object[] {
  const groups = grouped(jobs, (job) => JSON.stringify({ queue: job.queue, task: job.task, state: job.state }));
  return [...groups].map(([key, rows]) => ({ ...(JSON.parse(key) as object), jobs: rows.length }));
}

function grouped(jobs: readonly JobRow[], key: (job: JobRow) => string | undefined): Map<string, JobRow[]> {
  const groups = new Map<string, JobRow[]>();
  for (const job of jobs) {
    const name = key(job);
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), job]);
  }
  return groups;
}
