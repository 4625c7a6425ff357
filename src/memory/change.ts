/** Changes jobs that a person or a program selected. */
import { changeMax, tidyMax } from "../core/defaults.ts";
import type { Change, Changed, ChangedJob, JobFilter, Selection } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { isEnded } from "../core/states.ts";
import { aftermath } from "./aftermath.ts";
import { matches } from "./filter.ts";
import type { Job } from "./job.ts";
import type { Lane } from "./lane.ts";
import { admitNext, sortLane } from "./lanePasses.ts";
import { cancelJoins, leaveToCancel, membersOf } from "./joinTree.ts";
import { beginAnew, cancel, comeDue, wait } from "./life.ts";
import type { Store } from "./store.ts";

type Answer = ChangedJob["is"];

export function change(store: Store, which: Selection, asked: Change, limit: number, now: Instant): Changed {
  const most = Math.min(limit, changeMax);
  if ("join" in which && asked.do === "cancel") cancelJoins(store, which.join, asked.reason);
  const selected = "ids" in which ? which.ids.slice(0, most + 1) : select(store, which, asked, most + 1);
  const jobs = selected.slice(0, most).map((id) => {
    const job = store.jobs.get(id);
    return { id, is: job === undefined ? ("unknown" as const) : changeOne(store, job, asked, most, now) };
  });
  const hasMore = selected.length > most;
  if ("join" in which && asked.do === "cancel") leaveToCancel(store, which.join, hasMore);
  aftermath(store, now);
  return { jobs, hasMore };
}

/** Only jobs that the change does something to, so that calling again goes on and comes to an end. */
function select(store: Store, which: Exclude<Selection, { ids: unknown }>, asked: Change, limit: number): string[] {
  const ids: string[] = [];
  for (const job of "join" in which ? membersOf(store, which.join) : matching(store, which.jobs)) {
    if (ids.length === limit) break;
    if (doesSomething(store, job, asked)) ids.push(job.id);
  }
  return ids;
}

function* matching(store: Store, where: JobFilter): Generator<Job> {
  for (const job of store.jobsInOrder.after(0)) if (matches(store, job, where)) yield job;
}

function doesSomething(store: Store, job: Job, asked: Change): boolean {
  switch (asked.do) {
    case "cancel":
      return !isEnded(job.state) && job.lease?.isCancelling !== true;
    case "retry":
      return retryOf(store, job) === "retried";
    case "prioritise":
      return isWaiting(job) && (job.headStartMs !== asked.headStartMs || job.urgency !== job.dueAt - asked.headStartMs);
    case "delete":
      return isEnded(job.state);
  }
}

function changeOne(store: Store, job: Job, asked: Change, limit: number, now: Instant): Answer {
  switch (asked.do) {
    case "cancel":
      return isEnded(job.state) ? "ended" : cancel(store, job, asked.reason, now);
    case "retry":
      return retry(store, job, limit, now);
    case "prioritise":
      return prioritise(store, job, asked.headStartMs, now);
    case "delete":
      return remove(store, job);
  }
}

function retry(store: Store, job: Job, limit: number, now: Instant): Answer {
  const answer = retryOf(store, job);
  if (answer !== "retried") return answer;
  beginAnew(job);
  if (job.state === "parked") redriveParked(store, job, limit, now);
  else if (job.state === "dead") redriveDead(store, job, now);
  else hasten(store, job, now);
  return "retried";
}

function retryOf(store: Store, job: Job): Answer {
  if (job.state === "running") return "running";
  if (job.state === "ready" || job.state === "blocked") return "waiting";
  if (job.state === "scheduled") return "retried";
  if (job.state === "parked") return isOpening(store, job) ? "waiting" : "retried";
  if (job.state !== "dead") return "ended";
  return job.uniqueKey !== undefined && store.uniques.isHeld(job.uniqueKey) ? "taken" : "retried";
}

/** Still parked, but its lane was opened: tidy sorts it back. */
function isOpening(store: Store, job: Job): boolean {
  const lane = store.lanes.laneOf(job);
  return lane !== undefined && lane.closed === undefined && !lane.isHeldBy(job);
}

/** One that held its lane runs first. One of a closed lane opens it, and all members run in their order. */
function redriveParked(store: Store, job: Job, limit: number, now: Instant): void {
  const lane = store.lanes.laneOf(job);
  if (lane?.isHeldBy(job)) {
    redriveHead(store, lane, job, now);
    store.lanes.toAdmit.add(lane);
  }
  if (lane?.closed === undefined) return;
  lane.closed = undefined;
  store.lanes.toAdmit.add(lane);
  store.lanes.toSort.add(lane);
  admitNext(store, tidyMax, now);
  sortLane(store, lane, limit, now);
}

/** One that died in a row, behind another that lives, goes back behind it. */
function redriveHead(store: Store, lane: Lane, job: Job, now: Instant): void {
  if (lane.isFollowing(job)) {
    lane.block(job);
    store.move(job, "blocked", now);
    return;
  }
  lane.admit(job);
  wait(store, job, now);
}

/** It takes its old place in its lane again. */
function redriveDead(store: Store, job: Job, now: Instant): void {
  const lane = job.lane && store.lanes.of(job.lane.key);
  const place = lane?.arrive(job) ?? "admitted";
  if (place === "admitted") wait(store, job, now);
  else store.move(job, place, now);
}

function hasten(store: Store, job: Job, now: Instant): void {
  job.dueAt = now;
  comeDue(store, job, now);
}

function prioritise(store: Store, job: Job, headStartMs: number, now: Instant): Answer {
  if (isEnded(job.state)) return "ended";
  if (!isWaiting(job)) return "running";
  const limit = job.limitedBy;
  store.limits.leave(job);
  job.headStartMs = headStartMs;
  job.urgency = job.dueAt - headStartMs;
  if (limit) store.limits.moveTo(job, limit);
  if (job.state === "ready") store.move(job, "ready", now);
  return "prioritised";
}

function isWaiting(job: Job): boolean {
  return !isEnded(job.state) && job.state !== "running";
}

function remove(store: Store, job: Job): Answer {
  if (!isEnded(job.state)) return "live";
  store.remove(job);
  return "deleted";
}
