/** Jobs that run from the start, for the process that enqueues them. */
import type { NewWork } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import type { Accepted } from "./accept.ts";
import { isLate } from "./job.ts";
import type { Job } from "./job.ts";
import { start } from "./start.ts";
import type { Store } from "./store.ts";

type Lease = NonNullable<Extract<NewWork, { kind: "job" }>["lease"]>;

/** Answers the fences of those that were, by their place in the atom. `leased` counts them by task, for the whole call. */
export function leaseBorn(
  store: Store,
  works: readonly NewWork[],
  accepted: readonly Accepted[],
  leased: Map<string, number>,
  now: Instant,
): ReadonlyMap<number, number> | undefined {
  let fences: Map<number, number> | undefined;
  for (const [index, work] of works.entries()) {
    if (work.kind !== "job" || work.lease === undefined) continue;
    const { job, isDuplicate } = accepted[index] ?? {};
    if (job === undefined || isDuplicate || !mayRun(store, job, work.lease, leased.get(work.task) ?? 0, now)) continue;
    const { lastFence, terms, ...hands } = work.lease;
    const fence = store.nextFence(lastFence, now);
    start(store, job, { ...hands, fence, isAlone: false }, terms, false, now);
    leased.set(work.task, (leased.get(work.task) ?? 0) + 1);
    fences ??= new Map();
    fences.set(index, fence);
  }
  return fences;
}

function mayRun(store: Store, job: Job, { process, terms }: Lease, leased: number, now: Instant): boolean {
  if (job.state !== "ready" || isLate(job, now) || store.processes.find(process)?.isLost) return false;
  if (store.notes.read(pausedQueue(job.line.queue)) || store.notes.read(pausedTask(job.line.task))) return false;
  return terms === undefined || (leased < (terms.most ?? Number.POSITIVE_INFINITY) && store.gates.hasRoom(terms, now));
}
