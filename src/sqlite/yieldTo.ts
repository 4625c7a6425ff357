/** A waiting job yields to a newcomer with its unique key: it keeps its id and its place in lane and enqueue order, and does what the new one is to do. */
import type { NewJob, Uniqueness } from "../core/engine.ts";
import { elementsIn, payloadWith } from "./gathering.ts";
import { flags, hasFlag } from "./job.ts";
import type { Job } from "./job.ts";
import { standAnew } from "./keyLimit.ts";
import { move, writeRow } from "./move.ts";
import type { Change } from "./move.ts";
import { laterOf, termsOf } from "./newJob.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid. */
const rewrite = "UPDATE errand_jobs SET payload = ?, content = coalesce(?, content), extra = json_patch(coalesce(extra, '{}'), ?) WHERE seq = ?";

export function yieldTo(tx: Transaction, job: Job, work: NewJob): void {
  if (!isRewriting(work.unique) || job.state === "running" || job.state === "parked") return;
  const isGathered = work.unique?.mode.is === "gather";
  const payload = (isGathered ? payloadWith(tx, job, work) : undefined) ?? work.payload;
  const elements = isGathered ? elementsIn(tx, payload) : 1;
  const later = hasFlag(job, flags.isHeld) ? laterOf(work) : undefined;
  const { dueAt, startBy } = termsOf(work, tx.now, { firstEnqueuedAt: job.enqueuedAt, elements });
  flag(job, flags.isGathering, isGathered);
  flag(job, flags.isFull, work.unique?.mode.is === "gather" && elements >= work.unique.mode.most);
  flag(job, flags.hasLater, later !== undefined);
  // In a JSON patch, null removes.
  const patch = { version: work.version ?? null, expecting: work.expecting ?? null, later: { delayMs: null, startWithinMs: null, ...later } };
  if (!isGathered) job.checkpoint = null; // it was of the payload before
  tx.sql.run(rewrite, payload, isGathered ? null : work.content, JSON.stringify(patch), job.seq);
  const isHeld = hasFlag(job, flags.isHeld);
  place(tx, job, {
    dueAt,
    startBy: isHeld ? (work.startBy ?? null) : startBy,
    headStartMs: work.headStartMs,
    urgency: dueAt - work.headStartMs,
    delayedBy: null,
  });
}

function place(tx: Transaction, job: Job, change: Change & { readonly dueAt: number; readonly startBy: number | null }): void {
  const isDue = change.dueAt <= tx.now;
  const isLimited = hasFlag(job, flags.isLimited);
  if ((job.state !== "blocked" || isLimited) && !(isLimited && isDue)) {
    move(tx, job, isDue ? "ready" : "scheduled", change);
    return;
  }
  Object.assign(job, change);
  flag(job, flags.hasStartBy, change.startBy !== null);
  writeRow(tx, job, null);
  if (isLimited) standAnew(tx, job);
}

function flag(job: Job, bit: number, isSet: boolean): void {
  job.flags = isSet ? job.flags | bit : job.flags & ~bit;
}

function isRewriting(unique: Uniqueness | undefined): boolean {
  return unique?.mode.is === "replace" || unique?.mode.is === "debounce" || unique?.mode.is === "gather";
}
