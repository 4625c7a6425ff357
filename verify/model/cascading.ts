/**
 * What endings bring about: joins open and close, members and those that came after are let go or end, lanes and limits hand out their places.
 * The port lets an engine do most of it in the verb itself or leave it to tidy: {@link Choices} tells what was done.
 */
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { canClose, canOpen, close, isMet, membersWithin, unmetOf } from "./joins.ts";
import { admit, beReady, endTooLate, isClosed, isTooLate, leaveLane, membersOf, unpark } from "./lanes.ts";
import { giveRoom } from "./limits.ts";
import { isLive, joinWithId } from "./state.ts";
import type { Fate, ModelJob, ModelJoin, ModelState } from "./state.ts";

export type FreeStep = JoinStep | JobStep;
export interface JoinStep {
  readonly does: "open" | "close";
  readonly join: ModelJoin;
}
export interface JobStep {
  readonly does: "letGo" | "drop" | "dropStaged" | "cancel" | "giveRoom" | "park" | "unpark" | "skip" | "standBehind";
  readonly job: ModelJob;
}

export interface Choices {
  /** Whether a step that the port leaves free was taken by the end of this verb. */
  readonly isTaken: (step: FreeStep) => boolean;
  /** In the line of which key a job is shown that waits for room, where it can be known. */
  readonly lineOf: (job: ModelJob) => string | undefined;
  /** The verb came in bounded passes. */
  readonly isInPasses?: boolean;
  /** What is left of a cancelled join is cancelled before it closes, though only parked members are left. */
  readonly cancelsFirst?: boolean;
}

/**
 * Goes on until nothing more follows. All are let go before lanes hand out their places, and all ask for room together;
 * but an engine may go in rounds, so that one which is let go by a later round finds a place of its lane taken.
 */
export function cascade(state: ModelState, now: Instant, choices: Choices): void {
  const steps = choices.cancelsFirst ? [cancelMembers, judgeJoins, judgeJobs] : [judgeJoins, judgeJobs, cancelMembers];
  do {
    state.lanesDue ??= [];
    while (sweep(state, choices) || steps.some((step) => step(state, now, choices)));
  } while (admitLanes(state, now, choices) || giveRoom(state, now, choices) || giveRoom(state, now, choices, true));
  for (const job of state.jobs) {
    if (!choices.isInPasses) job.arrival = undefined;
    if (job.asks !== "now") continue;
    job.asks = "since";
    job.asksSince = now;
  }
}

/** Those that wait in closed lanes are parked, those that were parked in opened ones wait again: at once, or in bounded passes of tidy. */
function sweep(state: ModelState, { isTaken }: Choices): boolean {
  const job = state.jobs.find((one) => isOutOfStep(state, one) && isTaken({ does: one.state === "parked" ? "unpark" : "park", job: one }));
  if (job?.lane === undefined) return false;
  if (job.state === "parked") {
    unpark(job);
    job.state = "blocked";
  } else {
    job.state = "parked";
  }
  job.asks = undefined;
  job.isAdmitted = false;
  state.lanesDue?.push(job.lane.key);
  return true;
}

function isOutOfStep(state: ModelState, job: ModelJob): boolean {
  if (job.lane === undefined || job.isHeld || !isLive(job) || job.state === "running") return false;
  if (isClosed(state, job.lane.key)) return job.state !== "parked";
  return job.state === "parked" && job.lane.ifDead === "park";
}

function judgeJoins(state: ModelState, now: Instant, { isTaken }: Choices): boolean {
  for (const join of state.joins) {
    if (!join.isOpen && !join.isCancelled && !join.closedAs) join.fate ??= fateOf(state, join);
    if (canOpen(state, join) && isTaken({ does: "open", join })) {
      join.isOpen = true;
      return true;
    }
    if (canClose(state, join) && isTaken({ does: "close", join })) {
      close(state, join, now);
      return true;
    }
  }
  return false;
}

