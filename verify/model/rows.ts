/** The rows that the port must show. */
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";
import type { JobRow, JoinRow, Waits } from "../../src/core/engine.ts";
import { countsOf, endedOf } from "./joins.ts";
import { isLive, joinsOf, joinWithId, processNamed } from "./state.ts";
import type { ModelClaim, ModelJob, ModelJoin, ModelState } from "./state.ts";

export function rowOf(job: ModelJob, state: ModelState): JobRow {
  const joins = joinsOf(state, job).map((join) => join.id);
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
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
    ...(job.startBy !== undefined && { startBy: job.startBy }),
    ...(job.lane && { lane: job.lane.key, ifDead: job.lane.ifDead }),
    ...(job.unique && { unique: job.unique.key }),
    ...(job.keyLimits.length > 0 && { keyLimits: job.keyLimits }),
    ...(joins.length > 0 && { joins }),
    ...(job.after.length > 0 && { after: job.after }),
    ...(isLive(job) && job.state !== "running" && { waits: waitsOf(job, state) }),
    ...(job.claim && { claim: claimOf(job, job.claim, state) }),
    ...(job.reason !== undefined && { reason: job.reason }),
    ...(job.endedAt !== undefined && { endedAt: job.endedAt }),
    ...(job.isPoison && { isPoison: true }),
    ...(job.checkpoint !== undefined && { checkpoint: job.checkpoint }),
    ...(job.expecting !== undefined && { expecting: job.expecting }),
    ...(job.result !== undefined && { result: job.result }),
    ...(job.version !== undefined && { version: job.version }),
    ...(job.from && { from: job.from }),
    ...(job.slotAt !== undefined && { slotAt: job.slotAt }),
  };
}

export function joinRowOf(join: ModelJoin, state: ModelState): JoinRow {
  return {
    id: join.id,
    name: join.name,
    state: stateOf(join),
    isCancelled: join.isCancelled,
    ...countsOf(state, join),
    storedAt: join.storedAt,
    ...(join.closedAt !== undefined && { closedAt: join.closedAt }),
    ...(join.join !== undefined && { join: join.join }),
    ...(join.after.length > 0 && { after: join.after }),
  };
}

function stateOf(join: ModelJoin): JoinRow["state"] {
  if (join.closedAs !== undefined) return "closed";
  if (!join.isSealed) return "staged";
  return join.isOpen ? "open" : "waiting";
}

function claimOf(job: ModelJob, claim: ModelClaim, state: ModelState): NonNullable<JobRow["claim"]> {
  const { gates: _, needs: __, ...shown } = claim;
  const leaseUntil = processNamed(state, claim.process)?.leaseUntil ?? 0;
  return { ...shown, leaseUntil, isCancelling: job.cancelReason !== undefined };
}

function waitsOf(job: ModelJob, state: ModelState): Waits {
  const since = job.enqueuedAt;
  if (job.state === "scheduled") return { reason: job.delayedBy, on: String(job.dueAt), since };
  if (job.state === "blocked") return { ...blockOf(job, state), since };
  if (job.state === "parked") return { reason: "parked", on: job.lane?.key ?? "", since };
  return { reason: job.suspects >= suspectsBeforeAlone ? "alone" : "worker", on: job.queue, since };
}

function blockOf(job: ModelJob, state: ModelState): Pick<Waits, "reason" | "on"> {
  if (job.isHeld && joinWithId(state, job.join)?.isOpen === false) return { reason: "join", on: job.join ?? "" };
  if (job.isHeld) return { reason: "after", on: (job.after.find(({ id }) => endedOf(state, id) === undefined) ?? job.after[0])?.id ?? "" };
  return job.asks === undefined ? { reason: "key", on: job.lane?.key ?? "" } : { reason: "limit", on: job.line ?? job.keyLimits[0]?.key ?? "" };
}
