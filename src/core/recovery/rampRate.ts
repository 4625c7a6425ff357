/**
 * The rate of a ramp: how it grows, and how it is lowered. Pure.
 *
 * Up to what was done before the trouble, and beyond it while jobs wait for more, it grows by the same factor: slow start. Where runs begin to take longer
 * than they did at the known rates, it has gone too far, and gives way a little (TCP Vegas, Brakmo 1995). Where they fail, it is halved for a moment and goes
 * back, by half of the way at each step, to a little below where failures began, as in BIC (Xu 2004); stays there; and tries more, a little, ever more rarely.
 */
import { breakerRampGrowth, breakerRampGrowthMs, breakerRampQuickTo } from "../defaults.ts";
import type { Instant, Ms } from "../runtime.ts";
import type { BreakerState } from "./breakerState.ts";

export type RampRate = Pick<BreakerState, "startRate" | "tooMuch" | "timesTooMuch" | "tooMuchAt" | "backTo" | "usualMs" | "ratePast">;
type Known = RampRate & Pick<BreakerState, "rate" | "steppedAt">;

const doublingMs: Ms = 1_000;
const lowering = 0.5;
/** Of the rate that was too much, so much holds. */
const holding = 0.95;
const nearly = 0.98;
const growthWithCare = 1.1;
/** It stays below what was too much for so long, and twice as long each time that it was too much again. */
const stayMs: Ms = 30_000;
const stayMostMs: Ms = 600_000;
/** But for so long only where it held before the trouble: that may have been a hiccup. */
const stayBelowMs: Ms = 5_000;
/** Rates that differ by less are the same one. */
const sameRate = 0.2;
const over = 1.02;
/** At less than this part of what was done before runs take what they usually take, or what takes less than this may as well take. */
const lightPart = 0.8;
const usualLeastMs: Ms = 5;
const usualWeight = 0.2;
/** So much longer do they take where more is started than is carried; and so much is given way at a step. */
const slowAt = 2;
const givingWay = 0.95;

/** Starts a second that it goes up to without care. */
export function knownToHold({ rate, tooMuch, timesTooMuch }: Pick<BreakerState, "rate" | "tooMuch" | "timesTooMuch">): number {
  return timesTooMuch > 0 ? Math.min(rate, tooMuch * holding) : rate;
}

/** It is as it was before the trouble, or as well as it can be. */
export function hasComeBack(state: BreakerState): boolean {
  return state.startRate >= knownToHold(state);
}

export function nextRate(known: Known, now: Instant, goodMs: Ms | undefined): RampRate {
  const { startRate, rate, tooMuch, timesTooMuch, tooMuchAt, backTo } = known;
  const elapsedMs = Math.min(now - known.steppedAt, breakerRampGrowthMs);
  const rates = { startRate, tooMuch, timesTooMuch, tooMuchAt, backTo, usualMs: nextUsualMs(known, goodMs), ratePast: startRate };
  if (startRate > rate && isSlow(known, goodMs)) return { ...rates, startRate: Math.max(rate, startRate * givingWay) };
  if (startRate < backTo * nearly) return { ...rates, startRate: (startRate + backTo) / 2 };
  if (startRate < backTo) return { ...rates, startRate: backTo, backTo: 0 };
  if (timesTooMuch === 0) return { ...rates, startRate: quicklyGrown(startRate, rate, elapsedMs) };
  const most = tooMuch * holding;
  if (startRate < most) return { ...rates, startRate: Math.min(most, grown(startRate, breakerRampGrowth, elapsedMs)) };
  if (now < tooMuchAt + stayingMs(known)) return rates;
  // What was too much is not any more.
  if (startRate > tooMuch * over) return { ...rates, timesTooMuch: 0 };
  return { ...rates, startRate: grown(startRate, growthWithCare, elapsedMs) };
}

export function loweredRate(known: Known, now: Instant): RampRate {
  const { startRate, rate, timesTooMuch, usualMs } = known;
  // Failures are seen a little late: it was the rate of the step before.
  const tooMuch = Math.min(startRate, known.ratePast || startRate);
  const isSame = Math.abs(tooMuch - known.tooMuch) < sameRate * known.tooMuch;
  // Far below what held before the trouble it may well have been something else.
  const timesAtFirst = tooMuch < rate * lowering ? 0 : 1;
  const times = isSame ? Math.max(timesTooMuch, timesAtFirst) + 1 : timesAtFirst;
  const lower = startRate * lowering;
  return { startRate: lower, tooMuch, timesTooMuch: times, tooMuchAt: now, backTo: tooMuch * holding, usualMs, ratePast: lower };
}

function nextUsualMs({ startRate, rate, usualMs }: Known, goodMs: Ms | undefined): Ms {
  if (goodMs === undefined || startRate >= lightPart * rate) return usualMs;
  return usualMs === 0 ? goodMs : usualMs + (goodMs - usualMs) * usualWeight;
}

function isSlow({ usualMs }: Known, goodMs: Ms | undefined): boolean {
  return usualMs > 0 && goodMs !== undefined && goodMs > slowAt * Math.max(usualLeastMs, usualMs);
}

function stayingMs({ rate, tooMuch, timesTooMuch }: Known): Ms {
  if (timesTooMuch === 1 && tooMuch < rate) return stayBelowMs;
  return Math.min(stayMostMs, stayMs * 2 ** (timesTooMuch - 1));
}

function grown(startRate: number, factor: number, elapsedMs: Ms): number {
  return startRate * factor ** (elapsedMs / breakerRampGrowthMs);
}

/** Of a few jobs now and then nobody has learned what holds: they must not wait for a rate that is found out a little at a time. */
function quicklyGrown(startRate: number, rate: number, elapsedMs: Ms): number {
  if (startRate < rate || startRate >= breakerRampQuickTo) return grown(startRate, breakerRampGrowth, elapsedMs);
  return Math.min(breakerRampQuickTo, startRate * 2 ** (Math.min(elapsedMs, doublingMs) / doublingMs));
}
