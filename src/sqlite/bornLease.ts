/** Jobs that run from the start, for the process that enqueues them. */
import type { BirthLease, Enqueued, NewJob, NewWork } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import { findJob, isLate } from "./job.ts";
import type { Job } from "./job.ts";
import { readyPlace } from "./readyPlace.ts";
import { processAsking } from "./processes.ts";
import { Room } from "./room.ts";
import { start } from "./start.ts";
import type { Transaction } from "./transaction.ts";

/** The answers, with what was leased told. `leased` counts them by task, for the whole call. */
export function leaseBorn(tx: Transaction, works: readonly NewWork[], accepted: Enqueued[], leased: Map<string, number>): Enqueued[] {
  if (!works.some((work) => work.kind === "job" && work.lease !== undefined)) return accepted;
  const fences = new Map<string, number>();
  for (const [at, answer] of accepted.entries()) {
    const work = works[at];
    if (work?.kind !== "job" || work.lease === undefined || answer.isDuplicate || answer.state !== "ready") continue;
    const fence = leaseOne(tx, work, work.lease, leased);
    if (fence !== undefined) fences.set(work.id, fence);
  }
  return accepted.map((answer) => {
    const fence = fences.get(answer.id);
    if (fence === undefined) return answer;
    // One that lost its unique key to it is told that it runs, but does not hold it.
    return { ...answer, state: "running", ...(!answer.isDuplicate && { leased: { fence, now: tx.now } }) };
  });
}

function leaseOne(tx: Transaction, work: NewJob, lease: BirthLease, leased: Map<string, number>): number | undefined {
  const process = processAsking(tx, lease.process);
  const job = findJob(tx, work.id);
  if (job === undefined || process?.isLost || !mayRun(tx, work, job)) return undefined;
  const soFar = leased.get(work.task) ?? 0;
  const room = new Room(tx, lease.terms && { [work.task]: lease.terms });
  if (room.leftOf(work.task) < 1 || soFar >= (lease.terms?.most ?? Infinity)) return undefined;
  room.take(work.task);
  leased.set(work.task, soFar + 1);
  const fence = tx.takeFence(lease.lastFence);
  const line = tx.dictionary.lineById(tx.sql, job.line);
  const chosen = { line, place: readyPlace(job), urgency: job.urgency, seq: job.seq, flags: job.flags, isListed: true, followers: [] };
  start(tx, { ...lease, fence }, process, [chosen], room);
  return fence;
}

function mayRun(tx: Transaction, { queue, task }: NewJob, job: Job): boolean {
  const { pauses } = tx.notices;
  return job.state === "ready" && !isLate(job, tx.now) && !pauses.has(pausedQueue(queue)) && !pauses.has(pausedTask(task));
}