function fateOf(state: ModelState, join: ModelJoin): Fate | undefined {
  return (join.isSealed ? unmetOf(state, join.after) : undefined) ?? joinWithId(state, join.join)?.fate;
}

function judgeJobs(state: ModelState, now: Instant, choices: Choices): boolean {
  return state.jobs.some((job) => job.isHeld && judge(state, job, now, choices));
}

function judge(state: ModelState, job: ModelJob, now: Instant, choices: Choices): boolean {
  const join = joinWithId(state, job.join);
  const own = unmetOf(state, job.after) ?? join?.fate;
  const staged = join && !join.isSealed ? unmetOf(state, join.after) : undefined;
  const fate = own ?? staged;
  if (fate !== undefined) {
    if (!choices.isTaken({ does: own ? "drop" : "dropStaged", job })) return false;
    drop(job, fate, now);
    return true;
  }
  if ((join && (!join.isOpen || join.isCancelled)) || !isMet(state, job.after) || !choices.isTaken({ does: "letGo", job })) return false;
  letGo(state, job, now, choices);
  return true;
}

export function drop(job: ModelJob, fate: Fate, now: Instant): void {
  job.isHeld = false;
  job.state = fate.as;
  job.reason = fate.reason;
  job.endedAt = now;
}

function letGo(state: ModelState, job: ModelJob, now: Instant, choices: Choices): void {
  job.isHeld = false;
  job.wasHeld = true;
  startTimes(job, now);
  if (job.lane === undefined) {
    if (isTooLate(job, now) && choices.isTaken({ does: "skip", job })) return endTooLate(job, now);
    return beReady(job, now);
  }
  if (isClosed(state, job.lane.key)) {
    job.state = "parked";
    return;
  }
  job.state = "blocked";
  job.arrival = isBehind(state, job, choices) ? "behind" : "among";
  state.lanesDue?.push(job.lane.key);
}

/** It waits still; or one that waited there before had its turn, and was too late. One that was too late itself had its turn. */
function isBehind(state: ModelState, job: ModelJob, { isTaken }: Choices): boolean {
  if (isTaken({ does: "skip", job })) return false;
  const before = membersOf(state, job.lane?.key ?? "").filter(
    (other) => other.state === "blocked" && !other.isAdmitted && other.arrival === undefined && other.seq > job.seq,
  );
  return isTaken({ does: "standBehind", job }) || before.some((other) => isTaken({ does: "skip", job: other }));
}

/** Delays count from the moment at which it is let go; urgency stays. */
function startTimes(job: ModelJob, now: Instant): void {
  job.dueAt = job.delayMs === undefined ? Math.max(now, job.dueAt) : now + job.delayMs;
  if (job.startWithinMs !== undefined) job.startBy ??= now + job.startWithinMs;
}

/** The members that were left when a cancel by join had reached its limit. */
function cancelMembers(state: ModelState, now: Instant, { isTaken }: Choices): boolean {
  for (const join of state.joins) {
    // Where it has closed by then, what is left of it is parked.
    if (!join.isCancelled || (join.closedAs && !join.isLeftOver)) continue;
    for (const job of membersWithin(state, join)) {
      if (isEnded(job.state) || job.cancelReason !== undefined || !isTaken({ does: "cancel", job })) continue;
      cancelMember(state, job, join.cancelReason ?? "", now);
      return true;
    }
  }
  return false;
}

function cancelMember(state: ModelState, job: ModelJob, reason: string, now: Instant): void {
  if (job.state === "running") {
    job.cancelReason = reason;
    return;
  }
  job.isHeld = false;
  job.state = "cancelled";
  job.reason = reason;
  job.endedAt = now;
  leaveLane(state, job, now);
}

function admitLanes(state: ModelState, now: Instant, { isTaken }: Choices): boolean {
  const lanes = [...new Set(state.lanesDue)];
  state.lanesDue = undefined;
  const staysBehind = (job: ModelJob): boolean => isTaken({ does: "standBehind", job });
  return lanes.filter((lane) => admit(state, lane, now, undefined, staysBehind)).length > 0;
}
