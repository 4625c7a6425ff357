/** Gives room of limits by key: always to the most urgent of those that are first in their lines (G9). */
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { byUrgency, isLate } from "./job.ts";
import type { Job } from "./job.ts";
import type { Limit } from "./keyLimit.ts";
import { skipLate } from "./life.ts";
import type { Store } from "./store.ts";

interface Asking {
  readonly job: Job;
  readonly limit: Limit;
}

/** Answers how many were given room; those beyond `limit` are left to tidy. */
export function giveRoom(store: Store, limit: number, now: Instant): number {
  const { marked } = store.limits;
  if (marked.size === 0) return 0;
  const asking = new Heap<Asking>((a, b) => byUrgency(a.job, b.job));
  let given = 0;
  for (;;) {
    for (const line of marked) ask(asking, line);
    const seen = [...marked];
    marked.clear();
    const next = asking.first();
    for (const line of seen) store.limits.settle(line, now);
    if (next === undefined) return given;
    asking.remove(next);
    if (given >= limit) {
      marked.add(next.limit);
      for (const { limit: line } of asking) marked.add(line);
      return given;
    }
    if (next.limit.line.first() !== next.job) ask(asking, next.limit);
    else if (next.limit.hasRoomFor(next.job, now)) given += pass(store, next.job, now);
  }
}

function ask(asking: Heap<Asking>, limit: Limit): void {
  const job = limit.line.first();
  if (job) asking.push({ job, limit });
}

/** To the line of the first limit that has no room, or through. Either way both lines are looked at again. */
function pass(store: Store, job: Job, now: Instant): number {
  const { limits } = store;
  const stop = job.keyLimits.map(({ key }) => limits.of(key)).find((limit) => !limit.hasRoomFor(job, now));
  if (stop) {
    limits.moveTo(job, stop);
    return 0;
  }
  if (isLate(job, now)) skipLate(store, job, now);
  else {
    // One that had to wait takes its place among the ready ones as of now, so that many keys take turns.
    if (job.since < now) job.urgency = now - job.headStartMs;
    store.move(job, "ready", now);
  }
  return 1;
}
