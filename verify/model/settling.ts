/** What an outcome does (G3, G4, G7, G14), and how a job dies. */
import { jobDiedName } from "../../src/core/notes.ts";
import type { JobDiedPayload } from "../../src/core/notes.ts";
import type { AttemptRow, Outcome } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { storeEvent, storeWorks } from "./enqueueing.ts";
import type { Storing } from "./enqueueing.ts";
import { beReady, closeLane, endTooLate, enterLane, isClosed, isTooLate, leaveLane, membersOf } from "./lanes.ts";
import { forgetStart } from "./limits.ts";
import { jobWithId, recordAttempt } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

/** The id and payload text of the event that tells of a death: the store makes them. */
export type DiedEvent = (died: JobDiedPayload) => { readonly id: string; readonly payload: string };

export interface Settling extends Storing {
  readonly died: DiedEvent;
}

export function isHeldBy(job: ModelJob | undefined, outcome: Outcome): job is ModelJob {
  return job !== undefined && job.state === "running" && job.claim?.claim === outcome.claim && job.claim.fence === outcome.fence;
}

/** The job is held by the outcome's claim. Throws what refuses its follow-up work: the caller then puts the old state back. */
export function applyOutcome(state: ModelState, job: ModelJob, outcome: Outcome, now: Instant, told: Settling): "settled" | "cancelled" {
  if (outcome.checkpoint !== undefined) job.checkpoint = outcome.checkpoint;
  if (outcome.is === "saved") return "settled";
  const startedAt = job.claim?.startedAt ?? now;
  job.claim = undefined;
  if (job.cancelReason !== undefined) {
    job.suspects = 0;
    cancelRun(state, job, attemptRow(job, outcome, now), now);
    return "cancelled";
  }
  if (outcome.is === "released") release(state, job, startedAt, now, told);
  else finish(state, job, outcome, now, told);
  storeWorks(state, outcome.follow ?? [], now, told);
  return "settled";
}

/** A run that ends because cancel was asked for: by its outcome, or by a crash. */
export function cancelRun(state: ModelState, job: ModelJob, row: AttemptRow, now: Instant): void {
  const reason = job.cancelReason ?? "";
  recordAttempt(job, { ...row, is: "cancelled", reason });
  job.cancelReason = undefined;
  end(state, job, "cancelled", reason, now);
}

/** Dead, or parked where its lane says so. The death is published, in the same atom. */
export function die(state: ModelState, job: ModelJob, reason: string, now: Instant, told: Settling): void {
  const isParked = job.lane !== undefined && job.lane.ifDead !== "continue";
  if (isParked) park(state, job, reason, now);
  else end(state, job, "dead", reason, now);
  if (job.from?.event === jobDiedName) return;
  const { id, task, queue, attempts, isPoison } = job;
  const event = told.died({ jobId: id, task, queue, reason, attempts, isPoison, isParked });
  storeEvent(state, { kind: "event", ...event, content: "", rememberMs: 0, name: jobDiedName }, now, told);
}

export function end(state: ModelState, job: ModelJob, as: "completed" | "skipped" | "cancelled" | "dead", reason: string | undefined, now: Instant): void {
  job.state = as;
  job.isHeld = false;
  job.asks = undefined;
  job.reason = reason;
  job.endedAt = now;
  leaveLane(state, job, now);
}

/** Waits again, in the place it had: an admitted member stays admitted, unless its lane was closed meanwhile; one that ran in a row goes back behind an earlier one. */
export function waitAgain(state: ModelState, job: ModelJob, now: Instant): void {
  const { lane } = job;
  const isBehind = job.isFollower && lane !== undefined && membersOf(state, lane.key).some((other) => other.seq < job.seq);
  if (lane !== undefined && (isBehind || !job.isAdmitted || isClosed(state, lane.key))) enterLane(state, job, now);
  else beReady(job, now);
  job.isFollower = false;
}

function finish(state: ModelState, job: ModelJob, outcome: Outcome, now: Instant, told: Settling): void {
  job.suspects = 0;
  if (outcome.is !== "snoozed") job.attempts += 1;
  if (outcome.is !== "completed") recordAttempt(job, attemptRow(job, outcome, now));
  if (outcome.is === "completed") {
    job.result = outcome.result;
    end(state, job, "completed", undefined, now);
  } else if (outcome.is === "skipped") {
    end(state, job, "skipped", outcome.reason, now);
  } else if (outcome.is === "dead") {
    job.isPoison = outcome.isPoison ?? false;
    die(state, job, outcome.reason ?? "", now, told);
  } else {
    job.dueAt = now + (outcome.delayMs ?? 0);
    job.delayedBy = outcome.is === "retry" ? "retry" : "snooze";
    waitAgain(state, job, now);
  }
}

/** One that is handed back too late may be skipped at once, or by the next claim or tidy. */
function release(state: ModelState, job: ModelJob, startedAt: Instant, now: Instant, told: Settling): void {
  job.starts -= 1;
  forgetStart(state, job, startedAt);
  waitAgain(state, job, now);
  if (job.state !== "ready" || !isTooLate(job, now) || !told.isTaken({ does: "skip", job })) return;
  endTooLate(job, now);
  leaveLane(state, job, now);
}

function park(state: ModelState, job: ModelJob, reason: string, now: Instant): void {
  job.state = "parked";
  job.isFollower = false;
  job.reason = reason;
  job.hasDied = true;
  if (job.lane?.ifDead === "park") closeLane(state, job, now);
  leaveLane(state, job, now);
}

function attemptRow(job: ModelJob, outcome: Outcome, now: Instant): AttemptRow {
  const is = outcome.is === "retry" || outcome.is === "snoozed" || outcome.is === "dead" ? outcome.is : "skipped";
  return {
    start: job.starts,
    is,
    at: now,
    ranMs: outcome.ranMs,
    ...(outcome.reason !== undefined && { reason: outcome.reason }),
    ...(outcome.error && { error: outcome.error }),
  };
}

export function heldJob(state: ModelState, outcome: Outcome): ModelJob | undefined {
  const job = jobWithId(state, outcome.id);
  return isHeldBy(job, outcome) ? job : undefined;
}
