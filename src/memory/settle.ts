/** Writes outcomes; each stands or falls alone, with its follow-up work. */
import type { Outcome, Settled } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Instant } from "../core/runtime.ts";
import { aftermath } from "./aftermath.ts";
import { acceptWorks, refusalOf } from "./enqueue.ts";
import { remember } from "./job.ts";
import type { Job } from "./job.ts";
import { attemptRow, die, end, wait } from "./life.ts";
import type { Store } from "./store.ts";

export function settle(store: Store, outcomes: readonly Outcome[], now: Instant): Settled[] {
  const settled = settleEach(store, outcomes, now);
  aftermath(store, now);
  return withStates(store, settled);
}

/** Their states when all that follows from the outcomes has happened. */
export function withStates(store: Store, settled: readonly Settled[]): Settled[] {
  return settled.map((answer) => {
    const job = store.jobs.get(answer.id);
    return job === undefined || job.state === answer.state ? answer : { ...answer, state: job.state };
  });
}

/** Leaves what the endings let happen to the caller. */
export function settleEach(store: Store, outcomes: readonly Outcome[], now: Instant): Settled[] {
  return outcomes.map((outcome) => {
    const job = store.jobs.get(outcome.id);
    if (job === undefined) return { id: outcome.id, is: "lease-lost" };
    const is = isHeld(job, outcome) ? settleOne(store, job, outcome, now) : "lease-lost";
    return is instanceof ErrandError ? { id: job.id, is: "refused", state: job.state, error: is } : { id: job.id, is, state: job.state };
  });
}

/** It runs under the claim and the fence that the outcome names (G3). An expired lease that nobody took may still settle. */
function isHeld(job: Job, outcome: Outcome): boolean {
  return job.lease !== undefined && job.lease.claim === outcome.claim && job.lease.fence === outcome.fence;
}

function settleOne(store: Store, job: Job, outcome: Outcome, now: Instant): Settled["is"] | ErrandError {
  const isCancelled = job.lease?.isCancelling === true && outcome.is !== "saved";
  const follow = isCancelled ? [] : (outcome.follow ?? []);
  const refusal = followRefusal(store, outcome, follow);
  if (refusal) return refusal;
  job.checkpoint = outcome.checkpoint ?? job.checkpoint;
  if (isCancelled || (outcome.is !== "released" && outcome.is !== "saved")) job.suspects = job.deathsAlone = 0;
  if (isSpending(outcome)) job.attempts += 1;
  if (isCancelled) end(store, job, "cancelled", { reason: job.reason, error: outcome.error, ranMs: outcome.ranMs }, now);
  else apply(store, job, outcome, now);
  acceptWorks(store, follow, "run", now);
  return isCancelled ? "cancelled" : "settled";
}

function followRefusal(store: Store, outcome: Outcome, follow: NonNullable<Outcome["follow"]>): ErrandError | undefined {
  if (follow.length === 0) return undefined;
  const may = ["completed", "skipped", "retry", "snoozed"].includes(outcome.is);
  return may
    ? refusalOf(store, { works: follow })
    : new ErrandError("option-invalid", `an outcome that is ${outcome.is} has no follow-up work; settle job ${outcome.id} without`);
}

/** Attempts are outcomes: a crash, a snooze and a release are none. */
function isSpending({ is }: Outcome): boolean {
  return is === "completed" || is === "skipped" || is === "dead" || is === "retry";
}

function apply(store: Store, job: Job, outcome: Outcome, now: Instant): void {
  switch (outcome.is) {
    case "completed":
      job.result = outcome.result;
      return end(store, job, "completed", {}, now);
    case "skipped":
      return end(store, job, "skipped", outcome, now);
    case "dead":
      return die(store, job, outcome, now);
    case "retry":
    case "snoozed":
      return delay(store, job, outcome, outcome.is, now);
    case "released":
      job.starts -= 1;
      store.limits.takeBack(job.lease?.starts ?? []);
      return wait(store, job, now);
    case "saved":
      return;
  }
}

function delay(store: Store, job: Job, outcome: Outcome, is: "retry" | "snoozed", now: Instant): void {
  remember(job, attemptRow(job, is, outcome, now));
  job.dueAt = now + (outcome.delayMs ?? 0);
  job.delayedBy = is === "retry" ? "retry" : "snooze";
  wait(store, job, now);
}
