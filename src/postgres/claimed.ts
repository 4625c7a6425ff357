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
  /** Of each job a line. */
  readonly ids: string;
  /** Of each job so many words: see `numbersOf`. Ascending by the first. */
  readonly numbers: string;
  /** By that; null: as they come. */
  readonly order: readonly number[] | null;
  readonly payloads: readonly string[];
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
  const places = new Map<number, ClaimedJob>();
  const numbers = stored.numbers.split(" ");
  const jobs = stored.ids.split("\n").map((id, at) => {
    const [seq, line, attempts, starts, suspects, enqueuedAt, dueAt, flagged] = numbersOf(numbers, at);
    // Others are settled by their ids.
    if ((flagged & ~bare) === 0) seqs.set(id, { seq, fence });
    const named = stored.named[line];
    const job: ClaimedJob = {
      id,
      task: named?.task ?? "",
      queue: named?.queue ?? "",
      payload: stored.payloads[at] ?? "",
      attempt: attempts + 1,
      starts: starts + 1,
      suspects,
      enqueuedAt,
      dueAt,
      isOrdered: (flagged & flags.hasLane) !== 0,
    };
    const lane = stored.lanes?.[seq];
    if (lane !== undefined) Object.assign(job, { lane });
    const more = stored.more?.[seq];
    if (more !== undefined) Object.assign(job, more);
    if ((flagged & flags.hasAfter) !== 0) Object.assign(job, { isAfter: true });
    if (stored.order !== null) places.set(seq, job);
    return job;
  });
  return stored.order === null ? jobs : stored.order.flatMap((seq) => places.get(seq) ?? []);
}

type Numbers = readonly [seq: number, line: number, attempts: number, starts: number, suspects: number, enqueuedAt: number, dueAt: number, flags: number];
const numbersPerJob = 8;

function numbersOf(words: readonly string[], at: number): Numbers {
  const from = at * numbersPerJob;
  const number = (nth: number): number => Number(words[from + nth]);
  return [number(0), number(1), number(2), number(3), number(4), number(5), number(6), number(7)];
}
