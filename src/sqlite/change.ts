/** Changes jobs that a person or a program selected. */
import { changeMax, tidyMax } from "../core/defaults.ts";
import type { Change, Changed, ChangedJob, JobFilter, Selection } from "../core/engine.ts";
import { endedStates, isEnded, jobStates, liveStates } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { codeOf } from "./numbers.ts";
import { findJobs } from "./filter.ts";
import type { Condition } from "./filter.ts";
import { cancelLive } from "./cancel.ts";
import { findJob, flags, hasFlag } from "./job.ts";
import type { Job } from "./job.ts";
import type { Join } from "./join.ts";
import { cancelJoins, leaveToCancel, treeOf } from "./joinTree.ts";
import { standAnew } from "./keyLimit.ts";
import { arrive, closedBy, isAnyAdmittedBefore, isHeldBy, memberOf, open, places, put } from "./lane.ts";
import { admitMarked, sortLane } from "./lanePasses.ts";
import { anew, wait } from "./life.ts";
import { move, writeRow } from "./move.ts";
import { removeJob } from "./retention.ts";
import type { Transaction } from "./transaction.ts";
import { isKeyHeld } from "./unique.ts";

type Answer = ChangedJob["is"];

export function change(tx: Transaction, which: Selection, asked: Change, limit: number): Changed {
  const most = Math.min(limit, changeMax);
  const { ids, hasMore } = select(tx, which, asked, most);
  const jobs = ids.map((id) => {
    const job = findJob(tx, id);
    return { id, is: job === undefined ? ("unknown" as const) : changeOne(tx, job, asked, most) };
  });
  return { jobs, hasMore };
}

interface Selected {
  readonly ids: readonly string[];
  readonly hasMore: boolean;
}

function select(tx: Transaction, which: Selection, asked: Change, most: number): Selected {
  if ("ids" in which) return { ids: which.ids.slice(0, most), hasMore: which.ids.length > most };
  if ("jobs" in which) return selected(tx, which.jobs, asked, most);
  const joins = treeOf(tx, which.join);
  if (asked.do === "cancel") cancelJoins(tx, joins, asked.reason);
  const found = membersOf(tx, joins, asked, most);
  if (asked.do === "cancel") leaveToCancel(tx, joins, found.hasMore);
  return found;
}

/** Join by join in the order of storing, the members of each in theirs; a member of several once. */
function membersOf(tx: Transaction, joins: readonly Join[], asked: Change, most: number): Selected {
  const ids = new Set<string>();
  for (const { id } of joins) {
    const found = selected(tx, { join: id }, asked, most + 1);
    for (const member of found.ids) ids.add(member);
    if (ids.size > most || found.hasMore) break;
  }
  return { ids: [...ids].slice(0, most), hasMore: ids.size > most };
}

/** Only jobs that the change does something to, so that calling again goes on and comes to an end. */
function selected(tx: Transaction, where: JobFilter, asked: Change, limit: number): Selected {
  const states = (where.states ?? jobStates).filter((state) => changeable[asked.do].includes(state));
  const { records, next } = findJobs(tx, { ...where, states }, { after: undefined, limit, newestFirst: false, walkMax: -1 }, doesSomething(asked));
  return { ids: records.map(({ id }) => id), hasMore: next !== undefined };
}

const changeable: Readonly<Record<Change["do"], readonly JobState[]>> = {
  cancel: liveStates,
  retry: ["scheduled", "parked", "dead"],
  prioritise: ["scheduled", "blocked", "ready", "parked"],
  delete: endedStates,
};

/** Not one whose lane was opened already: tidy sorts it back. */
const isRetriable = `(j.state = ${codeOf("scheduled")}
  OR (j.state = ${codeOf("dead")} AND NOT EXISTS (SELECT 1 FROM errand_uniques u WHERE u.key = j.unique_key))
  OR (j.state = ${codeOf("parked")} AND (EXISTS (SELECT 1 FROM errand_lanes c WHERE c.lane = j.lane AND c.closed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM errand_members m WHERE m.lane = j.lane AND m.place = ${places.head} AND m.seq = j.seq))))`;

