/** Takes back what expired processes held: their jobs run again, as suspects (G13), and their locks are free. */
import { deathsAloneMax } from "../core/defaults.ts";
import type { Instant } from "../core/runtime.ts";
import { remember } from "./job.ts";
import type { Job } from "./job.ts";
import { attemptRow, die, end, wait } from "./life.ts";
import type { Process } from "./processes.ts";
import type { Store } from "./store.ts";

/** How long a lost process is known, so that it hears of it also when it was away for long. */
const lostKeptMs = 24 * 60 * 60 * 1_000;

const crashed = "its process was gone";

export interface Expired {
  takenBack: number;
  quarantined: number;
  hasMore: boolean;
}

/** Takes back at most `limit` jobs, of processes whose lease ended by `until`. */
export function expire(store: Store, limit: number, now: Instant, until: Instant): Expired {
  const expired: Expired = { takenBack: 0, quarantined: 0, hasMore: false };
  for (let process = store.processes.expired(until); process; process = store.processes.expired(until)) {
    const tickets = store.locks.dropAllOf(process.id);
    if (tickets > 0) store.wake();
    const held = process.running.size + tickets;
    if (held === 0) {
      store.processes.forget(process);
      continue;
    }
    process.isLost = true;
    takeBackAll(store, process, limit, expired, now);
    expired.hasMore = process.running.size > 0;
    if (expired.hasMore) break;
    store.processes.leaseUntil(process, now + lostKeptMs);
  }
  return expired;
}

function takeBackAll(store: Store, process: Process, limit: number, expired: Expired, now: Instant): void {
  for (const job of process.running) {
    if (expired.takenBack === limit) return;
    if (takeBack(store, job, now) === "quarantined") expired.quarantined += 1;
    expired.takenBack += 1;
  }
}

/** A crash costs no attempt, but a suspicion. One that dies alone again and again is the culprit. */
function takeBack(store: Store, job: Job, now: Instant): "ready" | "cancelled" | "quarantined" {
  if (job.lease?.isCancelling) {
    end(store, job, "cancelled", { reason: job.reason }, now);
    return "cancelled";
  }
  job.suspects += 1;
  if (job.lease?.isAlone) job.deathsAlone += 1;
  if (job.deathsAlone >= deathsAloneMax) {
    die(store, job, { reason: `quarantined: its process died ${job.deathsAlone} times while it ran alone`, isPoison: true }, now);
    return "quarantined";
  }
  remember(job, attemptRow(job, "crashed", { reason: crashed }, now));
  wait(store, job, now);
  return "ready";
}
