/** What `enqueue` does about joins: stores them, takes members, seals, and refuses what cannot be. */
import { ErrandError } from "../../src/core/errors.ts";
import { afterUnknown, joinClosed, joinIncomplete } from "../../src/core/joining.ts";
import type { Enqueued, NewJob, NewJoin } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import type { Storing } from "./enqueueing.ts";
import { addMember, isKnown, waitsFor } from "./joins.ts";
import { joinWithId, jobWithId } from "./state.ts";
import type { ModelJoin, ModelState } from "./state.ts";

export function storeJoin(state: ModelState, work: NewJoin, now: Instant, told: Storing): Enqueued {
  const same = joinWithId(state, work.id);
  if (same !== undefined) {
    if (same.content !== work.content) throw new ErrandError("id-conflict", work.id);
    return { id: same.id, isDuplicate: true };
  }
  enterJoin(state, work, now, told);
  state.joins.push({
    seq: ++state.seq,
    id: work.id,
    content: work.content,
    rememberMs: work.rememberMs,
    name: work.name,
    join: work.join,
    after: work.after ?? [],
    storedAt: now,
    touchedAt: now,
    isSealed: false,
    isOpen: false,
    isCancelled: false,
    cancelReason: undefined,
    isLeftOver: false,
    fate: undefined,
    closedAs: undefined,
    closedAt: undefined,
    members: [],
    given: 0,
  });
  return { id: work.id, isDuplicate: false };
}

/** At the end of its atom: what the atom adds to it was given before. Members that are known twice, or works sent again, may or may not count twice. */
export function seal(state: ModelState, work: NewJoin, told: Storing): void {
  const join = joinWithId(state, work.id);
  if (join === undefined || join.isSealed) return;
  const size = work.size ?? 0;
  const isShort = size > join.given || (size > join.members.length && told.refusal === "join-incomplete");
  if (isShort) throw joinIncomplete(work.id, join.given, size);
  join.isSealed = true;
}

/** `losers`: ids of the same atom that lost their unique key, to a job that may be gone. */
export function checkAfter(state: ModelState, work: NewJob | NewJoin, winners: ReadonlySet<string>): void {
  for (const { id } of work.after ?? []) if (!isKnown(state, id) && !winners.has(id)) throw afterUnknown(id, work.id);
}

/** A member that would wait for itself is refused where it names its own join or one around it; over whatever else, where the engine saw it. */
export function enterJoin(state: ModelState, work: NewJob | NewJoin, now: Instant, told: Storing): void {
  if (work.join === undefined) return;
  const join = joinWithId(state, work.join);
  if (join === undefined) throw afterUnknown(work.join, work.id);
  if (isShut(join)) throw joinClosed(join.id);
  const ahead = (work.after ?? []).filter(({ id }) => waitsFor(state, id, join));
  const around = joinsAround(state, join).map((one) => one.id);
  if (ahead.some(({ id }) => around.includes(id)) || (ahead.length > 0 && told.refusal === "graph-cycle")) throw new ErrandError("graph-cycle", work.id);
  take(join, now);
  addMember(join, work.id);
}

/**
 * The job that stands becomes a member as well, where the join takes any, unless it would wait for itself.
 * Whether a loser whose own id is unknown is refused by a join that takes none is free.
 */
export function adopt(state: ModelState, work: NewJob, standing: string, now: Instant, told: Storing): void {
  if (work.join === undefined) return;
  const join = joinWithId(state, work.join);
  if (join === undefined) throw afterUnknown(work.join, work.id);
  const isAhead = work.after?.some(({ id }) => waitsFor(state, id, join)) ?? false;
  // Of a known id nothing has to be looked at; of one that came earlier in this atom it may be.
  const isNew = standing !== work.id || jobWithId(state, standing)?.enqueuedAt === now;
  if (isNew && isAhead && told.refusal === "graph-cycle") throw new ErrandError("graph-cycle", work.id);
  if (isShut(join)) {
    if (standing !== work.id && told.refusal === "join-closed") throw joinClosed(join.id);
    return;
  }
  take(join, now);
  if (jobWithId(state, standing) !== undefined && !waitsFor(state, standing, join)) addMember(join, standing);
}

function joinsAround(state: ModelState, join: ModelJoin): ModelJoin[] {
  const parent = joinWithId(state, join.join);
  return parent === undefined ? [join] : [join, ...joinsAround(state, parent)];
}

function take(join: ModelJoin, now: Instant): void {
  if (!join.isSealed) join.given += 1;
  join.touchedAt = now;
}

/** Takes no members: closed, cancelled, or its members end without a start. */
export function isShut(join: ModelJoin): boolean {
  return join.closedAs !== undefined || join.isCancelled || join.fate !== undefined;
}
