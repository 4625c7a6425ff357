/** What a join and what comes after something is waiting for (G11): read from the states that stand, never counted along. */
import { answerTo, endedAs, jobBefore, joinBefore, unmetReason } from "../../src/core/joining.ts";
import type { Ended } from "../../src/core/joining.ts";
import type { After, JoinRow } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isLive, jobWithId, joinWithId } from "./state.ts";
import type { Fate, ModelJob, ModelJoin, ModelState } from "./state.ts";

/** How a job or a join has ended; of one that is gone, how it counts. One that was never stored (the deleted winner of a throttled key) keeps nobody waiting. */
export function endedOf(state: ModelState, id: string): Ended {
  const job = jobWithId(state, id);
  if (job !== undefined) return endedAs(job.state);
  const join = joinWithId(state, id);
  return join === undefined ? (state.gone.find((one) => one.id === id)?.ended ?? "well") : join.closedAs;
}

export function isKnown(state: ModelState, id: string): boolean {
  return jobWithId(state, id) !== undefined || joinWithId(state, id) !== undefined;
}

export function isMet(state: ModelState, after: readonly After[]): boolean {
  return after.every((one) => answerOf(state, one) === "met");
}

/** Undefined: it has not ended. What was deleted or was never stored is met. */
function answerOf(state: ModelState, { id, when }: After): ReturnType<typeof answerTo> | undefined {
  const gone = state.gone.findLast((one) => one.id === id);
  if (!isKnown(state, id) && (gone === undefined || gone.isDeleted)) return "met";
  const ended = endedOf(state, id);
  return ended && answerTo(when, ended);
}

/** How one ends that asked otherwise than one of its predecessors ended. */
export function unmetOf(state: ModelState, after: readonly After[]): Fate | undefined {
  for (const one of after) {
    const as = answerOf(state, one);
    if (as !== undefined && as !== "met") return { as, reason: unmetReason(as, told(state, one.id)) };
  }
  return undefined;
}

/** Members: those that have ended count as they ended, for as long as the join has not closed by their states of now. */
export function countsOf(state: ModelState, join: ModelJoin): Pick<JoinRow, "members" | "live" | "succeeded" | "failed"> {
  const all = join.members.map((member) => member.ended ?? endedOf(state, member.id));
  const count = (as: Ended): number => all.filter((ended) => ended === as).length;
  return { members: all.length, live: count(undefined), succeeded: count("well"), failed: count("badly") };
}

/** One that waits for its sealing, its own predecessors or its parent is not open; a cancelled one never opens. */
export function canOpen(state: ModelState, join: ModelJoin): boolean {
  if (!join.isSealed || join.isOpen || join.isCancelled || join.fate || join.closedAs) return false;
  const parent = joinWithId(state, join.join);
  return isMet(state, join.after) && (parent === undefined || parent.isOpen);
}

export function canClose(state: ModelState, join: ModelJoin): boolean {
  if (join.closedAs !== undefined || countsOf(state, join).live > 0) return false;
  return join.isOpen || join.isCancelled || join.fate !== undefined;
}

export function close(state: ModelState, join: ModelJoin, now: Instant): void {
  join.closedAs = closingOf(state, join);
  join.closedAt = now;
  for (const member of join.members) {
    const ended = member.ended ?? endedOf(state, member.id);
    if (ended) member.ended = ended;
  }
}

/** A cancelled one has failed, even one without members; one whose own predecessors ended otherwise ends as they say, whatever members it had adopted did. */
function closingOf(state: ModelState, join: ModelJoin): "well" | "badly" {
  if (join.isCancelled) return "badly";
  if (join.fate) return join.fate.as === "cancelled" ? "badly" : "well";
  return countsOf(state, join).failed > 0 ? "badly" : "well";
}

/** Whether `id` cannot end, or a join not close, before `join` has closed. */
export function waitsFor(state: ModelState, id: string, join: ModelJoin): boolean {
  const seen = new Set<string>();
  const waits = (one: string): boolean => {
    if (one === join.id) return true;
    if (seen.has(one)) return false;
    seen.add(one);
    return aheadOf(state, one).some(waits);
  };
  return waits(id);
}

/** What a held job waits for: what it comes after, and what holds back the opening of its join. Of a join: its own opening and its members. */
function aheadOf(state: ModelState, id: string): string[] {
  const job = jobWithId(state, id);
  if (job !== undefined) return job.isHeld ? [...job.after.map((one) => one.id), ...openingOf(state, joinWithId(state, job.join))] : [];
  const join = joinWithId(state, id);
  return join === undefined || join.closedAs ? [] : [...openingOf(state, join), ...join.members.map((member) => member.id)];
}

function openingOf(state: ModelState, join: ModelJoin | undefined): string[] {
  if (join === undefined || join.isOpen || join.closedAs) return [];
  return [...join.after.map((one) => one.id), ...openingOf(state, joinWithId(state, join.join))];
}

/** A duplicate is a member as well; it goes on as it was. */
export function addMember(join: ModelJoin, id: string): void {
  if (!isMemberOf(join, id)) join.members.push({ id });
}

export function isMemberOf(join: ModelJoin, id: string): boolean {
  return join.members.some((member) => member.id === id);
}

/** An ended job is removed: as a member it goes on to count as it ended, and as a predecessor, unless somebody deleted it. */
export function forget(state: ModelState, job: ModelJob, isDeleted = false): void {
  const ended = endedAs(job.state);
  state.jobs = state.jobs.filter((other) => other !== job);
  if (ended === undefined) return;
  state.gone.push({ id: job.id, ended, is: jobBefore(job.id, job.state), isDeleted });
  for (const join of state.joins) for (const member of join.members) if (member.id === job.id) member.ended ??= ended;
}

/** A closed join is removed: in the join around it, and for what came after it, it goes on to count as it closed. */
export function forgetJoin(state: ModelState, join: ModelJoin): void {
  const ended = join.closedAs ?? "badly";
  state.joins = state.joins.filter((other) => other !== join);
  state.gone.push({ id: join.id, ended, is: joinBefore(join.name, join.id, ended) });
  for (const other of state.joins) for (const member of other.members) if (member.id === join.id) member.ended ??= ended;
}

/** The members that are jobs, those of the joins within it included. */
export function membersWithin(state: ModelState, join: ModelJoin): ModelJob[] {
  const ids = new Set(joinsWithin(state, join).flatMap((one) => one.members.map((member) => member.id)));
  return state.jobs.filter((job) => ids.has(job.id));
}

/** The join itself and all that are within it. */
export function joinsWithin(state: ModelState, join: ModelJoin): ModelJoin[] {
  return [join, ...state.joins.filter((one) => one.join === join.id).flatMap((one) => joinsWithin(state, one))];
}

/** Whether something that has not ended came after it, so that retention must keep it. */
export function isNamed(state: ModelState, id: string): boolean {
  const names = ({ after }: { readonly after: readonly After[] }): boolean => after.some((one) => one.id === id);
  return state.jobs.some((job) => isLive(job) && names(job)) || state.joins.some((join) => join.closedAs === undefined && names(join));
}

function told(state: ModelState, id: string): string {
  const job = jobWithId(state, id);
  if (job !== undefined) return jobBefore(id, job.state);
  const join = joinWithId(state, id);
  return join?.closedAs ? joinBefore(join.name, id, join.closedAs) : (state.gone.find((one) => one.id === id)?.is ?? id);
}
