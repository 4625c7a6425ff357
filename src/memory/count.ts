/** How many jobs in each (queue, task, state): counters kept with each line, never a walk over jobs. */
import type { CountRow } from "../core/engine.ts";
import type { Store } from "./store.ts";

export function count(store: Store): CountRow[] {
  return [...store.lines.all()].flatMap(({ queue, task, counts }) => [...counts].map(([state, jobs]) => ({ queue, task, state, jobs })));
}
