/** One stored job, as the store keeps it. Only `store.move` changes its state. */
import { attemptsRecordedMax } from "../core/defaults.ts";
import type { AttemptRow, Keep, KeyLimit, LaneMembership, NewJob, Waits } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { JobState } from "../core/states.ts";
import type { Gathering } from "./gathering.ts";
import type { Before, Hold } from "./hold.ts";
import type { Join } from "./join.ts";
import type { Limit, Start } from "./keyLimit.ts";
import type { Process } from "./processes.ts";
import type { Line } from "./ready.ts";

export interface Job {
  readonly kind: "job";
  readonly id: string;
  /** The order of enqueue. */
  readonly seq: number;
  readonly line: Line;
  readonly keep: Keep;
  readonly enqueuedAt: Instant;
  readonly rememberUntil: Instant;
  readonly lane: LaneMembership | undefined;
  readonly uniqueKey: string | undefined;
  readonly from: NewJob["from"];
  readonly slotAt: Instant | undefined;
  readonly keyLimits: readonly KeyLimit[];
  /** The join that it was stored into, and all that it is a member of: its own first, then those that it joined as a duplicate. */
  readonly join: Join | undefined;
  joins: readonly Join[];
  readonly after: readonly Before[];

  state: JobState;
  /** When it came into its state. */
  since: Instant;
  content: string;
  payload: string;
  version: number | undefined;
  expecting: string | undefined;

  headStartMs: Ms;
  urgency: number;
  /** Its urgency when it came into its line: its place there. */
  readyAt: number;
  dueAt: Instant;
  startBy: Instant | undefined;
  /** Why it is due later. */
  delayedBy: Extract<Waits["reason"], "time" | "retry" | "snooze">;

  attempts: number;
  starts: number;
  suspects: number;
  /** How often its process died while it ran alone. */
  deathsAlone: number;
  /** Parked because it died itself. */
  hasDied: boolean;
  lease: Lease | undefined;
  /** It is blocked until its join is open and what it comes after has ended. */
  hold: Hold | undefined;
  /** It is blocked in the line of this limit. */
  limitedBy: Limit | undefined;
  gathering: Gathering | undefined;

  reason: string | undefined;
  endedAt: Instant | undefined;
  purgeAt: Instant;
  isPoison: boolean;
  history: AttemptRow[];
  checkpoint: string | undefined;
  result: string | undefined;
}

/** It runs: in whose hands, and under which claim. */
export interface Lease {
  readonly process: Process;
  readonly claim: string;
  readonly fence: number;
  readonly startedAt: Instant;
  readonly isAlone: boolean;
  /** It was handed out behind another of its lane. */
  readonly isFollower: boolean;
  /** What it holds of limits and resources over all keys, by name. */
  readonly gates: readonly string[];
  readonly needs: Readonly<Record<string, number>>;
  /** Its entries with limits of starts by key. */
  readonly starts: Start[];
  isCancelling: boolean;
}

/** What a job's payload and times are made of, at enqueue and again when it is replaced. */
export interface Terms {
  readonly dueAt: Instant;
  readonly startBy: Instant | undefined;
}

/** What it is stored with, beside what its work says itself. */
export interface Place {
  readonly line: Line;
  readonly seq: number;
  readonly join: Join | undefined;
  /** With the ids of those that stand for what lost its unique key. */
  readonly after: readonly Before[];
}

/** Most jobs have none: they share it. */
const none: readonly never[] = [];

export function newJob(work: NewJob, terms: Terms, { line, seq, join, after }: Place, now: Instant): Job {
  return {
    kind: "job",
    id: work.id,
    seq,
    line,
    keep: work.keep,
    enqueuedAt: now,
    rememberUntil: now + work.rememberMs,
    lane: work.lane,
    uniqueKey: work.unique?.key,
    from: work.from,
    slotAt: work.slot?.at,
    keyLimits: work.keyLimits ?? none,
    join,
    joins: join ? [join] : none,
    after,
    state: terms.dueAt > now ? "scheduled" : "ready",
    since: now,
    content: work.content,
    payload: work.payload,
    version: work.version,
    expecting: work.expecting,
    headStartMs: work.headStartMs,
    urgency: terms.dueAt - work.headStartMs,
    readyAt: 0,
    dueAt: terms.dueAt,
    startBy: terms.startBy,
    delayedBy: "time",
    attempts: 0,
    starts: 0,
    suspects: 0,
    deathsAlone: 0,
    hasDied: false,
    lease: undefined,
    hold: undefined,
    limitedBy: undefined,
    gathering: undefined,
    reason: undefined,
    endedAt: undefined,
    purgeAt: 0,
    isPoison: false,
    history: [],
    checkpoint: undefined,
    result: undefined,
  };
}

/** The smallest urgency goes first, then the first enqueued (G8). */
export function byUrgency(a: Job, b: Job): number {
  return a.urgency - b.urgency || a.seq - b.seq;
}

export function byDue(a: Job, b: Job): number {
  return a.dueAt - b.dueAt || a.seq - b.seq;
}

export function bySeq(a: Job, b: Job): number {
  return a.seq - b.seq;
}

export function byStartBy(a: Job, b: Job): number {
  return (a.startBy ?? 0) - (b.startBy ?? 0) || a.seq - b.seq;
}

/** It never started, and may not any more. */
export function isLate(job: Job, now: Instant): boolean {
  return job.startBy !== undefined && job.startBy < now && job.starts === 0;
}

/** An outcome has counted as an attempt. */
export function wasTried({ attempts }: Pick<Job, "attempts">): boolean {
  return attempts > 0;
}

export function remember(job: Job, row: AttemptRow): void {
  job.history = [...job.history, row].slice(-attemptsRecordedMax);
}
