/** Hands out the most urgent ready jobs of the asked lines. Costs O(lines + jobs), whatever waits behind closed lines. */
import { tidyMax } from "../core/defaults.ts";
import type { Claim, Claimed, ClaimedJob } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { aftermath } from "./aftermath.ts";
import { promote, skipLateOnes } from "./due.ts";
import { HandingOut } from "./handOut.ts";
import type { Job } from "./job.ts";
import { settleEach, withStates } from "./settle.ts";
import type { Store } from "./store.ts";

export function claim(store: Store, wanted: Claim, now: Instant): Claimed {
  const written = settleEach(store, wanted.settling, now);
  // Late ones first, so that none of them asks for room.
  skipLateOnes(store, tidyMax, now);
  promote(store, tidyMax, now);
  store.limits.expire(tidyMax, now);
  aftermath(store, now);
  const settled = withStates(store, written);
  const fence = store.nextFence(wanted.lastFence, now);
  const out = new HandingOut(store, wanted, fence, now);
  const jobs = out.run().map(claimedJob);
  // Starts that count from now on move the time of the next room.
  aftermath(store, now);
  const nextAt = Math.min(store.scheduled.first()?.dueAt ?? Infinity, store.limits.nextFree() ?? Infinity, out.nextFree());
  return { now, fence, jobs, settled, hasSuspects: out.hasSuspects, ...(nextAt < Infinity && { nextDueMs: Math.max(0, nextAt - now) }) };
}

function claimedJob(job: Job): ClaimedJob {
  return {
    id: job.id,
    task: job.line.task,
    queue: job.line.queue,
    payload: job.payload,
    attempt: job.attempts + 1,
    starts: job.starts,
    suspects: job.suspects,
    enqueuedAt: job.enqueuedAt,
    dueAt: job.dueAt,
    isOrdered: job.lane !== undefined,
    ...(job.lane?.width === 1 && { lane: job.lane.key }),
    ...(job.join && { join: job.join.id }),
    ...(job.after.length > 0 && { isAfter: true }),
    ...(job.checkpoint !== undefined && { checkpoint: job.checkpoint }),
    ...(job.expecting !== undefined && { expecting: job.expecting }),
    ...(job.version !== undefined && { version: job.version }),
    ...(job.from && { from: job.from }),
    ...(job.slotAt !== undefined && { slotAt: job.slotAt }),
  };
}
