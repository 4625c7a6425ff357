/** Works of an atom that is stored again, whose join has ended meanwhile: they would be new now, and are duplicates all the same. */
import type { NewWork } from "../core/engine.ts";
import { isTaking } from "./join.ts";
import type { Store } from "./store.ts";

const none: ReadonlySet<NewWork> = new Set();

export function repeatsIn(store: Store, works: readonly NewWork[]): ReadonlySet<NewWork> {
  const ended = new Set(works.flatMap(({ kind, id }) => (kind === "join" && hasEnded(store, id) ? id : [])));
  if (ended.size === 0) return none;
  const repeats = new Set<NewWork>();
  for (const work of works) {
    if (work.kind === "event" || work.join === undefined || !ended.has(work.join) || isStored(store, work)) continue;
    repeats.add(work);
    // What is in a join that would be new is a repeat too.
    if (work.kind === "join") ended.add(work.id);
  }
  return repeats;
}

function hasEnded({ joins }: Store, id: string): boolean {
  const join = joins.find(id);
  return join !== undefined && !isTaking(join);
}

function isStored({ jobs, joins }: Store, { kind, id }: NewWork): boolean {
  return kind === "job" ? jobs.has(id) : joins.find(id) !== undefined;
}
