/** What a person's `change` does to one job, and which jobs a selection means. */
import type { Change, ChangedJob, JobFilter, Selection } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { endedStates, isEnded, liveStates } from "../../src/core/states.ts";
import type { JobState } from "../../src/core/states.ts";
import { forget, isMemberOf, joinsWithin } from "./joins.ts";
import { admit, beginAnew, beReady, enterLane, isClosed, membersOf, openLane, unpark } from "./lanes.ts";
import { end } from "./settling.ts";
import { isLive, jobWithId, joinWithId } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

/** What the engine said of a job; undefined: nothing. */
export type Answered = (id: string) => ChangedJob["is"] | undefined;

/** Of a filter only those to which the change can still be made: else "call again" would meet the same jobs for ever. */
const concerned: Readonly<Record<Change["do"], readonly JobState[]>> = {
  cancel: liveStates,
  retry: ["scheduled", "parked", "dead"],
  prioritise: ["scheduled", "blocked", "ready", "parked"],
  delete: endedStates,
};

export function selected(state: ModelState, which: Selection, change: Change, answered: Answered): string[] {
  if ("ids" in which) return [...which.ids];
  const isPassedOver = (job: ModelJob): boolean =>
    isVain(state, job, change, answered(job.id)) || (change.do === "retry" && isOpened(state, job) && answered(job.id) === undefined);
  const jobs = "join" in which ? membersInTurn(state, which.join) : matching(state, which.jobs);
  return jobs.filter((job) => concerned[change.do].includes(job.state) && !isPassedOver(job)).map((job) => job.id);
}

/** Join by join in the order of storing, the members of each by the order of enqueue. */
function membersInTurn(state: ModelState, id: string): ModelJob[] {
  const join = joinWithId(state, id);
  const joins = join === undefined ? [] : joinsWithin(state, join).toSorted((a, b) => a.seq - b.seq);
  const inTurn = joins.flatMap((one) => state.jobs.filter((job) => isMemberOf(one, job.id)).toSorted((a, b) => a.seq - b.seq));
  return [...new Set(inTurn)];
}

/** In the first call: they take no members any more, and let none go. One that has closed stays as it is. */
export function cancelJoins(state: ModelState, which: Selection, change: Change, hasMore: boolean): void {
  const join = "join" in which && change.do === "cancel" ? joinWithId(state, which.join) : undefined;
  if (join === undefined || change.do !== "cancel") return;
  for (const one of joinsWithin(state, join).filter(({ closedAs }) => closedAs === undefined)) {
    one.isCancelled = true;
    one.cancelReason ??= change.reason;
  }
  for (const one of joinsWithin(state, join)) one.isLeftOver = one.isCancelled && hasMore;
}

function isVain(state: ModelState, job: ModelJob, change: Change, answered: ChangedJob["is"] | undefined): boolean {
  if (change.do === "cancel") return job.cancelReason !== undefined;
  if (change.do === "prioritise") return job.headStartMs === change.headStartMs && job.urgency === job.dueAt - change.headStartMs;
  return change.do === "retry" && job.state === "dead" && isTaken(state, job, answered);
}

export function matching(state: ModelState, filter: JobFilter): ModelJob[] {
  const { states, queue, task, lane, unique, join, after, before } = filter;
  const matches = (job: ModelJob): boolean =>
    (states === undefined || states.includes(job.state)) &&
    (queue === undefined || job.queue === queue) &&
    (task === undefined || job.task === task) &&
    (lane === undefined || job.lane?.key === lane) &&
    (unique === undefined || job.unique?.key === unique) &&
    (join === undefined || state.joins.some((one) => one.id === join && isMemberOf(one, job.id))) &&
    (after === undefined || job.after.some((one) => one.id === after)) &&
    (before === undefined || cameBefore(state, job, before));
  return state.jobs.filter(matches).toSorted((a, b) => a.seq - b.seq);
}

/** A predecessor of the job `id`, or a member of a join that is one. */
function cameBefore(state: ModelState, job: ModelJob, id: string): boolean {
  const joins = state.joins.filter((join) => isMemberOf(join, job.id)).map((join) => join.id);
  return jobWithId(state, id)?.after.some((one) => one.id === job.id || joins.includes(one.id)) ?? false;
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
  if (answered === "waiting" && isOpened(state, job)) {
    unpark(job);
    job.state = "blocked";
    return "waiting";
  }
  if (job.state === "ready" || job.state === "blocked") return "waiting";
  if (job.state !== "dead" && isEnded(job.state)) return "ended";
  if (job.state === "dead" && isTaken(state, job, answered)) return "taken";
  const was = job.state;
  beginAnew(job);
  if (was === "scheduled") {
    job.dueAt = now;
    beReady(job, now);
  } else if (was === "dead") {
    enterLane(state, job, now);
  } else {
    redrive(state, job, now);
  }
  return "retried";
}

/** Parked still, but its lane was opened by another member: whether it waits again at once or after the next tidy is free. */
function isOpened(state: ModelState, job: ModelJob): boolean {
  return job.state === "parked" && job.lane?.ifDead === "park" && !isClosed(state, job.lane.key);
}

function redrive(state: ModelState, job: ModelJob, now: Instant): void {
  job.state = "blocked";
  if (job.lane?.ifDead === "park") return openLane(state, job.lane.key, now);
  // It runs first, whoever else is parked before it: its death left its place free. Those that ran in a row behind it go back behind it.
  const { key = "", width = 1 } = job.lane ?? {};
  if (membersOf(state, key).filter((member) => member.isAdmitted && !member.isFollower).length < width) {
    job.isAdmitted = true;
    beReady(job, now);
  }
  admit(state, key, now);
}

/** Of a key that gathers, one that runs or is full holds it for no newcomer: whether it counts here is free. */
function isTaken(state: ModelState, job: ModelJob, answered: ChangedJob["is"] | undefined): boolean {
  const live = state.jobs.filter((other) => other !== job && job.unique !== undefined && other.unique?.key === job.unique.key && isLive(other));
  if (job.unique?.mode.is === "gather" && answered === "retried") return false;
  return live.length > 0;
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
  forget(state, job, true);
  return "deleted";
}
