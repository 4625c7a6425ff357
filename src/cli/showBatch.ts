/** `errand batches show`: how far a batch or chain is, and what is in it. */
import type { BatchSummary, BatchView, JobView } from "../index.ts";
import { numberOf, usage, type Arguments } from "./arguments.ts";
import { factLines } from "./facts.ts";
import { jobJson } from "./jobJson.ts";
import { remark, say } from "./output.ts";
import { plain, plainJson } from "./plain.ts";
import { styleOfState } from "./stateStyle.ts";
import type { OpenStore } from "./store.ts";
import { table } from "./table.ts";

const rowsDefault = 50;
const rowsMax = 1_000;
const barWidth = 24;

export async function showBatch({ work }: OpenStore, given: Arguments, id: string | undefined): Promise<number> {
  if (id === undefined) throw usage("batches show takes an id, as errand batches list tells it");
  const after = given.text("after");
  const limit = numberOf(given, "limit", rowsDefault, 1, rowsMax);
  const batch = await work.batch(id, { limit, ...(after !== undefined && { after }) });
  if (batch === undefined) {
    remark(`no batch or chain has the id ${plain(id)}, or its retention has passed`);
    return 3;
  }
  const why = await work.why(id);
  if (given.has("json")) say(plainJson(batchJson(batch, why)));
  else say([facts(batch, why), ...members(batch)].join("\n"));
  if (batch.next !== undefined && !given.has("json")) remark(`there may be more: --after ${batch.next}`);
  return 0;
}

function facts(batch: BatchView, why: string): string {
  return factLines([
    ["batch", plain(batch.id)],
    ["name", plain(batch.name)],
    ["state", batch.isCancelled ? `${batch.state}, cancelled` : batch.state],
    ["why", plain(why.replace(`${batch.name} ${batch.id} `, ""))],
    ["progress", progress(batch)],
    ["in", batch.parent && plain(batch.parent)],
    ["after", batch.after.length === 0 ? undefined : batch.after.map(({ id }) => plain(id)).join(", ")],
    ["stored", batch.storedAt.toISOString()],
    ["closed", batch.closedAt?.toISOString()],
  ]);
}

function progress({ counts: { members, live, succeeded, failed } }: BatchSummary): string {
  const full = members === 0 ? barWidth : Math.floor((barWidth * (members - live)) / members);
  const numbers = [`${number(succeeded)} well`, ...(failed > 0 ? [`${number(failed)} badly`] : []), ...(live > 0 ? [`${number(live)} to go`] : [])];
  return `${"█".repeat(full)}${"░".repeat(barWidth - full)} ${number(members - live)} of ${number(members)}: ${numbers.join(", ")}`;
}

function members({ jobs, batches }: BatchView): readonly string[] {
  const ofJobs = table(jobs, [
    { title: "id", of: ({ id }) => id },
    { title: "task", of: ({ task }) => task },
    { title: "state", of: ({ state }) => state, style: ({ state }) => styleOfState(state) },
    { title: "after", of: (job) => afterText(job), spare: 1 },
    { title: "why", of: ({ reason }) => reason ?? "", isFree: true },
  ]);
  const ofBatches = table(batches, [
    { title: "id", of: ({ id }) => id },
    { title: "name", of: ({ name }) => name },
    { title: "state", of: ({ state }) => state },
    { title: "members", of: ({ counts }) => counts.members },
    { title: "ended", of: ({ counts }) => counts.members - counts.live },
    { title: "badly", of: ({ counts }) => counts.failed },
    { title: "after", of: (batch) => afterText(batch), isFree: true },
  ]);
  return [...(jobs.length > 0 ? ["", ofJobs] : []), ...(batches.length > 0 ? ["", ofBatches] : [])];
}

function afterText({ after }: Pick<JobView, "after">): string {
  const [first, ...others] = after;
  if (first === undefined) return "";
  return others.length === 0 ? first.id : `${first.id} and ${others.length} more`;
}

function batchJson(batch: BatchView, why: string): Readonly<Record<string, unknown>> {
  const { jobs, batches, next, ...summary } = batch;
  return { ...summaryJson(summary), why, jobs: jobs.map(jobJson), batches: batches.map(summaryJson), next: next ?? null };
}

function summaryJson({ id, name, state, isCancelled, counts, storedAt, closedAt, parent, after }: BatchSummary): Readonly<Record<string, unknown>> {
  return { id, name, state, isCancelled, counts, storedAt, closedAt: closedAt ?? null, parent: parent ?? null, after };
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
