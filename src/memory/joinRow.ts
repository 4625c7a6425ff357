/** Joins as `find` answers them. */
import type { JoinRow, Query } from "../core/engine.ts";
import type { Join } from "./join.ts";
import type { Store } from "./store.ts";

export function joinRow(join: Join): JoinRow {
  const { id, name, state, live, succeeded, failed, storedAt, closedAt, parent, after } = join;
  return {
    id,
    name,
    state,
    isCancelled: join.cancelled !== undefined,
    members: live + succeeded + failed,
    live,
    succeeded,
    failed,
    storedAt,
    ...(closedAt !== undefined && { closedAt }),
    ...(parent && { join: parent.id }),
    ...(after.length > 0 && { after: after.map((before) => ({ id: before.id, when: before.when })) }),
  };
}

/** By order of storing; unknown ids are left out. */
export function joinsByIds(store: Store, ids: readonly string[]): JoinRow[] {
  const found = new Set(ids.flatMap((id) => store.joins.find(id) ?? []));
  return [...found].toSorted((a, b) => a.seq - b.seq).map(joinRow);
}

/** Those within `parent`, or within none. */
export function* joinsWithin(store: Store, query: Extract<Query, { of: "joins"; limit: number }>): Generator<readonly [string, JoinRow]> {
  const { after, parent, newestFirst } = query;
  const inOrder = newestFirst ? store.joins.inOrder.before(after === undefined ? Infinity : Number(after)) : store.joins.inOrder.after(Number(after ?? 0));
  for (const join of inOrder) if (join.parent?.id === parent) yield [String(join.seq), joinRow(join)];
}
