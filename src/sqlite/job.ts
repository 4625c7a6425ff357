/** One stored job, as the verbs work on it. Only `move` changes its state. */
import { attemptsRecordedMax } from "../core/defaults.ts";
import type { AttemptRow, LaneMembership, NewJob } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { JobState } from "../core/states.ts";
import { splitRow } from "./laneRow.ts";
import { codeOf, stateOfCode } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

/**
 * What makes a job's life more than plain; stands in its small rows too.
 *
 *   hasJoin, hasAfter, hasFollowers  a member of a join; comes after something; something comes after it
 *   isHeld                           blocked by its join or by what it comes after: outside its lane and its key limits
 *   isLimited                        blocked by a key limit
 *   isFollowing                      of a running job: handed out in a row behind another
 *   isGathering, isFull              its payload takes elements, or none any more
 *   isKept                           its time is over, but a follower keeps it
 *   hasLater                         its delay, or its time to start in, counts from when it is let go
 */
export const flags = {
  hasLane: 1,
  hasUnique: 2,
  hasStartBy: 4,
  isRemembered: 8,
  hasJoin: 16,
  hasAfter: 32,
  hasFollowers: 64,
  isHeld: 128,
  hasKeyLimits: 256,
  isLimited: 512,
  isFollowing: 1_024,
  isGathering: 2_048,
  isFull: 4_096,
  isKept: 8_192,
  hasLater: 16_384,
} as const;

/** What counts from when a job is let go, as it is stored. */
export type Later = Pick<NewJob, "delayMs" | "startWithinMs">;

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
  /** JSON of KeyLimit[]. */
  readonly keyLimits: string | null;
  /** JSON of what counts from when it is let go. */
  readonly later: string | null;

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
  /** When it came into its state. */
  since: Instant | null;

  /** Of a running job. */
  readonly process: number | null;
  readonly claim: string | null;
  readonly fence: number | null;
  readonly startedAt: Instant | null;
  readonly isCancelling: number | null;
  readonly runningFlags: number | null;
  readonly terms: number | null;
}

interface JobRecord extends Job {
  readonly code: number;
  readonly doneAt: Instant | null;
  readonly isBehind: number;
  readonly rowOf: string | null;
}

const columns = `
  j.seq, j.id, j.line, j.keep, j.flags, j.enqueued_at AS enqueuedAt, j.remember_until AS rememberUntil, j.lane, j.lane_width AS laneWidth,
  j.if_dead AS ifDead, j.unique_key AS uniqueKey, j.extra ->> '$.from.event' AS fromEvent,
  iif(j.flags & ${flags.hasKeyLimits}, j.extra -> '$.keyLimits', NULL) AS keyLimits, iif(j.flags & ${flags.hasLater}, j.extra -> '$.later', NULL) AS later, j.urgency, j.head_start AS headStartMs, j.due_at AS dueAt,
  j.start_by AS startBy, j.attempts, j.starts, j.suspects, j.has_died AS hasDied, j.delayed_by AS delayedBy, j.checkpoint, j.result, j.history,
  j.reason, j.is_poison AS isPoison, j.ended_at AS endedAt, j.since, j.state AS code, d.ended_at AS doneAt,
  r.process, r.claim, r.fence, r.started_at AS startedAt, r.is_cancelling AS isCancelling, r.flags AS runningFlags, r.terms, m.seq IS NOT NULL AS isBehind, w.lane AS rowOf`;
/** Where member m runs as one of a row, w is that row. By primary key. */
export const rowOfMember = "LEFT JOIN errand_rows w ON w.lane = m.lane AND m.seq BETWEEN w.first AND w.last";
const joined = `LEFT JOIN errand_running r ON r.seq = j.seq LEFT JOIN errand_done d ON d.seq = j.seq
  LEFT JOIN errand_members m ON m.lane = j.lane AND m.place = 0 AND m.seq = j.seq ${rowOfMember}`;
/** By errand_jobs_id, then rowids and a primary key. */
export const jobById: string = `SELECT ${columns} FROM errand_jobs j ${joined} WHERE j.id = ?`;
/** By rowids and a primary key. */
export const jobBySeq: string = `SELECT ${columns} FROM errand_jobs j ${joined} WHERE j.seq = ?`;

export function findJob(tx: Transaction, id: string): Job | undefined {
  return jobOf(tx, tx.sql.get<JobRecord>(jobById, id));
}

export function jobAt(tx: Transaction, seq: number): Job | undefined {
  return jobOf(tx, tx.sql.get<JobRecord>(jobBySeq, seq));
}

/** It never started, and may not any more. */
export function isLate(job: Pick<Job, "startBy" | "starts">, now: Instant): boolean {
  return job.startBy !== null && job.startBy < now && job.starts === 0;
}

/** It runs, handed out in a row behind another of its lane. */
export function isFollower({ runningFlags }: Pick<Job, "runningFlags">): boolean {
  return ((runningFlags ?? 0) & flags.isFollowing) !== 0;
}

/** Claims made, the one in hand included. */
export function startsOf(job: Job): number {
  return job.starts + (job.state === "running" ? 1 : 0);
}

export function remember(job: Job, row: AttemptRow): void {
  const history = job.history === null ? [] : (JSON.parse(job.history) as AttemptRow[]);
  job.history = JSON.stringify([...history, row].slice(-attemptsRecordedMax));
}

export function hasFlag(job: { readonly flags: number }, flag: number): boolean {
  return (job.flags & flag) !== 0;
}

/** Where a job stands, told by its wide row's code and its small rows. */
export interface Standing {
  readonly code: number;
  readonly isRunning: boolean;
  readonly isDone: boolean;
  /** It waits in its lane. */
  readonly isBehind: boolean;
}

export function stateFrom({ code, isRunning, isDone, isBehind }: Standing): JobState {
  if (code !== 0) return stateOfCode(code);
  if (isRunning) return "running";
  if (isDone) return "completed";
  return isBehind ? "blocked" : "ready";
}

/** What its wide row says of its state: nothing where small rows tell it. */
export function codeIn(job: Pick<Job, "state" | "flags">): number {
  const isTold = job.state === "ready" || job.state === "running" || job.state === "completed";
  return isTold || (job.state === "blocked" && !hasFlag(job, flags.isHeld | flags.isLimited)) ? 0 : codeOf(job.state);
}

/** What is done with one that runs as part of a row concerns it alone. */
function jobOf(tx: Transaction, record: JobRecord | undefined): Job | undefined {
  if (record === undefined) return undefined;
  if (record.rowOf !== null) {
    splitRow(tx, record.rowOf);
    return jobAt(tx, record.seq);
  }
  const { code, fence, doneAt, isBehind } = record;
  const state = stateFrom({ code, isRunning: fence !== null, isDone: doneAt !== null, isBehind: isBehind === 1 });
  return Object.assign(record, { state, endedAt: record.doneAt ?? record.endedAt });
}
