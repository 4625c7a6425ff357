/** What a person's `change` does to one job, and which jobs a selection means. */
import type { Change, ChangedJob, JobFilter, Selection } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { enterLane, isClosed, leaveLane, openLane } from "./lanes.ts";
import { end } from "./settling.ts";
import { isLive, jobWithId } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

export function selected(state: ModelState, which: Selection): string[] {
  return "ids" in which ? [...which.ids] : matching(state, which.jobs).map((job) => job.id);
}

export function matching(state: ModelState, filter: JobFilter): ModelJob[] {
  const { states, queue, task, lane, unique } = filter;
  const matches = (job: ModelJob): boolean =>
    (states === undefined || states.includes(job.state)) && (queue === undefined || job.queue === queue) && (task === undefined || job.task === task) &&
    (lane === undefined || job.lane?.key === lane) && (unique === undefined || job.unique?.key === unique);
  return state.jobs.filter(matches).toSorted((a, b) => a.seq - b.seq);
}

export function changeOne(state: ModelState, id: string, change: Change, now: Instant, answered?: ChangedJob["is"]): ChangedJob["is"] {
  const job = jobWithId(state, id);
  if (job === undefined) return "unknown";
  if (change.do === "cancel") return cancel(state, job, change.reason, now);
  if (change.do === "retry") return retry(state, job, now, answered);
  if (change.do === "prioritise") return prioritise(job, change.headStartMs);
  return remove(state, job);
}

function cancel(state: ModelState, job: ModelJob, reason: string, now: Instant): ChangedJob["is"] {
  if (isEnded(job.state)) return "ended";
  if (job.state === "running") {
    job.cancelReason ??= reason;
    return "cancelling";
  }
  end(state, job, "cancelled", reason, now);
  return "cancelled";
}

function retry(state: ModelState, job: ModelJob, now: Instant, answered: ChangedJob["is"] | undefined): ChangedJob["is"] {
  if (job.state === "running") return "running";
  if (answered === "waiting" && job.state === "parked" && isOpened(state, job)) {
    job.state = "blocked";
    return "waiting";
  }
  if (job.state === "ready" || job.state === "blocked") return "waiting";
  if (job.state !== "dead" && isEnded(job.state)) return "ended";
  if (job.state === "dead" && isTaken(state, job)) return "taken";
  const was = job.state;
  beginAnew(job);
  if (was === "scheduled") {
    job.dueAt = now;
    job.state = "ready";
  } else if (was === "dead") {
    enterLane(state, job, now);
  } else {
    redrive(state, job, now);
  }
  return "retried";
}

/** Parked still, but its lane was opened by another member: whether it waits again at once or after the next tidy is free. */
function isOpened(state: ModelState, job: ModelJob): boolean {
  return job.lane?.ifDead === "park" && !isClosed(state, job.lane.key);
}

function redrive(state: ModelState, job: ModelJob, now: Instant): void {
  job.state = "blocked";
  if (job.lane?.ifDead === "park") openLane(state, job.lane.key, now);
  else leaveLane(state, job, now);
}

function beginAnew(job: ModelJob): void {
  job.attempts = 0;
  job.starts = 0;
  job.suspects = 0;
  job.reason = undefined;
  job.endedAt = undefined;
  job.isPoison = false;
}

function isTaken(state: ModelState, job: ModelJob): boolean {
  return job.unique !== undefined && state.jobs.some((other) => other !== job && other.unique?.key === job.unique?.key && isLive(other));
}

function prioritise(job: ModelJob, headStartMs: number): ChangedJob["is"] {
  if (isEnded(job.state)) return "ended";
  if (job.state === "running") return "running";
  job.headStartMs = headStartMs;
  job.urgency = job.dueAt - headStartMs;
  return "prioritised";
}

function remove(state: ModelState, job: ModelJob): ChangedJob["is"] {
  if (isLive(job)) return "live";
  state.jobs = state.jobs.filter((other) => other !== job);
  return "deleted";
}
