/** What housekeeping must have done when it says that nothing is left: due, expired, swept, replayed, forgotten. */
import { deathsAloneMax, suspectsBeforeAlone } from "../../src/core/defaults.ts";
import { jobFor } from "../../src/core/fanOut.ts";
import type { Tidy } from "../../src/core/engine.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { StoredSubscription } from "../../src/core/notes.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { cascade } from "./cascading.ts";
import type { FreeStep } from "./cascading.ts";
import { promote, skipTooLate } from "./claiming.ts";
import { storeHandler } from "./enqueueing.ts";
import { dueToGo, forgetAll } from "./retention.ts";
import { cancelRun, die, waitAgain } from "./settling.ts";
import type { Settling } from "./settling.ts";
import { recordAttempt } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

export interface Tidying extends Settling {
  readonly rank: Rank;
  /** Whether what may have been forgotten is not shown any more. */
  readonly isPurged: (id: string) => boolean;
}

/** The place that the store gave a new job in the order of enqueue; -1 where it made none. */
export type Rank = (jobId: string) => number;

type Part = "forget" | "expire" | "replay";

export interface TidyOrder {
  readonly parts: readonly Part[];
  readonly cancelsFirst: boolean;
}

/**
 * What one pass does first is free, and shows where a replayed event meets a job that crashed, or one whose retention is over. `cancelsFirst`: what is left
 * of a cancelled join is cancelled before it closes, though only parked members are left.
 */
const partOrders: readonly (readonly Part[])[] = [
  ["forget", "expire", "replay"],
  ["expire", "replay", "forget"],
  ["forget", "replay", "expire"],
  ["replay", "expire", "forget"],
];
export const tidyOrders: readonly TidyOrder[] = [false, true].flatMap((cancelsFirst) => partOrders.map((parts) => ({ parts, cancelsFirst })));

/** By when a lease must have ended that a pass takes back; undefined: it takes none. */
export function untilOf({ mayExpire, expireUntil }: Tidy, now: Instant): Instant | undefined {
  return mayExpire ? Math.min(now, expireUntil ?? now) : undefined;
}

export function tidyAll(state: ModelState, expireUntil: Instant | undefined, now: Instant, told: Tidying, { parts, cancelsFirst }: TidyOrder): void {
  const due = dueToGo(state, now);
  const steps = {
    forget: (): void => forgetAll(state, now, due, told.isPurged),
    expire: (): void => {
      if (expireUntil !== undefined) takeBack(state, expireUntil, now, told);
      // One that comes to ask for room late is skipped then, or when there is some.
      skipTooLate(state, now, (job) => job.keyLimits.length === 0 || told.isTaken({ does: "skip", job }));
      promote(state, now, () => true);
    },
    replay: (): void => replay(state, now, told),
  };
  for (const part of parts) {
    state.lanesDue ??= [];
    steps[part]();
    if (part !== "forget") cascade(state, now, { ...told, isInPasses: true, cancelsFirst });
  }
  // Nothing that the port lets an engine leave to tidy is left after it.
  const isFree = (does: FreeStep["does"]): boolean => does === "dropStaged" || does === "standBehind" || does === "skip";
  cascade(state, now, { ...told, isTaken: (step) => !isFree(step.does) || told.isTaken(step), isInPasses: true, cancelsFirst });
  for (const job of state.jobs) job.arrival = undefined;
  for (const join of state.joins) join.isLeftOver = false;
}

function takeBack(state: ModelState, until: Instant, now: Instant, told: Tidying): void {
  for (const process of state.processes.filter((known) => known.leaseUntil < until)) {
    const lost = state.jobs.filter((job) => job.claim?.process === process.process);
    if (lost.length > 0 || state.tickets.some((ticket) => ticket.process === process.process)) process.isLost = true;
    for (const job of lost) crash(state, job, now, told);
    state.tickets = state.tickets.filter((ticket) => ticket.process !== process.process);
  }
}

/** A crash costs no attempt, but makes suspect (G13). */
function crash(state: ModelState, job: ModelJob, now: Instant, told: Tidying): void {
  const row = { start: job.starts, is: "crashed", at: now } as const;
  job.claim = undefined;
  if (job.cancelReason !== undefined) return cancelRun(state, job, row, now);
  job.suspects += 1;
  const isLast = job.suspects >= suspectsBeforeAlone + deathsAloneMax;
  recordAttempt(job, isLast ? { ...row, is: "dead" } : row);
  if (!isLast) return waitAgain(state, job, now);
  job.isPoison = true;
  die(state, job, "quarantined", now, told);
}

/** Oldest first for each subscription; whose turn it is among several is told by the order in which the store made the jobs. */
function replay(state: ModelState, now: Instant, told: Tidying): void {
  const pending = state.replays.flatMap((replayed) => {
    const note = state.notes.find((known) => known.key === subscriptionKey(replayed.subscription));
    const subscription = note && (JSON.parse(note.value) as StoredSubscription);
    return subscription ? [state.events.filter((event) => replayed.eventIds.includes(event.id)).map((event) => ({ event, subscription }))] : [];
  });
  for (;;) {
    const heads = pending
      .flatMap((list) => list.slice(0, 1))
      .toSorted((a, b) => told.rank(jobFor(a.event, a.subscription).id) - told.rank(jobFor(b.event, b.subscription).id));
    const [next] = heads;
    if (next === undefined) break;
    storeHandler(state, next.event, next.subscription, now, told);
    pending.find((list) => list[0] === next)?.shift();
  }
  state.replays = [];
}
