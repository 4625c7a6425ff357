/**
 * What the port leaves to an engine. Where an engine used a freedom, the model follows it; everything else must be equal.
 *
 *   lanes      those that wait in a closed lane are parked now or by a later pass of tidy; those parked in an opened one wait again now or later
 *   block      one that was let go into its lane behind a parked one that was enqueued after it may wait for that one or not
 *   claim      promotes what is due at least in the queues it is asked for, and skips what is too late at least where it would hand it out
 *   settle     a job handed back after its startBy is skipped at once, or by the next claim or tidy
 *   retention  a job that ended in the very pass of tidy may go in that pass or in the next
 *   history    a job that ended without having run (cancelled, too late) may have a row of it
 *   attempts   a cancelled run may count as an attempt
 *   leases     a claim or a lock request renews the lease of the process's or leaves it
 *   locks      tickets of a process whose lease is over may be dropped before tidy does; a free lock may be granted before it is asked for again
 */
import type { AttemptRow, JobRow } from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { endTooLate, isClosed, isTooLate, leaveLane, unpark } from "./lanes.ts";
import { canHold } from "./locking.ts";
import { must } from "./divergence.ts";
import type { ModelJob, ModelState } from "./state.ts";
import { isLive } from "./state.ts";
import { forget, forgetJoin, isKnown } from "./joins.ts";
import { isForgotten, isForgottenEvent, isForgottenJoin } from "./retention.ts";
import type { View } from "./view.ts";

export interface Step {
  readonly verb: string;
  readonly now: Instant;
  /** The process that may have renewed its lease. */
  readonly process?: string;
  readonly leaseMs?: Ms;
}

export function follow(state: ModelState, view: View, step: Step): void {
  followRetention(state, view, step);
  for (const job of state.jobs) {
    const row = view.byId.get(job.id);
    if (row !== undefined) followJob(state, job, row, step);
  }
  followLeases(state, view, step);
  followLocks(state, view);
}

function followRetention(state: ModelState, view: View, step: Step): void {
  if (step.verb !== "tidy") return;
  const eventIds = new Set(view.events.map((event) => event.id));
  const joinIds = new Set(view.joins.map((join) => join.id));
  let isLess = true;
  while (isLess) {
    const job = state.jobs.find((one) => !view.byId.has(one.id) && isForgotten(state, one, step.now));
    const join = state.joins.find((one) => !joinIds.has(one.id) && isForgottenJoin(state, one, step.now));
    if (job) forget(state, job);
    if (join) forgetJoin(state, join);
    isLess = job !== undefined || join !== undefined;
  }
  state.events = state.events.filter((event) => eventIds.has(event.id) || !isForgottenEvent(event, step.now));
}

function followJob(state: ModelState, job: ModelJob, row: JobRow, step: Step): void {
  if (job.after.some(({ id }) => isDeletedWinner(state, id)) && row.after?.length === job.after.length) job.after = row.after;
  if (job.asks !== undefined && row.waits?.reason === "limit") job.line = row.waits.on;
  if (row.state === "skipped" && isTooLate(job, step.now) && mayBeSkipped(job, step)) {
    endTooLate(job, step.now);
    leaveLane(state, job, step.now);
  }
  if (row.state !== job.state && mayBe(state, job, row, step)) {
    if (job.state === "parked") unpark(job);
    job.state = row.state;
    if (row.waits?.reason !== "limit") job.asks = undefined;
    if (row.state === "parked" || row.state === "blocked") job.isAdmitted = false;
  }
  if (job.state === "cancelled" && row.attempts === job.attempts + 1 && job.endedAt === step.now) job.attempts = row.attempts;
  if ((job.state === "cancelled" || job.state === "skipped") && job.endedAt === step.now) followHistory(job, row.history);
  if (job.lane && isClosed(state, job.lane.key) && isLive(job) && job.state !== "running") job.isAdmitted = false;
}

/** The winner of a throttled key that was deleted before: which id of the two is shown is free. */
function isDeletedWinner(state: ModelState, id: string): boolean {
  return !isKnown(state, id);
}

/** Too late in a lane that the same pass closed. */
function mayBeSkipped(job: ModelJob, step: Step): boolean {
  return step.verb === "tidy" && job.state === "parked" && !job.hasDied;
}

function mayBe(state: ModelState, job: ModelJob, row: JobRow, step: Step): boolean {
  if (step.verb === "claim" && job.state === "ready" && row.state === "scheduled") return job.dueAt <= step.now;
  if (job.lane === undefined || job.lane.ifDead !== "park" || step.verb === "tidy" || !isLive(job) || job.isAdmitted || job.state === "running") return false;
  if (isClosed(state, job.lane.key)) return ["parked", "blocked", "ready", "scheduled"].includes(row.state);
  return row.state === "parked" || row.state === "blocked";
}

function followHistory(job: ModelJob, rows: readonly AttemptRow[]): void {
  const last = rows.at(-1);
  if (last === undefined || job.history.at(-1)?.is === job.state || last.is !== job.state || last.at !== job.endedAt) return;
  job.history = [...job.history, last].slice(-10);
}

function followLeases(state: ModelState, view: View, step: Step): void {
  for (const row of view.processes) {
    const known = state.processes.find((process) => process.process === row.process);
    const isFree = step.process === row.process && (step.verb === "claim" || step.verb === "lock" || step.verb === "settle");
    if (known === undefined) {
      must(isFree, `process ${row.process} is known without having asked for anything`);
      state.processes.push({ process: row.process, leaseUntil: row.leaseUntil, isLost: false });
    } else if (isFree && row.leaseUntil <= step.now + (step.leaseMs ?? 0)) {
      known.leaseUntil = row.leaseUntil;
    }
  }
}

function followLocks(state: ModelState, view: View): void {
  for (const ticket of state.tickets) {
    const row = view.locks.find((lock) => lock.name === ticket.name && lock.ticket === ticket.ticket);
    if (row === undefined || !row.isGranted || ticket.isGranted) continue;
    const ahead = state.tickets.slice(0, state.tickets.indexOf(ticket)).filter((other) => other.name === ticket.name);
    if (!canHold(ticket, ahead)) continue;
    ticket.isGranted = true;
    ticket.fence = row.fence;
  }
}

/** Before a lock is asked for: what the engine has dropped with its process's lease. */
export function dropExpiredTickets(state: ModelState, view: View, now: Instant): void {
  const isOver = (process: string): boolean => (state.processes.find((known) => known.process === process)?.leaseUntil ?? 0) < now;
  const isShown = (name: string, ticket: string): boolean => view.locks.some((lock) => lock.name === name && lock.ticket === ticket);
  state.tickets = state.tickets.filter((ticket) => !isOver(ticket.process) || isShown(ticket.name, ticket.ticket));
}
