/**
 * A breaker's life, as a pure state machine: what a task, or what several tasks depend on, is allowed while it is not healthy.
 *
 *   healthy   no limit
 *   open      nothing starts, for a while
 *   probing   one job at a time, in all processes together
 *   ramping   a rate of starts that grows from a tenth of what was done before, and is lowered by failures
 *   draining  no limit any more; what is new still goes beside what has piled up
 *
 * The growth is that of slow start and congestion avoidance in TCP (RFC 5681): fast up to what is known to hold, then carefully.
 * All instants are the store's.
 */
import * as defaults from "../defaults.ts";
import type { StoredLimit } from "../notes.ts";
import type { Instant, Ms } from "../runtime.ts";

export interface BreakerState {
  readonly is: "healthy" | "open" | "probing" | "ramping" | "draining";
  /** When it became that. */
  readonly since: Instant;
  /** When the trouble began. */
  readonly troubleAt: Instant;
  /** The last error that was counted. */
  readonly reason: string;
  /** How long it stays open. */
  readonly waitMs: Ms;
  /** Good ends a second that were known to hold: of all processes that told. */
  readonly rate: number;
  /** The processes whose rate is in it. */
  readonly told: readonly string[];
  /** Starts a second, while ramping. */
  readonly startRate: number;
  readonly steppedAt: Instant;
  /** What was claimed before says nothing of the present rate. */
  readonly loweredAt: Instant;
  /** Work that was handed in after it is fresh. */
  readonly recoveringAt: Instant;
  /** A rate was too much in this incident: above what held it grows slowly. */
  readonly hasOverloaded: boolean;
}

/** What a process knows of its own. */
export interface Told {
  readonly process: string;
  /** Good ends a second, at best, lately. */
  readonly rate: number;
}

export const unknownState: BreakerState = {
  is: "healthy",
  since: 0,
  troubleAt: 0,
  reason: "",
  waitMs: 0,
  rate: 0,
  told: [],
  startRate: 0,
  steppedAt: 0,
  loweredAt: 0,
  recoveringAt: 0,
  hasOverloaded: false,
};

const {
  breakerRampFrom,
  breakerRampGrowth,
  breakerRampGrowthMs,
  breakerRampStepMs,
  breakerRampLeast,
  breakerRampQuickTo,
  breakerProbeLeastMs,
  breakerProbeMostMs,
} = defaults;
/** It probes again after so small a part of the time that it has been in trouble. */
const probeAfterPart = 1 / 60;
/** Trouble so soon after a recovery is the recovery's own. */
const relapseMs: Ms = 60_000;
/** Without trouble for so long, a step needs no success. */
export const quietMs: Ms = 60_000;
/** At less than that a second it opens again. */
const startRateLeast = 1;
const doublingMs: Ms = 1_000;
const lowering = 0.5;
/** Of the rate that was too much, this much is thought to hold. */
const holding = 0.85;
const growthWithCare = 1.03;
const toldMax = 256;
/** Starts come in windows of about this length. */
const windowMs: Ms = 200;
const reasonMax = 200;

export function isHealthy({ is }: BreakerState): boolean {
  return is === "healthy" || is === "draining";
}

/** What the store holds its starts to. Undefined: nothing. */
export function limitOf({ is, startRate }: BreakerState): StoredLimit | undefined {
  switch (is) {
    case "open":
      return { running: 0 };
    case "probing":
      return { running: 1 };
    case "ramping":
      return limitOfRate(startRate);
    default:
      return undefined;
  }
}

/** When time alone may change it; undefined: never. */
export function changesAt({ is, since, waitMs, steppedAt }: BreakerState): Instant | undefined {
  if (is === "open") return since + waitMs;
  return is === "ramping" ? steppedAt + breakerRampStepMs : undefined;
}

/** Too many runs have failed. */
export function opened(state: BreakerState, now: Instant, { reason, told }: { readonly reason: string; readonly told: Told }): BreakerState {
  const isRelapse = state.since > 0 && now - state.since < relapseMs;
  return {
    ...unknownState,
    is: "open",
    since: now,
    troubleAt: now,
    reason: reason.slice(0, reasonMax),
    waitMs: breakerProbeLeastMs,
    rate: told.rate,
    told: [told.process],
    hasOverloaded: isRelapse,
  };
}

