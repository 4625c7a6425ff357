/** Hands out the most urgent ready jobs of the asked lines. Costs O(lines + jobs), whatever waits behind closed lines. */
import { claimMax, tidyMax } from "../core/defaults.ts";
import type { Claim, Claimed, ClaimedJob, ClaimQueue } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import { promote, skipLateOnes } from "./due.ts";
import { Heap } from "./heap.ts";
import { byUrgency, isLate } from "./job.ts";
import type { Job } from "./job.ts";
import { admitNext } from "./lanePasses.ts";
import type { Line } from "./ready.ts";
import { settleEach } from "./settle.ts";
import type { Store } from "./store.ts";

interface OpenQueue {
  readonly queue: ClaimQueue;
  readonly lines: readonly Line[];
  taken: number;
}

interface Contender {
  readonly job: Job;
  readonly line: Line;
  readonly queue: OpenQueue;
}

export function claim(store: Store, wanted: Claim, now: Instant): Claimed {
  const settled = settleEach(store, wanted.settling, now);
  promote(store, tidyMax, now);
  skipLateOnes(store, tidyMax, now);
  admitNext(store, tidyMax, now);
  const fence = store.nextFence(wanted.lastFence, now);
  const queues = wanted.queues.map((queue) => ({ queue, lines: openLines(store, queue.queue, wanted.tasks), taken: 0 }));
  const jobs = handOut(store, wanted, queues, fence, now).map(claimedJob);
  const hasSuspects = queues.some(({ lines }) => lines.some((line) => line.first("only") !== undefined));
  const nextDue = store.scheduled.first();
  return { now, fence, jobs, settled, hasSuspects, ...(nextDue && { nextDueMs: Math.max(0, nextDue.dueAt - now) }) };
}

/** A paused line is passed over; running jobs go on. */
function openLines(store: Store, queue: string, tasks: readonly string[]): Line[] {
  if (store.notes.read(pausedQueue(queue))) return [];
  return tasks.flatMap((task) => (store.notes.read(pausedTask(task)) ? [] : (store.lines.find(queue, task) ?? [])));
}

/** The first jobs of the lines compete; the line that gave one competes again with its next, until its queue has enough. */
function handOut(store: Store, wanted: Claim, queues: readonly OpenQueue[], fence: number, now: Instant): Job[] {
  // Something was taken back from this process: it must go on under a new id.
  if (store.processes.find(wanted.process)?.isLost) return [];
  const most = wanted.alone === "only" ? 1 : claimMax;
  const jobs: Job[] = [];
  const competing = new Heap<Contender>((a, b) => byUrgency(a.job, b.job));
  const compete = (line: Line, queue: OpenQueue): void => {
    const job = line.first(wanted.alone);
    if (job) competing.push({ job, line, queue });
  };
  for (const queue of queues) for (const line of queue.lines) compete(line, queue);
  for (let best = competing.first(); best && jobs.length < most; best = competing.first()) {
    const { job, line, queue } = best;
    competing.remove(best);
    if (!mayTake(queue, job, wanted.alone, now)) {
      queue.taken = Number.POSITIVE_INFINITY;
      continue;
    }
    start(store, job, wanted, fence, now);
    jobs.push(job);
    queue.taken += 1;
    compete(line, queue);
  }
  return jobs;
}

/** Only jobs without a lane are held ready ahead. A late one here is beyond what one pass may skip: the next claim goes on with them. */
function mayTake({ queue, taken }: OpenQueue, job: Job, alone: Claim["alone"], now: Instant): boolean {
  const isAhead = taken >= queue.slots;
  const isFull = taken >= queue.slots + (alone === "only" ? 0 : queue.ahead);
  return !isFull && !(isAhead && job.lane) && !isLate(job, now);
}

function start(store: Store, job: Job, wanted: Claim, fence: number, now: Instant): void {
  const process = store.processes.of(wanted.process, wanted.leaseMs, now);
  job.lease = { process, claim: wanted.claim, fence, startedAt: now, isAlone: wanted.alone === "only", isCancelling: false };
  store.move(job, "running", now);
  job.starts += 1;
}

function claimedJob(job: Job): ClaimedJob {
  return {
    id: job.id,
    task: job.line.task,
    queue: job.line.queue,
    payload: job.payload,
    attempt: job.attempts + 1,
    starts: job.starts,
    suspects: job.suspects,
    enqueuedAt: job.enqueuedAt,
    dueAt: job.dueAt,
    isOrdered: job.lane !== undefined,
    ...(job.checkpoint !== undefined && { checkpoint: job.checkpoint }),
    ...(job.expecting !== undefined && { expecting: job.expecting }),
    ...(job.version !== undefined && { version: job.version }),
    ...(job.from && { from: job.from }),
    ...(job.slotAt !== undefined && { slotAt: job.slotAt }),
  };
}
