/** What has ended and is not needed any more (retention), and batches whose storing was given up. */
import { eventsKeptMs, joinsKeptMs, stagedKeptMs } from "../../src/core/defaults.ts";
import { jobBefore, joinBefore } from "../../src/core/joining.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { forget, forgetJoin, isNamed, joinsWithin } from "./joins.ts";
import { joinsOf } from "./state.ts";
import type { ModelEvent, ModelJob, ModelJoin, ModelState } from "./state.ts";

/** A member is kept from when its last join has closed; what a live job came after, as long as that lives. */
export function isForgotten(state: ModelState, job: ModelJob, now: Instant): boolean {
  const joins = joinsOf(state, job);
  if (!isEnded(job.state) || joins.some((join) => join.closedAt === undefined) || isNamed(state, job.id)) return false;
  const from = Math.max(job.endedAt ?? now, ...joins.map((join) => join.closedAt ?? now));
  return from + job.keep[job.state] <= now && job.enqueuedAt + job.rememberMs <= now;
}

export function isForgottenEvent(event: ModelEvent, now: Instant): boolean {
  return event.publishedAt + Math.max(eventsKeptMs, event.rememberMs) <= now;
}

export function isForgottenJoin(state: ModelState, join: ModelJoin, now: Instant): boolean {
  if (join.closedAt === undefined || join.closedAt + joinsKeptMs > now || join.storedAt + join.rememberMs > now) return false;
  const hasMember = state.jobs.some((job) => joinsOf(state, job).includes(join)) || state.joins.some((one) => one.join === join.id);
  return !hasMember && !isNamed(state, join.id);
}

/** Staged for an hour without an addition: it goes with its own members and the joins within it, and has failed for what comes after it or holds it. */
export function isAbandoned(join: ModelJoin, now: Instant): boolean {
  return !join.isSealed && join.closedAs === undefined && join.touchedAt + stagedKeptMs <= now;
}

export function removeStaged(state: ModelState, join: ModelJoin): void {
  const within = joinsWithin(state, join);
  const joins = within.map((one) => ({ id: one.id, is: joinBefore(one.name, one.id, "badly") }));
  const jobs = state.jobs.filter((job) => within.some((one) => one.id === job.join)).map((job) => ({ id: job.id, is: jobBefore(job.id, "cancelled") }));
  const gone = [...joins, ...jobs].map((one) => ({ ...one, ended: "badly" as const }));
  const isGone = ({ id }: { readonly id: string }): boolean => gone.some((one) => one.id === id);
  state.gone.push(...gone);
  state.jobs = state.jobs.filter((job) => !isGone(job));
  state.joins = state.joins.filter((one) => !isGone(one));
  for (const other of state.joins) for (const member of other.members) if (isGone(member)) member.ended = "badly";
}

/** What could go before this tidy must have gone; what came to it meanwhile goes now or in the next: `isPurged` tells. */
export function forgetAll(state: ModelState, now: Instant, due: ReadonlySet<string>, isPurged: (id: string) => boolean): void {
  const mayGo = ({ id }: { readonly id: string }): boolean => due.has(id) || isPurged(id);
  for (const join of state.joins.filter((one) => isAbandoned(one, now))) if (state.joins.includes(join)) removeStaged(state, join);
  for (const job of state.jobs.filter((one) => isForgotten(state, one, now) && mayGo(one))) forget(state, job);
  for (const join of state.joins.filter((one) => isForgottenJoin(state, one, now) && mayGo(one))) forgetJoin(state, join);
  state.events = state.events.filter((event) => !isForgottenEvent(event, now));
}

/** Jobs and joins that retention lets go now. What a join came after may stay as long as that. */
export function dueToGo(state: ModelState, now: Instant): ReadonlySet<string> {
  const isNamedByJoin = ({ id }: { readonly id: string }): boolean => state.joins.some((join) => join.after.some((one) => one.id === id));
  const jobs = state.jobs.filter((job) => isForgotten(state, job, now) && !isNamedByJoin(job));
  const joins = state.joins.filter((join) => isForgottenJoin(state, join, now) && !isNamedByJoin(join));
  return new Set([...jobs, ...joins].map(({ id }) => id));
}
