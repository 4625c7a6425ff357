/**
 * A breaker's life, as a pure state machine: what a task, or what several tasks depend on, is allowed while it is not healthy.
 *
 *   healthy   no limit
 *   open      nothing starts, for a while
 *   probing   one job at a time, in all processes together
 *   ramping   a rate of starts that grows from a tenth of what was done before, and is lowered by failures
 *   draining  no limit any more; what is new still goes beside what has piled up
 *
 * How the rate grows: see rampRate.ts. All instants are the store's.
 */
import * as defaults from "../defaults.ts";
import type { StoredLimit } from "../notes.ts";
import type { Instant, Ms } from "../runtime.ts";
import { hasComeBack, loweredRate, nextRate } from "./rampRate.ts";

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
  /** When jobs that were not tried before last came up, as far as was told. */
  readonly untriedAt: Instant;
  /** Starts a second at which failures began; 0: it is not known how many are too much. */
  readonly tooMuch: number;
  /** How often about so many were too much; 0: it may have been something else. */
  readonly timesTooMuch: number;
  readonly tooMuchAt: Instant;
  /** It was at this rate right before it was lowered, or almost. */
  readonly backTo: number;
  /** Starts a second before the last step. */
  readonly ratePast: number;
  /** What a good run takes while little is asked for; 0: unknown. */
  readonly usualMs: Ms;
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
  untriedAt: 0,
  tooMuch: 0,
  timesTooMuch: 0,
  tooMuchAt: 0,
  backTo: 0,
  ratePast: 0,
  usualMs: 0,
};

const { breakerRampFrom, breakerRampStepMs, breakerRampLeast, breakerProbeLeastMs, breakerProbeMostMs } = defaults;
/** It probes again after so small a part of the time that it has been in trouble. */
const probeAfterPart = 1 / 60;
/** Trouble so soon after a recovery is the recovery's own. */
const relapseMs: Ms = 60_000;
/** Without trouble for so long, a step needs no success. */
export const quietMs: Ms = 60_000;
/** At less than that a second it opens again. */
const startRateLeast = 1;
/** What fails again so soon after it was lowered is down. */
const downMs: Ms = 5_000;
const toldMax = 256;
/** Starts come in windows of about this length: in any second there is no more than one window beyond the rate. */
const windowMs: Ms = 50;
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
    ...(isRelapse && { tooMuch: told.rate, timesTooMuch: 1, tooMuchAt: now }),
  };
}

/** Adds what a process knows of the time before; undefined: it was told. */
export function toldBy(state: BreakerState, { process, rate }: Told): BreakerState | undefined {
  if (isHealthy(state) || state.told.includes(process) || state.told.length >= toldMax) return undefined;
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
  // At half of it most fail too: so it was no matter of the rate, unless that was seen before.
  const timesTooMuch = state.tooMuchAt > 0 && now - state.tooMuchAt < downMs ? Math.max(0, state.timesTooMuch - 1) : state.timesTooMuch;
  return { ...state, is: "open", since: now, waitMs, reason: reason.slice(0, reasonMax), timesTooMuch, backTo: 0 };
}

/** The probe has ended well. */
export function ramped(state: BreakerState, now: Instant): BreakerState {
  const startRate = Math.max(breakerRampLeast, state.rate * breakerRampFrom);
  return {
    ...state,
    is: "ramping",
    since: now,
    startRate,
    steppedAt: now,
    loweredAt: now,
    recoveringAt: state.recoveringAt || now,
    untriedAt: now,
    ratePast: 0,
    usualMs: 0,
  };
}

export interface StepFindings {
  readonly hasSucceeded: boolean;
  /** Jobs wait for this very rate. */
  readonly isBinding: boolean;
  /** What good runs take now; undefined: too few have ended. */
  readonly goodMs: Ms | undefined;
  readonly untriedAt: Instant;
}

/** A step of the ramp; undefined: not yet. */
export function stepped(state: BreakerState, now: Instant, { hasSucceeded, isBinding, goodMs, untriedAt }: StepFindings): BreakerState | undefined {
  const elapsedMs = now - state.steppedAt;
  if (elapsedMs < breakerRampStepMs || !(hasSucceeded || elapsedMs >= quietMs)) return undefined;
  // What holds nothing back is no limit any more.
  if (hasComeBack(state) && !isBinding) return { ...state, is: "draining", since: now };
  return { ...state, ...nextRate(state, now, goodMs), steppedAt: now, untriedAt: Math.max(state.untriedAt, untriedAt) };
}

/** Some fail at this rate; where few starts a second are too much, it opens again. */
export function lowered(state: BreakerState, now: Instant, reason: string): BreakerState {
  const rates = loweredRate(state, now);
  if (rates.startRate < startRateLeast) return reopened(state, now, reason);
  return { ...state, ...rates, steppedAt: now, loweredAt: now, reason: reason.slice(0, reasonMax) };
}

/** Most fail: at a rate that was lowered just now, it is down. */
export function failed(state: BreakerState, now: Instant, reason: string): BreakerState {
  return now - state.loweredAt < downMs ? reopened(state, now, reason) : lowered(state, now, reason);
}

/** Nothing is left of what had piled up. */
export function drained(state: BreakerState, now: Instant): BreakerState {
  return { ...state, is: "healthy", since: now };
}

function limitOfRate(rate: number): StoredLimit {
  const starts = Math.max(1, Math.floor((rate * windowMs) / 1_000));
  return { starts, everyMs: Math.max(1, Math.ceil((starts * 1_000) / rate)) };
}
