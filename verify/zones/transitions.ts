/** Every instant from 2015 to 2040 at which a zone's clocks were, or by today's rules will be, put forward or back. */
import { Clock } from "./oracle.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
const begin = Date.UTC(2015, 0, 1);
const end = Date.UTC(2041, 0, 1);

export interface Transition {
  readonly zone: string;
  /** The first instant of the new time. */
  readonly at: number;
  /** How far the clock is put forward; back is negative. */
  readonly byMs: number;
  /** What it shows when it is put, as if in UTC. */
  readonly face: number;
}

export function allZones(): readonly string[] {
  return Intl.supportedValuesOf("timeZone");
}

/** `step`: the clocks are compared that often. Two changes within a step that undo each other would not be seen; the nearest ever were weeks apart. */
export function transitionsOf(zone: string, step: "day" | "week" = "day"): Transition[] {
  const clock = new Clock(zone);
  const stepMs = step === "day" ? dayMs : 7 * dayMs;
  const found: Transition[] = [];
  for (let from = begin; from < end; from += stepMs) {
    if (aheadAt(clock, from) !== aheadAt(clock, from + stepMs)) found.push(transitionIn(zone, clock, from, from + stepMs));
  }
  return found;
}

/** What is special about it: how far, at what time of day, and whether the date changes by it. */
export function shapeOf({ byMs, face }: Transition): string {
  const from = new Date(face);
  const to = new Date(face + byMs);
  return `${byMs / minuteMs} min at ${from.toISOString().slice(11, 16)}${from.getUTCDate() === to.getUTCDate() ? "" : " to another day"}`;
}

function aheadAt(clock: Clock, at: number): number {
  return clock.face(at) - at;
}

/** Halves the span down to the minute. */
function transitionIn(zone: string, clock: Clock, from: number, until: number): Transition {
  const ahead = aheadAt(clock, from);
  let [before, at] = [from, until];
  while (at - before > minuteMs) {
    const middle = before + Math.floor((at - before) / 2 / minuteMs) * minuteMs;
    if (aheadAt(clock, middle) === ahead) before = middle;
    else at = middle;
  }
  return { zone, at, byMs: aheadAt(clock, at) - ahead, face: at + ahead };
}