/** Adds what a process knows of the time before; undefined: it was told. */
export function toldBy(state: BreakerState, { process, rate }: Told): BreakerState | undefined {
  if (isHealthy(state) || state.told.includes(process) || state.told.length >= toldMax) return undefined;
  // What was too much in this incident is known better than what was done before it.
  if (state.hasOverloaded && state.recoveringAt > 0) return undefined;
  const sum = state.rate + rate;
  const startRate = state.is === "ramping" ? Math.max(state.startRate, sum * breakerRampFrom) : state.startRate;
  return { ...state, rate: sum, startRate, told: [...state.told, process] };
}

/** One job may try. */
export function probed(state: BreakerState, now: Instant): BreakerState {
  return { ...state, is: "probing", since: now, loweredAt: now };
}

export function reopened(state: BreakerState, now: Instant, reason: string): BreakerState {
  const waitMs = Math.min(breakerProbeMostMs, Math.max(breakerProbeLeastMs, Math.round((now - state.troubleAt) * probeAfterPart)));
  return { ...state, is: "open", since: now, waitMs, reason: reason.slice(0, reasonMax) };
}

/** The probe has ended well. */
export function ramped(state: BreakerState, now: Instant): BreakerState {
  const startRate = Math.max(breakerRampLeast, state.rate * breakerRampFrom);
  return { ...state, is: "ramping", since: now, startRate, steppedAt: now, loweredAt: now, recoveringAt: state.recoveringAt || now };
}

/** A step of the ramp; undefined: not yet. `isBinding`: jobs wait for this very rate. */
export function stepped(
  state: BreakerState,
  now: Instant,
  { hasSucceeded, isBinding }: { readonly hasSucceeded: boolean; readonly isBinding: boolean },
): BreakerState | undefined {
  const elapsedMs = now - state.steppedAt;
  if (elapsedMs < breakerRampStepMs || !(hasSucceeded || elapsedMs >= quietMs)) return undefined;
  // What holds nothing back is no limit any more.
  if (state.startRate >= state.rate && !isBinding) return { ...state, is: "draining", since: now };
  return { ...state, startRate: grown(state, Math.min(elapsedMs, breakerRampGrowthMs)), steppedAt: now };
}

/** Some fail at this rate; where few starts a second are too much, it opens again. */
export function lowered(state: BreakerState, now: Instant, reason: string): BreakerState {
  const startRate = state.startRate * lowering;
  if (startRate < startRateLeast) return reopened(state, now, reason);
  const isOverload = state.startRate >= state.rate * lowering;
  return {
    ...state,
    startRate,
    steppedAt: now,
    loweredAt: now,
    reason: reason.slice(0, reasonMax),
    rate: isOverload ? state.startRate * holding : state.rate,
    hasOverloaded: state.hasOverloaded || isOverload,
  };
}

/** Nothing is left of what had piled up. */
export function drained(state: BreakerState, now: Instant): BreakerState {
  return { ...state, is: "healthy", since: now };
}

function grown({ startRate, rate, hasOverloaded }: BreakerState, elapsedMs: Ms): number {
  // Of a few jobs now and then nobody has learned what holds: they must not wait for a rate that is found out a little at a time.
  if (!hasOverloaded && startRate >= rate && startRate < breakerRampQuickTo)
    return Math.min(breakerRampQuickTo, startRate * 2 ** (Math.min(elapsedMs, doublingMs) / doublingMs));
  const part = elapsedMs / breakerRampGrowthMs;
  if (!hasOverloaded) return startRate * breakerRampGrowth ** part;
  return startRate < rate ? Math.min(rate, startRate * breakerRampGrowth ** part) : startRate * growthWithCare ** part;
}

function limitOfRate(rate: number): StoredLimit {
  const starts = Math.max(1, Math.round((rate * windowMs) / 1_000));
  return { starts, everyMs: Math.max(1, Math.ceil((starts * 1_000) / rate)) };
}
