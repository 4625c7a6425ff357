/** What the reference model remembers: plain lists, searched from end to end. Slow and plain on purpose. */
import type { AttemptRow, EventRow, JobRow, Keep, LaneMembership, LockRow, NewJob, Note, Uniqueness, Waits } from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import type { JobState } from "../../src/core/states.ts";
import { suspectsBeforeAlone } from "../../src/core/defaults.ts";

export interface ModelJob {
  readonly seq: number;
  readonly id: string;
  content: string;
  readonly rememberMs: Ms;
  readonly task: string;
  readonly queue: string;
  payload: string;
  headStartMs: Ms;
  urgency: number;
  readonly enqueuedAt: Instant;
  dueAt: Instant;
  startBy: Instant | undefined;
  readonly lane: LaneMembership | undefined;
  readonly unique: Uniqueness | undefined;
  expecting: string | undefined;
  readonly keep: Keep;
  version: number | undefined;
  readonly from: NewJob["from"];
  readonly slotAt: Instant | undefined;
  state: JobState;
  /** Of a lane's member: holds one of its places. */
  isAdmitted: boolean;
  /** What it waits for while it is scheduled. */
  delayedBy: "time" | "retry" | "snooze";
  attempts: number;
  starts: number;
  suspects: number;
  claim: ModelClaim | undefined;
  cancelReason: string | undefined;
  reason: string | undefined;
  endedAt: Instant | undefined;
  isPoison: boolean;
  /** Parked by its own death, not by another's. */
  hasDied: boolean;
  history: AttemptRow[];
  checkpoint: string | undefined;
  result: string | undefined;
}

export interface ModelClaim {
  readonly process: string;
  readonly claim: string;
  readonly fence: number;
  readonly startedAt: Instant;
}

/** A unique key that outlives its job. */
export interface HeldKey {
  readonly key: string;
  readonly jobId: string;
  readonly until: Instant;
}

export interface ModelProcess {
  readonly process: string;
  leaseUntil: Instant;
  /** The store took its jobs back. */
  isLost: boolean;
}

export interface ModelEvent extends EventRow {
  readonly content: string;
  readonly rememberMs: Ms;
}

export interface ModelReplay {
  readonly subscription: string;
  readonly event: string;
  /** How many events were stored when the subscription was written. */
  readonly eventIds: readonly string[];
}

export interface ModelState {
  seq: number;
  jobs: ModelJob[];
  events: ModelEvent[];
  notes: Note[];
  /** Notes written or deleted so far. */
  notesWritten: number;
  replays: ModelReplay[];
  closedLanes: { readonly lane: string; readonly closedBy: string; readonly closedAt: Instant }[];
  heldKeys: HeldKey[];
  processes: ModelProcess[];
  tickets: ModelTicket[];
  fence: number;
  /** While a batch of outcomes is written: the lanes whose places are handed out once at its end. */
  lanesDue: string[] | undefined;
}

export interface ModelTicket extends Omit<LockRow, "isGranted" | "fence"> {
  readonly permits: number;
  isGranted: boolean;
  fence: number;
}

export function emptyState(): ModelState {
  return {
    seq: 0,
    jobs: [],
    events: [],
    notes: [],
    notesWritten: 0,
    replays: [],
    closedLanes: [],
    heldKeys: [],
    processes: [],
    tickets: [],
    fence: 0,
    lanesDue: undefined,
  };
}

export const isLive = (job: ModelJob): boolean => !isEnded(job.state);
/** Live, not running, not parked. */
export const isWaiting = (job: ModelJob): boolean => job.state === "scheduled" || job.state === "blocked" || job.state === "ready";

export function jobWithId(state: ModelState, id: string): ModelJob | undefined {
  return state.jobs.find((job) => job.id === id);
}

export function processNamed(state: ModelState, process: string): ModelProcess | undefined {
  return state.processes.find((known) => known.process === process);
}

export function recordAttempt(job: ModelJob, row: AttemptRow): void {
  job.history = [...job.history, row].slice(-10);
}

/** The row that the port must show for a job. */
export function rowOf(job: ModelJob, state: ModelState): JobRow {
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
    ...(isLive(job) && job.state !== "running" && { waits: waitsOf(job) }),
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

function claimOf(job: ModelJob, claim: ModelClaim, state: ModelState): NonNullable<JobRow["claim"]> {
  const leaseUntil = processNamed(state, claim.process)?.leaseUntil ?? 0;
  return { ...claim, leaseUntil, isCancelling: job.cancelReason !== undefined };
}

function waitsOf(job: ModelJob): Waits {
  const since = job.enqueuedAt;
  if (job.state === "scheduled") return { reason: job.delayedBy, on: String(job.dueAt), since };
  if (job.state === "blocked") return { reason: "key", on: job.lane?.key ?? "", since };
  if (job.state === "parked") return { reason: "parked", on: job.lane?.key ?? "", since };
  return { reason: job.suspects >= suspectsBeforeAlone ? "alone" : "worker", on: job.queue, since };
}
