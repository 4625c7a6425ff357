/** How many runs there were at once, and how many began in any span of time: what limits are held to. */
import type { Instant, Ms } from "../core/runtime.ts";
import type { Run } from "./runs.ts";

/** `weight`: what a run counts for. A run whose process died ended with it: give the deaths by process. */
export function mostAtOnce(runs: readonly Run[], weight: (run: Run) => number = () => 1, deaths: ReadonlyMap<string, Instant> = new Map()): number {
  const changes = runs.flatMap((run) => [
    { at: run.startedAt, by: weight(run) },
    { at: run.endedAt ?? deaths.get(run.process) ?? Infinity, by: -weight(run) },
  ]);
  let now = 0;
  let most = 0;
  // An end and a start in one millisecond: the end was first.
  for (const { by } of changes.toSorted((a, b) => a.at - b.at || a.by - b.by)) most = Math.max(most, (now += by));
  return most;
}

export function mostStartsWithin(runs: readonly Run[], ms: Ms): number {
  const starts = runs.map((run) => run.startedAt).toSorted((a, b) => a - b);
  return Math.max(0, ...starts.map((at, index) => starts.slice(index).filter((other) => other < at + ms).length));
}
