/** For how long the store was reached, and how long it was away meanwhile, against a count of every millisecond. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { reconnectFirstMs } from "../../src/core/defaults.ts";
import { Meter } from "../../src/core/metrics/meter.ts";
import { Contact } from "../../src/core/worker/contact.ts";
import { StillRuntime } from "../port/stillRuntime.ts";

const beatEveryMs = 20;
const leaseMs = 80;

/** What happens after so many ms: a call is answered, or fails. */
type Step = readonly [afterMs: number, how: "reached" | "failed"];

class Still extends StillRuntime {
  ms = 0;
  override monotonic(): number {
    return this.ms;
  }
}

/** Which milliseconds count: those of a time without a gap, but for the first of it in which others come back. */
function countedUntil(steps: readonly Step[], endMs: number): readonly boolean[] {
  const counts: boolean[] = Array.from({ length: endMs }, () => false);
  let from: number | undefined;
  let last = 0;
  let now = 0;
  let spells = 0;
  const countTo = (to: number): void => {
    for (let at = last; at < to; at++) counts[at] = from !== undefined && (spells === 1 || at >= from + beatEveryMs);
  };
  for (const [afterMs, how] of steps) {
    now += afterMs;
    const goesOn = from !== undefined && now - last <= 2 * beatEveryMs;
    if (how === "failed") from = undefined;
    else if (goesOn) countTo(now);
    else [from, spells] = [now, spells + 1];
    if (how === "reached") last = now;
  }
  if (from !== undefined) countTo(endMs);
  return counts;
}

test("a lease of contact adds up over the times in which the store was there, and what lies between is told", () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom<Step[1]>("reached", "reached", "reached", "failed"));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 2 * beatEveryMs }), (steps, restMs) => {
      const runtime = new Still();
      const contact = new Contact({ runtime, log: runtime.log, meter: new Meter() }, beatEveryMs);
      for (const [afterMs, how] of steps) {
        runtime.ms += afterMs;
        if (how === "reached") contact.reached("beat");
        else contact.failed("beat", new Error("away"));
      }
      runtime.ms += restMs;
      const counted = countedUntil(steps, runtime.ms);
      const { missingMs, awayMs } = contact.within(leaseMs);
      if (steps.at(-1)?.[1] !== "reached") return assert.deepEqual([missingMs, awayMs], [Math.max(reconnectFirstMs, leaseMs), 0]);
      const total = counted.filter(Boolean).length;
      const expected = { missingMs: Math.max(0, leaseMs - total), awayMs: total < leaseMs ? 0 : awayOf(counted) };
      assert.deepEqual({ missingMs, awayMs }, expected);
    }),
    { numRuns: 5_000 },
  );
});

/** From the end back to where a lease of them has been counted. */
function awayOf(counted: readonly boolean[]): number {
  let left = leaseMs;
  let at = counted.length;
  while (left > 0) if (counted[--at] === true) left--;
  return counted.length - at - leaseMs;
}
