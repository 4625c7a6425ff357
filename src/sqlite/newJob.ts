/** A job as it is first stored: what its work says, in the columns' terms. */
import type { After, KeyLimit, NewJob, Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { flags } from "./job.ts";
import type { Job, Later } from "./job.ts";
import type { Transaction } from "./transaction.ts";

export interface Terms {
  readonly dueAt: Instant;
  readonly startBy: Instant | null;
}

/** What it carries besides that only some do. */
export interface Carried {
  readonly keyLimits?: readonly KeyLimit[];
  /** With the ids of those that stand. */
  readonly after?: readonly After[];
  readonly later?: Later;
}

export function newJob(tx: Transaction, work: NewJob): Job {
  const { dueAt, startBy } = termsOf(work, tx.now, { firstEnqueuedAt: tx.now, elements: 1 });
  return {
    seq: tx.takeSeq(),
    id: work.id,
    line: tx.dictionary.line(tx.sql, work.queue, work.task).id,
    keep: tx.dictionary.keep(tx.sql, work.keep),
    flags: flagsOf(work, startBy),
    enqueuedAt: tx.now,
    rememberUntil: work.rememberMs > 0 ? tx.now + work.rememberMs : null,
    lane: work.lane?.key ?? null,
    laneWidth: work.lane?.width ?? null,
    ifDead: work.lane?.ifDead ?? null,
    uniqueKey: work.unique?.key ?? null,
    fromEvent: work.from?.event ?? null,
    keyLimits: isAny(work.keyLimits) ? JSON.stringify(work.keyLimits) : null,
    later: null,
    state: dueAt > tx.now ? "scheduled" : "ready",
    urgency: dueAt - work.headStartMs,
    headStartMs: work.headStartMs,
    dueAt,
    startBy,
    attempts: 0,
    starts: 0,
    suspects: 0,
    hasDied: 0,
    delayedBy: null,
    checkpoint: null,
    result: null,
    history: null,
    reason: null,
    isPoison: 0,
    endedAt: null,
    since: tx.now,
    process: null,
    claim: null,
    fence: null,
    startedAt: null,
    isCancelling: null,
    runningFlags: null,
    terms: null,
  };
}

/** JSON, or null when it carries nothing. */
export function extraOf({ expecting, version, from, slot }: NewJob, more?: Carried): string | null {
  if (more === undefined && expecting === undefined && version === undefined && from === undefined && slot === undefined) return null;
  return JSON.stringify({ expecting, version, from, slot, ...more });
}

/** When it is due and must have started. A debounce's deadline counts from the first enqueue; an array that is full is due now. */
export function termsOf(work: NewJob, now: Instant, { firstEnqueuedAt, elements }: { readonly firstEnqueuedAt: Instant; readonly elements: number }): Terms {
  const startBy = work.startBy ?? (work.startWithinMs === undefined ? null : now + work.startWithinMs);
  const mode = work.unique?.mode;
  if (mode?.is === "gather" && elements >= mode.most) return { dueAt: now, startBy };
  if (mode?.is === "gather" || mode?.is === "debounce") return { dueAt: Math.min(now + mode.quietMs, firstEnqueuedAt + mode.atMostMs), startBy };
  return { dueAt: Math.max(now, work.dueAt ?? now + (work.delayMs ?? 0)), startBy };
}

/** What counts from when it is let go. An instant that was stated stands, and so does the time of a debounce. */
export function laterOf({ delayMs, dueAt, startWithinMs, startBy, unique }: NewJob): Later | undefined {
  const stands = dueAt !== undefined || isWaitingForQuiet(unique);
  const later: Later = {
    ...(!stands && delayMs !== undefined && { delayMs }),
    ...(startBy === undefined && startWithinMs !== undefined && { startWithinMs }),
  };
  return Object.keys(later).length > 0 ? later : undefined;
}

function isWaitingForQuiet(unique: Uniqueness | undefined): boolean {
  return unique?.mode.is === "debounce" || unique?.mode.is === "gather";
}

function flagsOf(work: NewJob, startBy: Instant | null): number {
  const mode = work.unique?.mode;
  return (
    (work.lane ? flags.hasLane : 0) |
    (work.unique ? flags.hasUnique : 0) |
    (startBy === null ? 0 : flags.hasStartBy) |
    (work.rememberMs > 0 ? flags.isRemembered : 0) |
    (work.join === undefined ? 0 : flags.hasJoin) |
    (isAny(work.after) ? flags.hasAfter : 0) |
    (isAny(work.keyLimits) ? flags.hasKeyLimits : 0) |
    (mode?.is === "gather" ? flags.isGathering | (mode.most <= 1 ? flags.isFull : 0) : 0)
  );
}

function isAny(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
