/** Takes one job in: known by its id, lost to the holder of its unique key, or stored where it may go on from. */
import type { After, Enqueued, NewJob } from "../core/engine.ts";
import { comeAfter, verdictOnJob } from "./after.ts";
import type { Edge } from "./after.ts";
import { markFull, payloadWith } from "./gathering.ts";
import { codeIn, findJob, flags, hasFlag, remember } from "./job.ts";
import type { Job, Later } from "./job.ts";
import { nodeOf } from "./join.ts";
import type { Join } from "./join.ts";
import { arrive } from "./lane.ts";
import { adopt, enroll } from "./membership.ts";
import { enter, place } from "./move.ts";
import { extraOf, laterOf, newJob } from "./newJob.ts";
import type { Carried } from "./newJob.ts";
import type { Transaction } from "./transaction.ts";
import { holdKey, keepKeyUntil, winnerOf } from "./unique.ts";
import { yieldTo } from "./yieldTo.ts";

const addJob = `INSERT INTO errand_jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra,
  state, start_by, lane, lane_width, if_dead, unique_key, reason, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** By errand_jobs_id. */
const jobKnown = "SELECT 1 FROM errand_jobs WHERE id = ?";
/** By rowid. */
const idOf = "SELECT id FROM errand_jobs WHERE seq = ?";

/** By the id of each work of an atom that lost its unique key: who stands for it; 0: one that is gone. */
export type Losers = Map<string, number>;

export function acceptJob(tx: Transaction, work: NewJob, losers: Losers = new Map()): Enqueued {
  const known = tx.sql.value(jobKnown, work.id) !== undefined && findJob(tx, work.id);
  if (known) return stand(tx, known, work);
  const winner = winnerFor(tx, work);
  if (winner !== undefined) return lose(tx, work, winner, losers);
  const job = storeJob(tx, work, losers);
  return { id: job.id, isDuplicate: false, state: job.state };
}

/** It is there already: where it was given to a join, it is a member of that too. */
function stand(tx: Transaction, job: Job, work: NewJob): Enqueued {
  const own = ownOf(tx, work);
  if (own) adopt(tx, own, job);
  return { id: job.id, isDuplicate: true, state: job.state };
}

/** A gathering job that the newcomer does not fit into is full from here on. */
function winnerFor(tx: Transaction, work: NewJob): Job | string | undefined {
  if (work.unique === undefined) return undefined;
  for (;;) {
    const winner = winnerOf(tx, work.unique);
    if (work.unique.mode.is !== "gather" || winner === undefined || typeof winner === "string") return winner;
    if (payloadWith(tx, winner, work) !== undefined) return winner;
    markFull(tx, winner);
  }
}

function lose(tx: Transaction, work: NewJob, winner: Job | string, losers: Losers): Enqueued {
  const job = typeof winner === "string" ? findJob(tx, winner) : winner;
  losers.set(work.id, job?.seq ?? 0);
  if (typeof winner === "string") return job ? stand(tx, job, work) : { id: winner, isDuplicate: true };
  yieldTo(tx, winner, work);
  return stand(tx, winner, work);
}

function storeJob(tx: Transaction, work: NewJob, losers: Losers): Job {
  const own = ownOf(tx, work);
  const job = newJob(tx, work);
  const edges = edgesOf(tx, work.after, losers);
  if (edges.length > 0) comeAfter(tx, job.seq, edges);
  const verdict = verdictOnJob(tx, job, own);
  const later = verdict.is === "met" ? undefined : laterOf(work);
  if (verdict.is === "met") takePlace(tx, job, work);
  else hold(job, work, later);
  const isArriving = job.state === "ready" && hasFlag(job, flags.hasKeyLimits);
  if (isArriving) Object.assign(job, { state: "blocked", flags: job.flags | flags.isLimited });
  if (work.unique?.mode.is === "throttle") keepKeyUntil(tx, work.unique.key, job.id, tx.now + work.unique.mode.windowMs);
  insert(tx, job, work, extraOf(work, carriedBy(tx, work, edges, later)));
  holdKey(tx, job);
  enter(tx, job);
  if (isArriving) tx.keys.arrivals.add(job.seq);
  if (own) enroll(tx, own, job);
  if (verdict.is === "cancelled" || verdict.is === "skipped") endUnstarted(tx, job, verdict.is, verdict.reason);
  return job;
}

function ownOf(tx: Transaction, { join }: NewJob): Join | undefined {
  return join === undefined ? undefined : tx.joins.find(tx.sql, join);
}

function takePlace(tx: Transaction, job: Job, { lane }: NewJob): void {
  if (lane === undefined) return;
  const place = arrive(tx, lane.key, { seq: job.seq, width: lane.width });
  if (place !== "admitted") job.state = place;
}

/** Outside its lane and its key limits, until nothing holds it any more. */
function hold(job: Job, work: NewJob, later: Later | undefined): void {
  job.state = "blocked";
  job.startBy = work.startBy ?? null;
  job.flags |= flags.isHeld | (later ? flags.hasLater : 0);
  if (job.startBy === null) job.flags &= ~flags.hasStartBy;
}

/** What it comes after has ended otherwise than asked already. */
function endUnstarted(tx: Transaction, job: Job, state: "cancelled" | "skipped", reason: string): void {
  remember(job, { start: 0, is: state, at: tx.now, reason });
  place(tx, job, state, { reason });
}

function edgesOf(tx: Transaction, after: readonly After[] = [], losers: Losers): Edge[] {
  return after.map(({ id, when }) => ({ before: losers.get(id) ?? nodeOf(tx, id), when }));
}

function carriedBy(tx: Transaction, { keyLimits = [], after = [] }: NewJob, edges: readonly Edge[], later: Later | undefined): Carried | undefined {
  if (keyLimits.length + after.length === 0 && later === undefined) return undefined;
  return {
    ...(keyLimits.length > 0 && { keyLimits }),
    ...(after.length > 0 && { after: after.map(({ id, when }, at) => ({ id: tx.sql.value<string>(idOf, edges[at]?.before ?? 0) ?? id, when })) }),
    ...(later && { later }),
  };
}

function insert(tx: Transaction, job: Job, work: NewJob, extra: string | null): void {
  tx.sql.run(
    addJob,
    job.seq,
    job.id,
    job.line,
    job.keep,
    job.flags,
    work.payload,
    work.content,
    tx.now,
    job.urgency,
    job.headStartMs,
    job.dueAt,
    job.rememberUntil,
    extra,
    codeIn(job),
    job.startBy,
    job.lane,
    job.laneWidth,
    job.ifDead,
    job.uniqueKey,
    job.reason,
    tx.now,
  );
}
