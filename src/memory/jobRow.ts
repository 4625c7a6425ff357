/** A job as `find` answers it. */
import type { JobRow, Waits } from "../core/engine.ts";
import { suspectsBeforeAlone } from "../core/defaults.ts";
import { isEnded } from "../core/states.ts";
import { judge } from "./after.ts";
import type { Job } from "./job.ts";
import type { Store } from "./store.ts";

export function jobRow(store: Store, job: Job): JobRow {
  const waits = waitsOf(store, job);
  const claim = claimOf(job);
  return {
    id: job.id,
    task: job.line.task,
    queue: job.line.queue,
    state: job.state,
    payload: job.payload,
    headStartMs: job.headStartMs,
    urgency: job.urgency,
    enqueuedAt: job.enqueuedAt,
    dueAt: job.dueAt,
    attempts: job.attempts,
    starts: job.starts,
    suspects: job.suspects,
    history: job.history,
    ...(job.keyLimits.length > 0 && { keyLimits: job.keyLimits }),
    ...(job.joins.length > 0 && { joins: job.joins.map(({ id }) => id) }),
    ...(job.after.length > 0 && { after: job.after.map(({ id, when }) => ({ id, when })) }),
    ...(job.lane && { lane: job.lane.key, ifDead: job.lane.ifDead }),
    ...(waits && { waits }),
    ...(claim && { claim }),
    ...(job.isPoison && { isPoison: true }),
    ...present("startBy", job.startBy),
    ...present("unique", job.uniqueKey),
    ...(isEnded(job.state) && present("endedAt", job.endedAt)),
    ...present("reason", job.reason),
    ...present("checkpoint", job.checkpoint),
    ...present("expecting", job.expecting),
    ...present("result", job.result),
    ...present("version", job.version),
    ...present("from", job.from),
    ...present("slotAt", job.slotAt),
  };
}

function waitsOf(store: Store, job: Job): Waits | undefined {
  const { state, since } = job;
  const lane = job.lane?.key ?? "";
  if (state === "scheduled") return { reason: job.delayedBy, on: new Date(job.dueAt).toISOString(), since };
  if (state === "blocked") return { ...blockedBy(store, job), since };
  if (state === "parked") return { reason: "parked", on: lane, since };
  if (state !== "ready") return undefined;
  return { reason: job.suspects < suspectsBeforeAlone ? "worker" : "alone", on: job.line.queue, since };
}

function blockedBy(store: Store, job: Job): Pick<Waits, "reason" | "on"> {
  if (job.hold?.isByJoin) return { reason: "join", on: job.join?.id ?? "" };
  if (job.hold) {
    const verdict = judge(store, job.after);
    return { reason: "after", on: verdict.is === "open" ? verdict.on : (job.after[0]?.id ?? "") };
  }
  return job.limitedBy ? { reason: "limit", on: job.limitedBy.key } : { reason: "key", on: job.lane?.key ?? "" };
}

function claimOf({ lease }: Job): JobRow["claim"] {
  if (lease === undefined) return undefined;
  const { process, claim, fence, startedAt, isCancelling } = lease;
  return { process: process.id, claim, fence, startedAt, leaseUntil: process.leaseUntil, isCancelling };
}

function present<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}
