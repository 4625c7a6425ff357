/** What an atom names that is not there, or takes no more: nothing of it can be stored then. */
import type { NewJob, NewJoin, NewWork } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { afterItself, afterUnknown, joinClosed, joinIncomplete } from "../core/joining.ts";
import { firstOf } from "../core/refusals.ts";
import { isTaking } from "./join.ts";
import { repeatsIn } from "./repeats.ts";
import type { Store } from "./store.ts";

type Named = NewJob | NewJoin;

/** What stands earlier in the atom: ids of jobs, and of joins with the join around each. */
interface Earlier {
  readonly job: Set<string>;
  readonly join: Map<string, string | undefined>;
}

/** Looks through the works in their order: what stands earlier may be named. */
export function namingRefusal(store: Store, works: readonly NewWork[]): ErrandError | undefined {
  if (works.every(isPlain)) return undefined;
  const earlier: Earlier = { job: new Set(), join: new Map() };
  const repeats = repeatsIn(store, works);
  return firstOf(works, (work) => {
    if (work.kind === "event") return undefined;
    const refusal = repeats.has(work) ? undefined : refusalOfOne(store, work, earlier);
    if (work.kind === "job") earlier.job.add(work.id);
    else earlier.join.set(work.id, work.join);
    return refusal ?? (work.kind === "join" ? sizeRefusal(store, work, works) : undefined);
  });
}

/** The common case, without an allocation. */
function isPlain(work: NewWork): boolean {
  return work.kind === "event" || (work.kind === "job" && work.join === undefined && work.after === undefined);
}

/** The same again is the same, whatever became of what it named. But a job may be given to a join that it was never given to: that must be known. */
function refusalOfOne(store: Store, work: Named, earlier: Earlier): ErrandError | undefined {
  const isKnown = work.kind === "job" ? store.jobs.has(work.id) : store.joins.find(work.id) !== undefined;
  if (isKnown) return work.kind === "job" ? unknownJoin(store, work, earlier) : undefined;
  return unknownJoin(store, work, earlier) ?? closedJoin(store, work) ?? unknownAfter(store, work, earlier) ?? circle(store, work, earlier);
}

function unknownJoin(store: Store, { kind, id, join }: Named, earlier: Earlier): ErrandError | undefined {
  if (join === undefined || store.joins.find(join) || earlier.join.has(join)) return undefined;
  return afterUnknown(join, `${kind} ${id}`);
}

function closedJoin(store: Store, { join: joinId }: Named): ErrandError | undefined {
  const join = joinId === undefined ? undefined : store.joins.find(joinId);
  return join === undefined || isTaking(join) ? undefined : joinClosed(join.id);
}

function unknownAfter(store: Store, { kind, id, after }: Named, earlier: Earlier): ErrandError | undefined {
  const unknown = after?.find((before) => {
    const isEarlier = earlier.job.has(before.id) || earlier.join.has(before.id);
    return !isEarlier && !store.jobs.has(before.id) && store.joins.find(before.id) === undefined;
  });
  return unknown && afterUnknown(unknown.id, `${kind} ${id}`);
}

/** A member that comes after its own join, or after one around it, would wait for itself. */
function circle(store: Store, { kind, id, join, after }: Named, earlier: Earlier): ErrandError | undefined {
  if (after === undefined) return undefined;
  for (let around = join; around !== undefined;) {
    const current = around;
    if (after.some((before) => before.id === current)) return afterItself(`${kind} ${id}`, current);
    const stored = store.joins.find(current);
    around = stored ? stored.parent?.id : earlier.join.get(current);
  }
  return undefined;
}

/** Duplicates count: they were given too. */
function sizeRefusal(store: Store, { id, isSealed, size }: NewJoin, works: readonly NewWork[]): ErrandError | undefined {
  const known = store.joins.find(id);
  if (!isSealed || size === undefined || (known && (known.isSealed || !isTaking(known)))) return undefined;
  const given = (known?.given ?? 0) + works.filter((work) => work.kind !== "event" && work.join === id).length;
  return given < size ? joinIncomplete(id, given, size) : undefined;
}
