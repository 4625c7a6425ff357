/** What a claim is answered with: the jobs come in columns, at half the size of a list of them. */
import type { Claimed, ClaimedJob, Outcome } from "../core/engine.ts";
import { bare, flags } from "./flags.ts";
import { settledOf } from "./outcomes.ts";
import type { Seqs, StoredSettled } from "./outcomes.ts";

/** Those of lost leases are never settled. Who is forgotten settles by its id. */
const seqsMax = 100_000;

export interface StoredClaimed extends Omit<Claimed, "jobs" | "settled"> {
  readonly jobs: StoredJobs | null;
  readonly settled: readonly StoredSettled[];
}

export interface StoredJobs {
  readonly ids: readonly string[];
  /** Ascending. */
  readonly seqs: readonly number[];
  /** Null: as they come. */
  readonly order: readonly number[] | null;
  readonly payloads: readonly string[];
  readonly lines: readonly number[];
  readonly attempts: readonly number[];
  readonly starts: readonly number[];
  readonly suspects: readonly number[];
  readonly enqueuedAt: readonly number[];
  readonly dueAt: readonly number[];
  readonly flags: readonly number[];
  readonly named: Readonly<Record<string, { readonly task: string; readonly queue: string }>>;
  /** By number: lanes of width 1, and what only some have. */
  readonly lanes: Readonly<Record<string, string>> | null;
  readonly more: Readonly<Record<string, Partial<ClaimedJob>>> | null;
}

/** Remembers the numbers of what was handed out. */
export function claimedOf({ jobs, settled, ...claimed }: StoredClaimed, settling: readonly Outcome[], seqs: Seqs): Claimed {
  const answered = settledOf(settling, settled, seqs);
  if (seqs.size > seqsMax) seqs.clear();
  return { ...claimed, jobs: jobs === null ? [] : jobsOf(jobs, claimed.fence, seqs), settled: answered };
}

function jobsOf(stored: StoredJobs, fence: number, seqs: Seqs): ClaimedJob[] {
  const jobs = stored.ids.map((id, at) => {
    const seq = stored.seqs[at] ?? 0;
    const flagged = stored.flags[at] ?? 0;
    // Others are settled by their ids.
    if ((flagged & ~bare) === 0) seqs.set(id, { seq, fence });
    const named = stored.named[stored.lines[at] ?? 0];
    const job: ClaimedJob = {
      id,
      task: named?.task ?? "",
      queue: named?.queue ?? "",
      payload: stored.payloads[at] ?? "",
      attempt: (stored.attempts[at] ?? 0) + 1,
      starts: (stored.starts[at] ?? 0) + 1,
      suspects: stored.suspects[at] ?? 0,
      enqueuedAt: stored.enqueuedAt[at] ?? 0,
      dueAt: stored.dueAt[at] ?? 0,
      isOrdered: (flagged & flags.hasLane) !== 0,
    };
    const lane = stored.lanes?.[seq];
    if (lane !== undefined) Object.assign(job, { lane });
    const more = stored.more?.[seq];
    if (more !== undefined) Object.assign(job, more);
    return (flagged & flags.hasAfter) === 0 ? job : Object.assign(job, { isAfter: true });
  });
  const places = stored.order === null ? undefined : new Map(stored.seqs.map((seq, at) => [seq, at]));
  return places === undefined || stored.order === null ? jobs : stored.order.map((seq) => jobs[places.get(seq) ?? 0] as ClaimedJob);
}
