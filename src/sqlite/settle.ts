/** Writes outcomes; each stands or falls alone, with its follow-up work. */
import type { Outcome, Settled } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { aftermath } from "./aftermath.ts";
import { completePlain } from "./complete.ts";
import { acceptWorks } from "./enqueue.ts";
import { findJob, remember } from "./job.ts";
import type { Job } from "./job.ts";
import { takeStartsBack } from "./keyLimit.ts";
import { attemptRow, die, end, wait } from "./life.ts";
import type { Change } from "./move.ts";
import { refusalOf } from "./refusal.ts";
import { statesOf } from "./statesOf.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid. */
const saveCheckpoint = "UPDATE errand_jobs SET checkpoint = ? WHERE seq = ?";

export function settle(tx: Transaction, outcomes: readonly Outcome[]): Settled[] {
  const settled = settleEach(tx, outcomes);
  aftermath(tx);
  return withStates(tx, settled);
}

/** Leaves what the endings let happen to the caller. */
export function settleEach(tx: Transaction, outcomes: readonly Outcome[]): Settled[] {
  const completed = completePlain(tx, outcomes);
  return outcomes.map((outcome) => (completed.delete(outcome) ? { id: outcome.id, is: "settled", state: "completed" } : settleOne(tx, outcome)));
}

/** Their states when all that follows from the outcomes has happened. */
export function withStates(tx: Transaction, settled: Settled[]): Settled[] {
  const states = statesOf(
    tx,
    settled.filter(({ state }) => state !== undefined && state !== "completed").map(({ id }) => id),
  );
  if (states.size === 0) return settled;
  return settled.map((answer) => {
    const state = states.get(answer.id);
    return state === undefined || state === answer.state ? answer : { ...answer, state };
  });
}

function settleOne(tx: Transaction, outcome: Outcome): Settled {
  const job = findJob(tx, outcome.id);
  if (job === undefined) return { id: outcome.id, is: "lease-lost" };
  const is = isHeld(job, outcome) ? write(tx, job, outcome) : "lease-lost";
  return is instanceof ErrandError ? { id: job.id, is: "refused", state: job.state, error: is } : { id: job.id, is, state: job.state };
}

/** It runs under the claim and the fence that the outcome names (G3). An expired lease that nobody took may still settle. */
function isHeld(job: Job, outcome: Outcome): boolean {
  return job.state === "running" && job.claim === outcome.claim && job.fence === outcome.fence;
}

function write(tx: Transaction, job: Job, outcome: Outcome): Settled["is"] | ErrandError {
  const isCancelled = job.isCancelling === 1 && outcome.is !== "saved";
  const follow = isCancelled ? [] : (outcome.follow ?? []);
  const refusal = followRefusal(tx, outcome, follow);
  if (refusal) return refusal;
  if (isCancelled) cancel(tx, job, outcome);
  else apply(tx, job, outcome);
  if (follow.length > 0) acceptWorks(tx, follow, "run");
  return isCancelled ? "cancelled" : "settled";
}

function followRefusal(tx: Transaction, outcome: Outcome, follow: NonNullable<Outcome["follow"]>): ErrandError | undefined {
  if (follow.length === 0) return undefined;
  const may = ["completed", "skipped", "retry", "snoozed"].includes(outcome.is);
  return may
    ? refusalOf(tx, { works: follow })
    : new ErrandError("option-invalid", `an outcome that is ${outcome.is} has no follow-up work; settle job ${outcome.id} without`);
}

function cancel(tx: Transaction, job: Job, outcome: Outcome): void {
  end(
    tx,
    job,
    "cancelled",
    { reason: job.reason ?? undefined, error: outcome.error, ranMs: outcome.ranMs },
    {
      ...spent(job, outcome),
      starts: job.starts + 1,
      suspects: 0,
      ...checkpointOf(outcome),
    },
  );
}

function apply(tx: Transaction, job: Job, outcome: Outcome): void {
  const change: Change = { ...spent(job, outcome), ...checkpointOf(outcome) };
  switch (outcome.is) {
    case "completed":
      // Told by errand_done: one claim and one attempt more than its row says, and no suspicion.
      return end(tx, job, "completed", {}, { ...checkpointOf(outcome), ...(outcome.result !== undefined && { result: outcome.result }) });
    case "skipped":
      return end(tx, job, "skipped", outcome, change);
    case "dead":
      return die(tx, job, outcome, change);
    case "retry":
    case "snoozed":
      return delay(tx, job, outcome, outcome.is, change);
    case "released":
      takeStartsBack(tx, job);
      return wait(tx, job, checkpointOf(outcome));
    case "saved":
      if (outcome.checkpoint !== undefined) tx.sql.run(saveCheckpoint, outcome.checkpoint, job.seq);
  }
}

/** What a claim leaves in the row when it ends: it was a start, an attempt or not, and clears the suspicion unless it was only handed back. */
function spent(job: Job, { is }: Outcome): Change {
  const starts = is === "released" ? job.starts : job.starts + 1;
  const attempts = is === "skipped" || is === "dead" || is === "retry" || is === "completed" ? job.attempts + 1 : job.attempts;
  return { starts, attempts, ...(is !== "released" && { suspects: 0 }) };
}

function checkpointOf({ checkpoint }: Outcome): Change {
  return checkpoint === undefined ? {} : { checkpoint };
}

function delay(tx: Transaction, job: Job, outcome: Outcome, is: "retry" | "snoozed", change: Change): void {
  remember(job, attemptRow(tx, job, is, outcome));
  wait(tx, job, { ...change, dueAt: tx.now + (outcome.delayMs ?? 0), delayedBy: is === "retry" ? "retry" : "snooze" });
}