function doesSomething(asked: Change): Condition {
  switch (asked.do) {
    case "cancel":
      return { sql: "coalesce(r.is_cancelling, 0) = 0", values: [] };
    case "retry":
      return { sql: isRetriable, values: [] };
    case "prioritise":
      return { sql: "(j.head_start <> ? OR j.urgency <> j.due_at - ?)", values: [asked.headStartMs, asked.headStartMs] };
    case "delete":
      return { sql: "1", values: [] };
  }
}

function changeOne(tx: Transaction, job: Job, asked: Change, limit: number): Answer {
  switch (asked.do) {
    case "cancel":
      return cancelLive(tx, job, asked.reason);
    case "retry":
      return retry(tx, job, limit);
    case "prioritise":
      return prioritise(tx, job, asked.headStartMs);
    case "delete":
      return remove(tx, job);
  }
}

function retry(tx: Transaction, job: Job, limit: number): Answer {
  const answer = retryOf(tx, job);
  if (answer !== "retried") return answer;
  if (job.state === "parked") redriveParked(tx, job, limit);
  else if (job.state === "dead") redriveDead(tx, job);
  else move(tx, job, "ready", { ...anew(job), dueAt: tx.now });
  return "retried";
}

function retryOf(tx: Transaction, job: Job): Answer {
  if (job.state === "running") return "running";
  if (job.state === "ready" || job.state === "blocked") return "waiting";
  if (job.state === "scheduled") return "retried";
  if (job.state === "parked") return isOpening(tx, job) ? "waiting" : "retried";
  if (job.state !== "dead") return "ended";
  return job.uniqueKey !== null && isKeyHeld(tx, job.uniqueKey) ? "taken" : "retried";
}

/** Still parked, but its lane was opened: tidy sorts it back. */
function isOpening(tx: Transaction, job: Job): boolean {
  return job.lane !== null && closedBy(tx, job.lane) === undefined && !isHeldBy(tx, job);
}

/** One that held its lane runs first. One of a closed lane opens it, and all members run in their order. */
function redriveParked(tx: Transaction, job: Job, limit: number): void {
  if (job.lane === null) return;
  const isClosed = closedBy(tx, job.lane) !== undefined;
  if (isHeldBy(tx, job)) {
    redriveHead(tx, job.lane, job);
    // Those behind it in a wide lane were held up by it alone.
    tx.lanesToAdmit.add(job.lane);
  } else {
    Object.assign(job, anew(job));
    writeRow(tx, job, null);
  }
  if (!isClosed) return;
  open(tx, job.lane);
  admitMarked(tx);
  sortLane(tx, job.lane, false, Math.min(limit, tidyMax));
}

/** One that died in a row, behind another that is still at it, goes back behind that. */
function redriveHead(tx: Transaction, lane: string, job: Job): void {
  const isBehind = job.laneWidth === 1 && isAnyAdmittedBefore(tx, lane, job.seq);
  put(tx, lane, job.seq, isBehind ? places.blocked : places.admitted);
  if (isBehind) move(tx, job, "blocked", anew(job));
  else wait(tx, job, anew(job));
}

/** It takes its old place in its lane again. */
function redriveDead(tx: Transaction, job: Job): void {
  const place = job.lane === null ? "admitted" : arrive(tx, job.lane, memberOf(job));
  move(tx, job, place === "admitted" ? "ready" : place, anew(job));
}

function prioritise(tx: Transaction, job: Job, headStartMs: number): Answer {
  if (isEnded(job.state)) return "ended";
  if (job.state === "running") return "running";
  const change = { headStartMs, urgency: job.dueAt - headStartMs };
  if (job.state === "ready") move(tx, job, "ready", change);
  else {
    writeRow(tx, Object.assign(job, change), null);
    if (hasFlag(job, flags.isLimited)) standAnew(tx, job);
  }
  return "prioritised";
}

function remove(tx: Transaction, job: Job): Answer {
  if (!isEnded(job.state)) return "live";
  removeJob(tx, job);
  return "deleted";
}
