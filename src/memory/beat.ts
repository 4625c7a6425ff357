/** Renews all that a process holds, in one write, and tells it what it must know. */
import type { Heard } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { Process } from "./processes.ts";
import type { Store } from "./store.ts";

const cancelledMax = 1_000;

/** For a process that holds nothing it writes nothing. */
export function beat(store: Store, id: string, leaseMs: Ms, now: Instant): Heard {
  const process = store.processes.find(id);
  const isLost = process?.isLost === true;
  if (process && !isLost && isHolding(store, process)) store.processes.leaseUntil(process, now + leaseMs);
  const cancelled = isLost ? [] : [...(process?.running ?? [])].filter((job) => job.lease?.isCancelling).slice(0, cancelledMax);
  return { now, isLost, cancelled: cancelled.map((job) => job.id), notesVersion: store.notes.version, era: store.era };
}

function isHolding(store: Store, process: Process): boolean {
  return process.running.size > 0 || store.locks.hasTicketOf(process.id);
}
