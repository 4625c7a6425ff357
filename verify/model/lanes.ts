/** Order by key (G7): who of a lane holds a place, who waits, and what a death does. */
import type { Instant } from "../../src/core/runtime.ts";
import { isLive } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

export function isClosed(state: ModelState, lane: string): boolean {
  return state.closedLanes.some((closed) => closed.lane === lane);
}

/** The live members of a lane in the order of enqueue, those that run in a row before those that wait; not those that are held outside. */
export function membersOf(state: ModelState, lane: string): ModelJob[] {
  const rank = (job: ModelJob): number => (job.state === "running" ? 0 : job.arrival === "behind" ? 2 : 1);
  return state.jobs.filter((job) => job.lane?.key === lane && isLive(job) && !job.isHeld).toSorted((a, b) => rank(a) - rank(b) || a.seq - b.seq);
}

/** Gives a job that is to wait its state: parked or blocked by its lane, scheduled until it is due, else ready. A new one and one that was redriven alike. */
export function enterLane(state: ModelState, job: ModelJob, now: Instant): void {
  job.isAdmitted = false;
  job.asks = undefined;
  if (job.lane === undefined) return beReady(job, now);
  if (isClosed(state, job.lane.key)) {
    job.state = "parked";
    return;
  }
  job.state = "blocked";
  admit(state, job.lane.key, now, job);
}

/**
 * Hands the free places of an open lane to its next members. One whose startBy passed while it waited is skipped instead; a newcomer has not waited.
 * Answers whether anything changed.
 */
export function admit(state: ModelState, lane: string, now: Instant, newcomer?: ModelJob, staysBehind: (job: ModelJob) => boolean = () => false): boolean {
  if (isClosed(state, lane)) return false;
  if (state.lanesDue !== undefined || newcomer !== undefined) {
    state.lanesDue = [...(state.lanesDue ?? []), lane];
    const others = membersOf(state, lane).filter((job) => job !== newcomer);
    if (others.some((job) => !job.isAdmitted)) return letRunnersStand(state, lane);
  }
  let hasChanged = false;
  for (const job of membersOf(state, lane)) {
    if (job.isAdmitted) continue;
    if (job.state === "parked" && job.lane?.ifDead === "block") break;
    if (isBesideParked(state, job) && staysBehind(job)) break;
    if (membersOf(state, lane).filter((member) => member.isAdmitted).length >= (job.lane?.width ?? 1)) break;
    hasChanged = true;
    if (job.state === "running") job.isAdmitted = true;
    else takePlace(job, now, job === newcomer);
  }
  return hasChanged;
}

/** Those that run in a row have their place as soon as it is free: within a batch, too. Nothing is to be seen of it. */
function letRunnersStand(state: ModelState, lane: string): false {
  const members = membersOf(state, lane);
  for (const job of members) if (job.state === "running" && members.filter((one) => one.isAdmitted).length < (job.lane?.width ?? 1)) job.isAdmitted = true;
  return false;
}

/** Let go into a lane that blocks and has a parked member: whether it waits for that one, which may have come first, is free. */
function isBesideParked(state: ModelState, job: ModelJob): boolean {
  return job.wasHeld && job.lane?.ifDead === "block" && membersOf(state, job.lane.key).some((other) => other.hasDied);
}

function takePlace(job: ModelJob, now: Instant, isNew: boolean): void {
  unpark(job);
  if (!isNew && isTooLate(job, now)) return endTooLate(job, now);
  job.isAdmitted = true;
  beReady(job, now);
}

/** After a job has ended or was parked: its place goes on. */
export function leaveLane(state: ModelState, job: ModelJob, now: Instant): void {
  job.isAdmitted = false;
  if (job.lane === undefined) return;
  const { key } = job.lane;
  if (membersOf(state, key).length === 0) state.closedLanes = state.closedLanes.filter((closed) => closed.lane !== key);
  admit(state, key, now);
}

/** A member died in a lane that parks: none of those that wait holds a place any more. They are parked by {@link sweepLanes}. */
export function closeLane(state: ModelState, job: ModelJob, now: Instant): void {
  const lane = job.lane?.key ?? "";
  if (!isClosed(state, lane)) state.closedLanes.push({ lane, closedBy: job.id, closedAt: now });
  for (const member of membersOf(state, lane)) if (member.state !== "running") member.isAdmitted = false;
}

/** An opened lane hands out its places at once, within a batch as well. */
export function openLane(state: ModelState, lane: string, now: Instant): void {
  state.closedLanes = state.closedLanes.filter((closed) => closed.lane !== lane);
  const { lanesDue } = state;
  state.lanesDue = undefined;
  admit(state, lane, now);
  state.lanesDue = lanesDue;
}

/** A job that could be claimed, were it due: of an open lane, or of none. */
export function mayStart(state: ModelState, job: ModelJob): boolean {
  return job.lane === undefined || (job.isAdmitted && !isClosed(state, job.lane.key));
}

export function isTooLate(job: ModelJob, now: Instant): boolean {
  return job.startBy !== undefined && job.startBy < now && job.starts === 0;
}

export function endTooLate(job: ModelJob, now: Instant): void {
  job.state = "skipped";
  job.asks = undefined;
  job.reason = `too late: not started by ${job.startBy}`;
  job.endedAt = now;
}

/** Scheduled, ready, or asking for room under its key limits. One that is ready already keeps the room it has. */
export function beReady(job: ModelJob, now: Instant): void {
  const isReady = job.dueAt <= now;
  const asks = isReady && job.keyLimits.length > 0 && job.state !== "ready";
  job.state = !isReady ? "scheduled" : asks ? "blocked" : "ready";
  job.asks = asks ? "now" : undefined;
  job.line = undefined;
}

/** Lets go of a parked member. One that died begins anew, as if it had been redriven itself. */
export function unpark(job: ModelJob): void {
  if (job.hasDied) beginAnew(job);
  job.reason = undefined;
}

export function beginAnew(job: ModelJob): void {
  // A startBy that was met is met for good.
  if (job.starts > 0) job.startBy = undefined;
  job.attempts = 0;
  job.starts = 0;
  job.suspects = 0;
  job.reason = undefined;
  job.endedAt = undefined;
  job.isPoison = false;
  job.hasDied = false;
}
