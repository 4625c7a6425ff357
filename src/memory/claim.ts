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

export function claim(store: Store, wanted: Claim, now: Instant): Claimed {
  const settled = settleEach(store, wanted.settling, now);
  promote(store, tidyMax, now);
  skipLateOnes(store, tidyMax, now);
  admitNext(store, tidyMax, now);
  const fence = store.nextFence(wanted.lastFence, now);
  const lines = new Map(wanted.queues.map((queue) => [queue, openLines(store, queue.queue, wanted.tasks)]));
  const jobs = handOut(store, wanted, lines, fence, now).map(claimedJob);
  const hasSuspects = [...lines.values()].flat().some((line) => line.first("only") !== undefined);
  const nextDue = store.scheduled.first();
  return { now, fence, jobs, settled, hasSuspects, ...(nextDue && { nextDueMs: Math.max(0, nextDue.dueAt - now) }) };
}

/** A paused line is passed over; running jobs go on. */
function openLines(store: Store, queue: string, tasks: readonly string[]): Line[] {
  if (store.notes.read(pausedQueue(queue))) return [];
  return tasks.flatMap((task) => (store.notes.read(pausedTask(task)) ? [] : (store.lines.find(queue, task) ?? [])));
}

function handOut(store: Store, wanted: Claim, lines: ReadonlyMap<ClaimQueue, Line[]>, fence: number, now: Instant): Job[] {
  // Something was taken back from this process: it must go on under a new id.
  if (store.processes.find(wanted.process)?.isLost) return [];
  const jobs: Job[] = [];
  for (const [queue, open] of lines) {
    const room = wanted.alone === "only" ? Math.min(1, queue.slots) - jobs.length : Math.min(queue.slots + queue.ahead, claimMax - jobs.length);
    jobs.push(...takeMostUrgent(open, wanted.alone, room, queue.slots, now, (job) => start(store, job, wanted, fence, now)));
  }
  return jobs;
}

/** The first jobs of the lines compete; the line that gave one competes again with its next. */
function takeMostUrgent(lines: readonly Line[], alone: Claim["alone"], room: number, slots: number, now: Instant, start: (job: Job) => void): Job[] {
  const taken: Job[] = [];
  const competing = new Heap<{ line: Line; job: Job }>((a, b) => byUrgency(a.job, b.job));
  const compete = (line: Line): void => {
    const job = line.first(alone);
    if (job) competing.push({ line, job });
  };
  lines.forEach(compete);
  for (let best = competing.first(); best && taken.length < room; best = competing.first()) {
    // A late one here is beyond what one pass may skip: the next claim goes on with them.
    if (isLate(best.job, now) || (best.job.lane && taken.length >= slots)) break;
    competing.remove(best);
    start(best.job);
    taken.push(best.job);
    compete(best.line);
  }
  return taken;
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
