/** A stored batch or chain as callers see it: how far it is, and a page of what is in it. */
import type { After, At, Engine, JoinRow } from "../engine.ts";
import { viewOf, type JobView } from "../view.ts";

/** Its own state, without its members. */
export interface BatchSummary {
  readonly id: string;
  /** "batch", "chain", or the name it was given. */
  readonly name: string;
  /** staged: it is being stored. waiting: it comes after something. open: its members run. closed: all have ended. */
  readonly state: JoinRow["state"];
  readonly isCancelled: boolean;
  /** Jobs, batches and chains directly in it; `live` have not ended; of the others each has succeeded or failed. */
  readonly counts: { readonly members: number; readonly live: number; readonly succeeded: number; readonly failed: number };
  readonly storedAt: Date;
  readonly closedAt: Date | undefined;
  /** The batch or chain that it is in. */
  readonly parent: string | undefined;
  readonly after: readonly After[];
}

export interface BatchView extends BatchSummary {
  /** Members, in the order of storing; each tells what it comes after. */
  readonly jobs: readonly JobView[];
  readonly batches: readonly BatchSummary[];
  /** For the next page, as `after`. */
  readonly next: string | undefined;
}

export interface BatchPage {
  /** Default 50, at most 1,000, of jobs and of batches each. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** Where a page of jobs or of joins ends: a number, or one of each part of a store of several. */
const place: RegExp = /\d+|\[(?:"\d+"|null)(?:,(?:"\d+"|null))*\]/;
export const jobsMark: RegExp = new RegExp(`^(?:${place.source})$`);

/** Of the page before: where its jobs and its batches go on; "-": they do not. */
export const pageMark: RegExp = new RegExp(`^(${place.source}|-)\\.(${place.source}|-)$`);

export async function readBatch(engine: Engine, at: At, id: string, limit: number, mark: string = "0.0"): Promise<BatchView | undefined> {
  const [row] = (await engine.find({ of: "joins", ids: [id] }, at)).rows;
  if (row === undefined) return undefined;
  const [, jobsAfter = "-", batchesAfter = "-"] = pageMark.exec(mark) ?? [];
  const jobs = jobsAfter === "-" ? nothing : await engine.find({ of: "jobs", where: { join: id }, limit, ...from(jobsAfter) }, at);
  const batches = batchesAfter === "-" ? nothing : await engine.find({ of: "joins", parent: id, limit, ...from(batchesAfter) }, at);
  const next = jobs.next === undefined && batches.next === undefined ? undefined : `${jobs.next ?? "-"}.${batches.next ?? "-"}`;
  return { ...summaryOf(row), jobs: jobs.rows.map(viewOf), batches: batches.rows.map(summaryOf), next };
}

const nothing = { rows: [], next: undefined };

function from(mark: string): { readonly after?: string } {
  return mark === "0" ? {} : { after: mark };
}

function summaryOf({ id, name, state, isCancelled, members, live, succeeded, failed, storedAt, closedAt, join, after }: JoinRow): BatchSummary {
  return {
    id,
    name,
    state,
    isCancelled,
    counts: { members, live, succeeded, failed },
    storedAt: new Date(storedAt),
    closedAt: closedAt === undefined ? undefined : new Date(closedAt),
    parent: join,
    after: after ?? [],
  };
}
