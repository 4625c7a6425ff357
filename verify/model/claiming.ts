/** What `claim` must do before and after it hands out: promote, skip, and tell when to ask again. */
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";
import { pausedQueue, pausedTask } from "../../src/core/notes.ts";
import type { Claim, ClaimedJob, TaskTerms } from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { freeAt, rememberGates } from "./gates.ts";
import { beReady, endTooLate, isTooLate, leaveLane, mayStart } from "./lanes.ts";
import { byUrgency, rememberStart, roomTimes } from "./limits.ts";
import { processNamed } from "./state.ts";
import type { ModelClaim, ModelJob, ModelState } from "./state.ts";

/** `isPromoted`: as far as the store has come. */
export function promote(state: ModelState, now: Instant, isPromoted: (job: ModelJob) => boolean): void {
  for (const job of state.jobs) if (job.state === "scheduled" && mayStart(state, job) && isPromoted(job)) beReady(job, now);
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

/** Those that wait to be run alone, the most urgent first. */
export function suspectsOf(state: ModelState, wanted: Claim, now: Instant): ModelJob[] {
  const all = wanted.queues.flatMap(({ queue }) => claimable(state, wanted, queue, now));
  return all.filter((job) => job.suspects >= suspectsBeforeAlone).toSorted(byUrgency);
}

/** The ready jobs of a queue's open lines, whatever the terms say; the most urgent first. */
export function claimable(state: ModelState, wanted: Pick<Claim, "tasks">, queue: string, now: Instant): ModelJob[] {
  const isOpen = (job: ModelJob): boolean => wanted.tasks.includes(job.task) && !isPaused(state, job) && mayStart(state, job) && !isTooLate(job, now);
  return state.jobs.filter((job) => job.queue === queue && job.state === "ready" && isOpen(job)).toSorted(byUrgency);
}

export function isPaused(state: ModelState, job: ModelJob): boolean {
  return [pausedQueue(job.queue), pausedTask(job.task)].some((key) => state.notes.some((note) => note.key === key));
}

export function start(state: ModelState, job: ModelJob, claim: Omit<ModelClaim, "gates" | "needs">, terms: TaskTerms | undefined): void {
  job.state = "running";
  job.asks = undefined;
  job.starts += 1;
  job.claim = { ...claim, gates: terms?.gates ?? [], needs: terms?.needs ?? {} };
  rememberStart(state, job, claim.startedAt);
  rememberGates(state, job, terms, claim.startedAt);
}

/** When a worker should ask again: what it must be told of, and what it may be told of besides. */
export interface NextDue {
  readonly must: readonly Ms[];
  readonly may: readonly Ms[];
}

export function nextDue(state: ModelState, wanted: Claim, now: Instant): NextDue {
  const scheduled = state.jobs.filter((job) => job.state === "scheduled" && job.dueAt > now);
  const dues = scheduled.filter((job) => mayStart(state, job)).map((job) => job.dueAt);
  const { room, mayBe } = roomTimes(state, now);
  const gates = wanted.tasks.flatMap((task) => (wanted.terms?.[task]?.gates ?? []).map((name) => ({ task, at: freeAt(state, name, now) ?? 0 })));
  const used = gates.filter(({ at }) => at > now);
  const isWaiting = ({ task }: { readonly task: string }): boolean =>
    wanted.queues.some(({ queue }) => claimable(state, { tasks: [task] }, queue, now).length > 0);
  const must = [...dues, ...room, ...used.filter(isWaiting).map(({ at }) => at)];
  const may = [...must, ...scheduled.map((job) => job.dueAt), ...mayBe, ...used.map(({ at }) => at)];
  return { must: must.map((at) => at - now), may: may.map((at) => at - now) };
}

export function renew(state: ModelState, process: string, leaseUntil: Instant): void {
  const known = processNamed(state, process);
  if (known === undefined) state.processes.push({ process, leaseUntil, isLost: false });
  else known.leaseUntil = leaseUntil;
}

export function claimedJob(job: ModelJob): ClaimedJob {
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
    ...(job.lane?.width === 1 && { lane: job.lane.key }),
    ...(job.join !== undefined && { join: job.join }),
    ...(job.after.length > 0 && { isAfter: true }),
    ...(job.checkpoint !== undefined && { checkpoint: job.checkpoint }),
    ...(job.expecting !== undefined && { expecting: job.expecting }),
    ...(job.version !== undefined && { version: job.version }),
    ...(job.from && { from: job.from }),
    ...(job.slotAt !== undefined && { slotAt: job.slotAt }),
  };
}
