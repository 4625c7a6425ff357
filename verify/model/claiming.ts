/** What `claim` must do after it has settled: promote, skip, hand out the most urgent (G8). */
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";
import { pausedQueue, pausedTask } from "../../src/core/notes.ts";
import type { Claim, ClaimedJob, ClaimQueue } from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { beReady, endTooLate, isTooLate, leaveLane, mayStart } from "./lanes.ts";
import { processNamed } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

export function promote(state: ModelState, now: Instant): void {
  for (const job of state.jobs) if (job.state === "scheduled" && mayStart(state, job)) beReady(job, now);
}

/** Ends those whose startBy passed, as far as `isSkipped` says that the store has come to them. */
export function skipTooLate(state: ModelState, now: Instant, isSkipped: (job: ModelJob) => boolean): void {
  for (const job of state.jobs) {
    const waits = job.state === "scheduled" || job.state === "ready";
    if (!waits || !mayStart(state, job) || !isTooLate(job, now) || !isSkipped(job)) continue;
    endTooLate(job, now);
    leaveLane(state, job, now);
  }
}

export function handOut(state: ModelState, wanted: Claim, now: Instant, fence: number): ClaimedJob[] {
  const chosen = wanted.alone === "only" ? firstSuspect(state, wanted, now) : wanted.queues.flatMap((queue) => chosenOf(state, wanted, queue, now));
  for (const job of chosen) start(job, wanted, now, fence);
  if (chosen.length > 0) renew(state, wanted.process, now + wanted.leaseMs);
  return chosen.map(claimedJob);
}

export function hasSuspects(state: ModelState, wanted: Claim, now: Instant): boolean {
  return firstSuspect(state, wanted, now).length > 0;
}

/** Until the next scheduled job is due: of those in open lanes, and of all. */
export function nextDues(state: ModelState, now: Instant): { readonly open: Ms | undefined; readonly all: Ms | undefined } {
  const all = state.jobs.filter((job) => job.state === "scheduled");
  const soonest = (jobs: readonly ModelJob[]): Ms | undefined => (jobs.length === 0 ? undefined : Math.min(...jobs.map((job) => job.dueAt - now)));
  return { open: soonest(all.filter((job) => mayStart(state, job))), all: soonest(all) };
}

export function renew(state: ModelState, process: string, leaseUntil: Instant): void {
  const known = processNamed(state, process);
  if (known === undefined) state.processes.push({ process, leaseUntil, isLost: false });
  else known.leaseUntil = leaseUntil;
}

function chosenOf(state: ModelState, wanted: Claim, queue: ClaimQueue, now: Instant): ModelJob[] {
  const chosen: ModelJob[] = [];
  for (const job of candidates(state, wanted, queue.queue, now)) {
    if (job.suspects >= suspectsBeforeAlone) continue;
    if (chosen.length >= queue.slots + queue.ahead) break;
    if (chosen.length >= queue.slots && job.lane !== undefined) break;
    chosen.push(job);
  }
  return chosen;
}

function firstSuspect(state: ModelState, wanted: Claim, now: Instant): ModelJob[] {
  const all = wanted.queues.flatMap((queue) => candidates(state, wanted, queue.queue, now));
  return all
    .filter((job) => job.suspects >= suspectsBeforeAlone)
    .toSorted(byUrgency)
    .slice(0, 1);
}

function candidates(state: ModelState, wanted: Claim, queue: string, now: Instant): ModelJob[] {
  const isPaused = (job: ModelJob): boolean => [pausedQueue(job.queue), pausedTask(job.task)].some((key) => state.notes.some((note) => note.key === key));
  const isOpen = (job: ModelJob): boolean => wanted.tasks.includes(job.task) && !isPaused(job) && mayStart(state, job) && !isTooLate(job, now);
  return state.jobs.filter((job) => job.queue === queue && job.state === "ready" && isOpen(job)).toSorted(byUrgency);
}

const byUrgency = (a: ModelJob, b: ModelJob): number => a.urgency - b.urgency || a.seq - b.seq;

function start(job: ModelJob, wanted: Claim, now: Instant, fence: number): void {
  job.state = "running";
  job.starts += 1;
  job.claim = { process: wanted.process, claim: wanted.claim, fence, startedAt: now };
}

function claimedJob(job: ModelJob): ClaimedJob {
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
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
