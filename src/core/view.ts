/** A stored job as callers see it. */
import type { After, AttemptRow, JobRow, Waits } from "./engine.ts";
import type { Instant } from "./runtime.ts";
import type { JobState } from "./states.ts";

export interface JobView {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  /** What the caller gave: the schema's input. Of a hop, the event's payload. */
  readonly input: unknown;
  readonly enqueuedAt: Date;
  readonly dueAt: Date;
  readonly startBy: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly attempts: number;
  readonly starts: number;
  readonly suspects: number;
  /** The key it is ordered by, and the key it is unique by. */
  readonly orderedBy: string | undefined;
  readonly uniqueBy: string | undefined;
  readonly waits: { readonly reason: Waits["reason"]; readonly on: string; readonly since: Date } | undefined;
  /** Of a running job. */
  readonly running: { readonly process: string; readonly since: Date; readonly leaseUntil: Date; readonly isCancelling: boolean } | undefined;
  /** Why it ended, or is parked. */
  readonly reason: string | undefined;
  readonly isPoison: boolean;
  readonly history: readonly (Omit<AttemptRow, "at"> & { readonly at: Date })[];
  /** The batch or chain it is a member of. */
  readonly batch: string | undefined;
  /** What had, or has, to end before it. */
  readonly after: readonly After[];
  /** What its caller believed, and what its run returned. */
  readonly expecting: unknown;
  readonly result: unknown;
  /** Size of what its run saved to go on from. */
  readonly checkpointBytes: number | undefined;
  /** The version of its payload. */
  readonly version: number | undefined;
  /** The instant of its schedule that it stands for. */
  readonly slotAt: Date | undefined;
  /** The event it came from. */
  readonly from: { readonly event: string; readonly eventId: string; readonly subscription: string } | undefined;
}

/** Jobs in each state. */
export type StateCounts = Readonly<Record<JobState, number>>;

export function viewOf(row: JobRow): JobView {
  return {
    id: row.id,
    task: row.task,
    queue: row.queue,
    state: row.state,
    input: JSON.parse(row.payload) as unknown,
    enqueuedAt: new Date(row.enqueuedAt),
    dueAt: new Date(row.dueAt),
    startBy: dateOf(row.startBy),
    endedAt: dateOf(row.endedAt),
    attempts: row.attempts,
    starts: row.starts,
    suspects: row.suspects,
    orderedBy: row.lane,
    uniqueBy: row.unique,
    waits: row.waits && { ...row.waits, since: new Date(row.waits.since) },
    running: row.claim && {
      process: row.claim.process,
      since: new Date(row.claim.startedAt),
      leaseUntil: new Date(row.claim.leaseUntil),
      isCancelling: row.claim.isCancelling,
    },
    reason: row.reason,
    isPoison: row.isPoison ?? false,
    history: row.history.map((attempt) => ({ ...attempt, at: new Date(attempt.at) })),
    batch: row.joins?.[0],
    after: row.after ?? [],
    expecting: row.expecting === undefined ? undefined : (JSON.parse(row.expecting) as unknown),
    result: row.result === undefined ? undefined : (JSON.parse(row.result) as unknown),
    checkpointBytes: row.checkpoint === undefined ? undefined : Buffer.byteLength(row.checkpoint),
    version: row.version,
    slotAt: dateOf(row.slotAt),
    from: row.from && { event: row.from.event, eventId: row.from.eventId, subscription: row.from.subscription },
  };
}

function dateOf(instant: Instant | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant);
}
