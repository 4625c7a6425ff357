/** Whether errand's slots around a transition are the oracle's. */
import { Slots } from "../../src/core/schedule/slots.ts";
import { Walk } from "./oracle.ts";
import { rhythmsAround, type Case } from "./rhythms.ts";
import type { Transition } from "./transitions.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** What is walked on both sides, and what of that is compared. A day may be passed over whole. */
const walkedMs = 75 * hourMs;
const comparedMs = 30 * hourMs;
/** Around the transition, the next slot is asked for from so many instants. */
const askedEveryMs = 11 * minuteMs;
const askedMs = 4 * hourMs;
/** Of a rhythm with more slots than that, each is asked for only near the transition. */
const sparseMax = 60;

/** What gives the next slot of a rhythm in a zone, strictly after an instant. */
export type Next = (zone: string, rhythm: string) => (after: number) => number | undefined;

export const byErrand: Next = (zone, rhythm) => {
  const slots = new Slots({ rhythm, zone, from: null, to: null }, "a test");
  return (after) => slots.next(after);
};

export interface Difference {
  readonly transition: Transition;
  readonly rhythm: string;
  readonly after: string;
  readonly expected: string;
  readonly got: string;
}

/** The first difference of each rhythm. `compared` counts the slots. */
export function differencesAt(transition: Transition, next: Next): { readonly differences: Difference[]; readonly compared: number } {
  const walk = new Walk(transition.zone, transition.at - walkedMs, transition.at + walkedMs);
  const differences: Difference[] = [];
  let compared = 0;
  for (const one of rhythmsAround(transition)) {
    const expected = expectedOf(one, walk).filter((at) => Math.abs(at - transition.at) <= comparedMs);
    const nextOf = next(transition.zone, one.rhythm);
    const wrong = askedFrom(transition, expected).find((after) => nextWithin(nextOf, after, transition) !== expected.find((at) => at > after));
    compared += expected.length;
    if (wrong !== undefined) differences.push(difference(transition, one, wrong, expected, nextWithin(nextOf, wrong, transition)));
  }
  return { differences, compared };
}

function expectedOf({ cron, everyMs = 0 }: Case, walk: Walk): number[] {
  return cron === undefined ? walk.interval(everyMs, 0) : walk.cron(cron);
}

/** From the beginning and from each slot on; and from many instants around the transition, whether something is due then or not. */
function askedFrom({ at }: Transition, expected: readonly number[]): number[] {
  const around = Array.from({ length: (2 * askedMs) / askedEveryMs }, (_, index) => at - askedMs + index * askedEveryMs);
  const near = expected.length <= sparseMax ? expected : expected.filter((slot) => Math.abs(slot - at) <= askedMs);
  return [at - comparedMs - 1, ...near, ...around, at - 1, at, at + 1];
}

function nextWithin(next: (after: number) => number | undefined, after: number, { at }: Transition): number | undefined {
  const slot = next(after);
  return slot !== undefined && slot <= at + comparedMs ? slot : undefined;
}

function difference(transition: Transition, { rhythm }: Case, after: number, expected: readonly number[], got: number | undefined): Difference {
  const iso = (at: number | undefined): string => (at === undefined ? "none" : new Date(at).toISOString());
  return { transition, rhythm, after: iso(after), expected: iso(expected.find((at) => at > after)), got: iso(got) };
}
