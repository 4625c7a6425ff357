/** One stored job, as the verbs work on it. Only `move` changes its state. */
import { attemptsRecordedMax } from "../core/defaults.ts";
import type { AttemptRow, LaneMembership } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { JobState } from "../core/states.ts";
import { stateOfCode } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

/** What makes a job's life more than plain; stands in its small rows too. */
export const flags = { hasLane: 1, hasUnique: 2, hasStartBy: 4, isRemembered: 8 } as const;

export interface Job {
  readonly seq: number;
  readonly id: string;
  readonly line: number;
  readonly keep: number;
  readonly enqueuedAt: Instant;
  readonly rememberUntil: Instant | null;
  readonly lane: string | null;
  readonly laneWidth: number | null;
  readonly ifDead: LaneMembership["ifDead"] | null;
  readonly uniqueKey: string | null;
  readonly fromEvent: string | null;

  state: JobState;
  flags: number;
  urgency: number;
  headStartMs: Ms;
  dueAt: Instant;
  startBy: Instant | null;
  /** Spent before the claim in hand; of a completed job, before its last. */
  attempts: number;
  /** Claims, without the one in hand; of a completed job, without its last. */
  starts: number;
  suspects: number;
  /** Parked because it died itself. */
  hasDied: number;
  delayedBy: "time" | "retry" | "snooze" | null;
  checkpoint: string | null;
  result: string | null;
  /** JSON of AttemptRow[]. */
  history: string | null;
  reason: string | null;
  isPoison: number;
  endedAt: Instant | null;

  /** Of a running job. */
  readonly process: number | null;
  readonly claim: string | null;
  readonly fence: number | null;
  readonly startedAt: Instant | null;
  readonly isCancelling: number | null;
}

interface JobRecord extends Job {
  readonly code: number;
  readonly doneAt: Instant | null;
}

const columns = `
  j.seq, j.id, j.line, j.keep, j.flags, j.enqueued_at AS enqueuedAt, j.remember_until AS rememberUntil, j.lane, j.lane_width AS laneWidth,
  j.if_dead AS ifDead, j.unique_key AS uniqueKey, j.extra ->> '$.from.event' AS fromEvent, j.urgency, j.head_start AS headStartMs, j.due_at AS dueAt,
  j.start_by AS startBy, j.attempts, j.starts, j.suspects, j.has_died AS hasDied, j.delayed_by AS delayedBy, j.checkpoint, j.result, j.history,
  j.reason, j.is_poison AS isPoison, j.ended_at AS endedAt, j.state AS code, d.ended_at AS doneAt,
  r.process, r.claim, r.fence, r.started_at AS startedAt, r.is_cancelling AS isCancelling`;
const joined = "LEFT JOIN errand_running r ON r.seq = j.seq LEFT JOIN errand_done d ON d.seq = j.seq";
/** By errand_jobs_id, then rowids. */
export const jobById: string = `SELECT ${columns} FROM errand_jobs j ${joined} WHERE j.id = ?`;
/** By rowids. */
export const jobBySeq: string = `SELECT ${columns} FROM errand_jobs j ${joined} WHERE j.seq = ?`;

export function findJob(tx: Transaction, id: string): Job | undefined {
  return jobOf(tx.sql.get<JobRecord>(jobById, id));
}

export function jobAt(tx: Transaction, seq: number): Job | undefined {
  return jobOf(tx.sql.get<JobRecord>(jobBySeq, seq));
}

/** It never started, and may not any more. */
export function isLate(job: Pick<Job, "startBy" | "starts">, now: Instant): boolean {
  return job.startBy !== null && job.startBy < now && job.starts === 0;
}

/** Claims made, the one in hand included. */
export function startsOf(job: Job): number {
  return job.starts + (job.state === "running" ? 1 : 0);
}

export function remember(job: Job, row: AttemptRow): void {
  const history = job.history === null ? [] : (JSON.parse(job.history) as AttemptRow[]);
  job.history = JSON.stringify([...history, row].slice(-attemptsRecordedMax));
}

/** The state that a wide row's code and its small rows tell. */
export function stateFrom(code: number, isRunning: boolean, isDone: boolean): JobState {
  if (code !== 0) return stateOfCode(code);
  return isRunning ? "running" : isDone ? "completed" : "ready";
}

function jobOf(record: JobRecord | undefined): Job | undefined {
  if (record === undefined) return undefined;
  const state = stateFrom(record.code, record.fence !== null, record.doneAt !== null);
  return Object.assign(record, { state, endedAt: record.doneAt ?? record.endedAt });
}
