/** What an atom names that is not there, or takes no more: nothing of it can be stored then. */
import type { NewJob, NewJoin, NewWork } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { afterUnknown, joinClosed, joinIncomplete } from "../core/joining.ts";
import { firstOf } from "../core/refusals.ts";
import { isTaking } from "./join.ts";
import type { Store } from "./store.ts";

type Named = NewJob | NewJoin;

/** Looks through the works in their order: what stands earlier may be named. */
export function namingRefusal(store: Store, works: readonly NewWork[]): ErrandError | undefined {
  if (works.every(isPlain)) return undefined;
  const earlier = { job: new Set<string>(), join: new Set<string>() };
  return firstOf(works, (work) => {
    if (work.kind === "event") return undefined;
    const refusal = isKnown(store, work) ? undefined : (joinRefusal(store, work, earlier.join) ?? afterRefusal(store, work, earlier));
    earlier[work.kind].add(work.id);
    return refusal ?? (work.kind === "join" ? sizeRefusal(store, work, works) : undefined);
  });
}

/** The common case, without an allocation. */
function isPlain(work: NewWork): boolean {
  return work.kind === "event" || (work.kind === "job" && work.join === undefined && work.after === undefined);
}

/** The same again is the same, whatever became of what it named. But for a join that it was never given to: that must be known. */
function isKnown(store: Store, { kind, id, join }: Named): boolean {
  if (kind === "join") return store.joins.find(id) !== undefined;
  return store.jobs.has(id) && (join === undefined || store.joins.find(join) !== undefined);
}

function joinRefusal(store: Store, { kind, id, join: joinId }: Named, earlier: ReadonlySet<string>): ErrandError | undefined {
  if (joinId === undefined) return undefined;
  const join = store.joins.find(joinId);
  if (join) return isTaking(join) ? undefined : joinClosed(joinId);
  return earlier.has(joinId) ? undefined : afterUnknown(joinId, `${kind} ${id}`);
}

function afterRefusal(store: Store, work: Named, earlier: Record<"job" | "join", ReadonlySet<string>>): ErrandError | undefined {
  const unknown = work.after?.find(({ id }) => !(store.jobs.has(id) || store.joins.find(id) || earlier.job.has(id) || earlier.join.has(id)));
  return unknown && afterUnknown(unknown.id, `${work.kind} ${work.id}`);
}

/** Duplicates count: they were given too. */
function sizeRefusal(store: Store, { id, isSealed, size }: NewJoin, works: readonly NewWork[]): ErrandError | undefined {
  const known = store.joins.find(id);
  if (!isSealed || size === undefined || (known && (known.isSealed || !isTaking(known)))) return undefined;
  const given = (known?.given ?? 0) + works.filter((work) => work.kind !== "event" && work.join === id).length;
  return given < size ? joinIncomplete(id, given, size) : undefined;
}
