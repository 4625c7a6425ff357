/** What a claim is answered with: slim jobs as the texts that they are stored as. */
import type { Claimed, ClaimedJob, Outcome } from "../core/engine.ts";
import type { ToldHead } from "./head.ts";
import { settledOf } from "./outcomes.ts";
import type { Seqs, StoredSettled } from "./outcomes.ts";

/** Those of lost leases are never settled. Who is forgotten settles by its id. */
const seqsMax = 100_000;

/** Of one of several homes: what it has left to hand out, and of which limits it could use more. */
export interface HomeClaimed extends Claimed {
  readonly head?: ToldHead;
  readonly wants?: Readonly<Record<string, number>>;
}

export interface StoredClaimed extends Omit<HomeClaimed, "jobs" | "settled" | "fence"> {
  readonly fence: string;
  readonly settled: readonly StoredSettled[];
  readonly jobs: readonly ClaimedJob[];
  /** Of the slim jobs, as they come: first number, last number and template in turn; or, where some have lanes, their numbers. */
  readonly spans: readonly number[];
  readonly numbers?: readonly number[];
  /** How many slim jobs come next, and how many others, in turn. */
  readonly runs: readonly number[];
  readonly templates: Readonly<Record<string, { readonly task: string; readonly queue: string; readonly version?: number; readonly isLaned?: boolean }>>;
}

export function claimedOf(stored: StoredClaimed, texts: readonly string[], settling: readonly Outcome[], seqs: Seqs): HomeClaimed {
  const { spans, numbers = numbersIn(spans), runs, templates, jobs, settled, fence: text, ...claimed } = stored;
  const fence = Number(text);
  const answered = settledOf(settling, Array.isArray(settled) ? settled : [], seqs);
  if (seqs.size > seqsMax) seqs.clear();
  const slim = texts.length === 0 ? [] : slimJobs(numbers, templates, texts, fence, seqs);
  return { ...claimed, fence, settled: answered, jobs: inTurn(runs, slim, Array.isArray(jobs) ? jobs : []) };
}

function inTurn(runs: readonly number[], slim: ClaimedJob[], full: readonly ClaimedJob[]): readonly ClaimedJob[] {
  if (full.length === 0) return slim;
  const all: ClaimedJob[] = [];
  let [nextSlim, nextFull] = [0, 0];
  for (const [nth, count] of runs.entries()) {
    if (nth % 2 === 0) all.push(...slim.slice(nextSlim, (nextSlim += count)));
    else all.push(...full.slice(nextFull, (nextFull += count)));
  }
  return all;
}

function numbersIn(spans: readonly number[]): readonly number[] {
  const numbers: number[] = [];
  for (let span = 0; span < spans.length; span += 3) {
    const last = spans[span + 1] ?? 0;
    for (let seq = spans[span] ?? 0; seq <= last; seq += 1) numbers.push(seq);
  }
  return numbers;
}

function slimJobs(numbers: readonly number[], templates: StoredClaimed["templates"], texts: readonly string[], fence: number, seqs: Seqs): ClaimedJob[] {
  return texts.map((text, nth) => {
    const job = jobOf(text, templates[text.slice(1, text.indexOf(" "))]);
    seqs.set(job.id, { seq: numbers[nth] ?? 0, fence });
    return job;
  });
}

/** See job.ts and slim.ts for the text. */
function jobOf(text: string, named: StoredClaimed["templates"][string] | undefined): ClaimedJob {
  const { task = "", queue = "", version } = named ?? {};
  const times = text.indexOf(" ") + 1;
  const due = text.indexOf(" ", times) + 1;
  const id = text.indexOf("\u001e", due) + 1;
  const content = text.indexOf("\u001f", id) + 1;
  const lane = named?.isLaned === true ? text.indexOf("\u001f", content) + 1 : content;
  const payload = text.indexOf("\u001f", lane) + 1;
  const enqueuedAt = Number(text.slice(times, due - 1));
  const job: ClaimedJob = {
    id: text.slice(id, content - 1),
    task,
    queue,
    payload: text.slice(payload),
    attempt: 1,
    starts: 1,
    suspects: 0,
    enqueuedAt,
    dueAt: due === id - 1 ? enqueuedAt : Number(text.slice(due, id - 1)),
    isOrdered: lane !== content,
    ...(lane !== content && { lane: text.slice(lane, payload - 1) }),
  };
  return version === undefined ? job : { ...job, version };
}
