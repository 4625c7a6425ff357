/** Order by key (G7): who of a lane holds a place, who waits, and what a death does. */
import type { Instant } from "../../src/core/runtime.ts";
import { isLive } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

export function isClosed(state: ModelState, lane: string): boolean {
  return state.closedLanes.some((closed) => closed.lane === lane);
}

/** The live members of a lane in the order of enqueue. */
export function membersOf(state: ModelState, lane: string): ModelJob[] {
  return state.jobs.filter((job) => job.lane?.key === lane && isLive(job)).toSorted((a, b) => a.seq - b.seq);
}

/** Gives a job that is to wait its state: parked or blocked by its lane, scheduled until it is due, else ready. A new one and one that was redriven alike. */
export function enterLane(state: ModelState, job: ModelJob, now: Instant): void {
  job.isAdmitted = false;
  if (job.lane === undefined) return beReady(job, now);
  if (isClosed(state, job.lane.key)) {
    job.state = "parked";
    return;
  }
  job.state = "blocked";
  admit(state, job.lane.key, now, job);
}

/** Hands the free places of an open lane to its next members. One whose startBy passed while it waited is skipped instead; a newcomer has not waited. */
export function admit(state: ModelState, lane: string, now: Instant, newcomer?: ModelJob): void {
  if (isClosed(state, lane)) return;
  if (state.lanesDue !== undefined) {
    state.lanesDue.push(lane);
    const others = membersOf(state, lane).filter((job) => job !== newcomer);
    if (others.some((job) => !job.isAdmitted)) return;
  }
  for (const job of membersOf(state, lane)) {
    if (job.isAdmitted) continue;
    if (job.state === "parked" && job.lane?.ifDead === "block") return;
    if (membersOf(state, lane).filter((member) => member.isAdmitted).length >= (job.lane?.width ?? 1)) return;
    unpark(job);
    if (job !== newcomer && isTooLate(job, now)) {
      endTooLate(job, now);
    } else {
      job.isAdmitted = true;
      beReady(job, now);
    }
  }
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

/** What tidy does, pass by pass: those that wait in closed lanes are parked, those that were parked in opened ones wait again. */
export function sweepLanes(state: ModelState, now: Instant): void {
  for (const job of state.jobs) {
    if (job.lane === undefined || !isLive(job) || job.state === "running") continue;
    if (isClosed(state, job.lane.key)) {
      job.state = "parked";
    } else if (job.state === "parked" && job.lane.ifDead === "park") {
      unpark(job);
      job.state = "blocked";
    }
    admit(state, job.lane.key, now);
  }
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
  job.reason = `too late: not started by ${job.startBy}`;
  job.endedAt = now;
}

export function beReady(job: ModelJob, now: Instant): void {
  job.state = job.dueAt > now ? "scheduled" : "ready";
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
