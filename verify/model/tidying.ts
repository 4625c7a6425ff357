/** What housekeeping must have done when it says that nothing is left: due, expired, swept, replayed, forgotten. */
import { deathsAloneMax, eventsKeptMs, suspectsBeforeAlone } from "../../src/core/defaults.ts";
import { jobFor } from "../../src/core/fanOut.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { StoredSubscription } from "../../src/core/notes.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { promote, skipTooLate } from "./claiming.ts";
import { storeHandler } from "./enqueueing.ts";
import { sweepLanes } from "./lanes.ts";
import { cancelRun, die, waitAgain } from "./settling.ts";
import type { DiedEvent } from "./settling.ts";
import { recordAttempt } from "./state.ts";
import type { ModelEvent, ModelJob, ModelState } from "./state.ts";

/** The place that the store gave a new job in the order of enqueue; -1 where it made none. */
export type Rank = (jobId: string) => number;

/** What one pass does first is free, and shows where a replayed event meets a job that crashed, or one whose retention is over. */
export const tidyOrders = [
  ["forget", "expire", "replay"],
  ["expire", "replay", "forget"],
  ["forget", "replay", "expire"],
  ["replay", "expire", "forget"],
] as const;
export type TidyOrder = (typeof tidyOrders)[number];

export function tidyAll(state: ModelState, mayExpire: boolean, now: Instant, told: { readonly died: DiedEvent; readonly rank: Rank }, order: TidyOrder): void {
  const steps = {
    forget: (): void => forget(state, now),
    expire: (): void => {
      if (mayExpire) takeBack(state, now, told.died);
      skipTooLate(state, now, () => true);
      promote(state, now);
    },
    replay: (): void => replay(state, now, told.rank),
  };
  for (const step of order) steps[step]();
  sweepLanes(state, now);
}

/** Retention: what tidy removes. */
export function isForgotten(job: ModelJob, now: Instant): boolean {
  return isEnded(job.state) && (job.endedAt ?? now) + job.keep[job.state] <= now && job.enqueuedAt + job.rememberMs <= now;
}

export function isForgottenEvent(event: ModelEvent, now: Instant): boolean {
  return event.publishedAt + Math.max(eventsKeptMs, event.rememberMs) <= now;
}

function forget(state: ModelState, now: Instant): void {
  state.jobs = state.jobs.filter((job) => !isForgotten(job, now));
  state.events = state.events.filter((event) => !isForgottenEvent(event, now));
}

function takeBack(state: ModelState, now: Instant, died: DiedEvent): void {
  for (const process of state.processes.filter((known) => known.leaseUntil < now)) {
    const lost = state.jobs.filter((job) => job.claim?.process === process.process);
    if (lost.length > 0 || state.tickets.some((ticket) => ticket.process === process.process)) process.isLost = true;
    for (const job of lost) crash(state, job, now, died);
    state.tickets = state.tickets.filter((ticket) => ticket.process !== process.process);
  }
}

/** A crash costs no attempt, but makes suspect (G13). */
function crash(state: ModelState, job: ModelJob, now: Instant, died: DiedEvent): void {
  const row = { start: job.starts, is: "crashed", at: now } as const;
  job.claim = undefined;
  if (job.cancelReason !== undefined) return cancelRun(state, job, row, now);
  job.suspects += 1;
  const isLast = job.suspects >= suspectsBeforeAlone + deathsAloneMax;
  recordAttempt(job, isLast ? { ...row, is: "dead" } : row);
  if (!isLast) return waitAgain(state, job, now);
  job.isPoison = true;
  die(state, job, "quarantined", now, died);
}

/** Oldest first for each subscription; whose turn it is among several is told by the order in which the store made the jobs. */
function replay(state: ModelState, now: Instant, rank: Rank): void {
  const pending = state.replays.flatMap((replayed) => {
    const note = state.notes.find((known) => known.key === subscriptionKey(replayed.subscription));
    const subscription = note && (JSON.parse(note.value) as StoredSubscription);
    return subscription ? [state.events.filter((event) => replayed.eventIds.includes(event.id)).map((event) => ({ event, subscription }))] : [];
  });
  for (;;) {
    const heads = pending
      .flatMap((list) => list.slice(0, 1))
      .toSorted((a, b) => rank(jobFor(a.event, a.subscription).id) - rank(jobFor(b.event, b.subscription).id));
    const [next] = heads;
    if (next === undefined) break;
    storeHandler(state, next.event, next.subscription, now);
    pending.find((list) => list[0] === next)?.shift();
  }
  state.replays = [];
}
