/** The oracle is trusted once it has seen wrong clocks: croner's own, and some that were made for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cron } from "croner";
import { Slots } from "../../src/core/schedule/slots.ts";
import { byErrand, differencesAt, type Next } from "./compare.ts";
import { transitionsOf, type Transition } from "./transitions.ts";

const hourMs = 3_600_000;

/** croner's zones, where errand takes nothing but its patterns. */
const byCroner: Next = (zone, rhythm) => {
  if (rhythm.split(" ").length !== 5) return byErrand(zone, rhythm);
  const cron = new Cron(rhythm, { timezone: zone });
  return (after) => cron.nextRun(new Date(after))?.getTime();
};

/** Nothing happens at a time that the clocks pass over. */
const dropsGaps: Next = (zone, rhythm) => {
  const slots = new Slots({ rhythm, zone, from: null, to: null }, "a test");
  const [minute, hour] = rhythm.split(" ");
  return (after) => {
    const slot = slots.next(after);
    const shown = slot === undefined ? undefined : new Date(slot + hourMs);
    // Berlin in summer and right after the gap: two hours ahead of UTC.
    return slot !== undefined && minute === "30" && hour === "2" && shown?.getUTCMinutes() === 0 ? slots.next(slot) : slot;
  };
};

/** What was due the first time is due again when the hour repeats itself. */
const firesTwice: Next = (zone, rhythm) => {
  const slots = new Slots({ rhythm, zone, from: null, to: null }, "a test");
  return (after) => {
    const [again, slot] = [slots.next(after - hourMs), slots.next(after)];
    return again !== undefined && rhythm.startsWith("0,30 ") && again + hourMs < (slot ?? 0) ? again + hourMs : slot;
  };
};

function berlin(isForward: boolean): Transition {
  const found = transitionsOf("Europe/Berlin").find(({ byMs }) => byMs > 0 === isForward);
  assert.ok(found);
  return found;
}

function rhythmsThatDiffer(transition: Transition, next: Next): ReadonlySet<string> {
  return new Set(differencesAt(transition, next).differences.map(({ rhythm }) => rhythm));
}

test("the oracle and croner's own zones differ where the clocks pass over a list of times", () => {
  assert.ok(rhythmsThatDiffer(berlin(true), byCroner).has("5,20,50 2 * * *"));
});

test("the oracle and croner's own zones differ where a gap ends on another day", () => {
  const godthab = transitionsOf("America/Godthab").find(({ at }) => at === Date.UTC(2024, 2, 31, 1));
  assert.ok(godthab);
  assert.ok(rhythmsThatDiffer(godthab, byCroner).has("0 23 30 * *"));
});

test("the oracle sees times dropped in a gap", () => {
  assert.ok(rhythmsThatDiffer(berlin(true), dropsGaps).has("30 2 31 * *") || rhythmsThatDiffer(berlin(true), dropsGaps).has("30 2 29 * *"));
});

test("the oracle sees times that are due twice in a fold", () => {
  assert.ok([...rhythmsThatDiffer(berlin(false), firesTwice)].some((rhythm) => rhythm.startsWith("0,30 ")));
});
