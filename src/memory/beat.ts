/** Renews all that a process holds, in one write, and tells it what it must know. */
import type { Heard } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { Store } from "./store.ts";

const cancelledMax = 1_000;

/** A process that is not known holds nothing, so it lost nothing; one that holds nothing has no lease to renew. */
export function beat(store: Store, id: string, leaseMs: Ms, now: Instant): Heard {
  const process = store.processes.find(id);
  const isLost = process?.isLost ?? false;
  if (process && !isLost && (process.running.size > 0 || store.locks.isAsking(id))) store.processes.leaseUntil(process, now + leaseMs);
  const cancelled = isLost ? [] : [...(process?.running ?? [])].filter((job) => job.lease?.isCancelling).slice(0, cancelledMax);
  return { now, isLost, cancelled: cancelled.map((job) => job.id), notesVersion: store.notes.version, era: store.era };
}
