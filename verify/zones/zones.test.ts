/**
 * Schedules around the transitions of all time zones from 2015 to 2040, held to the oracle. `npm test` takes one transition of every shape and a sample of the
 * others; `npm run verify -- zones` takes all.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Seeded } from "../../src/testing/seeded.ts";
import { tally } from "../tally.ts";
import { byErrand, differencesAt } from "./compare.ts";
import { allZones, shapeOf, transitionsOf, type Transition } from "./transitions.ts";

const sampleSize = 20;
const seed = Number(process.env["ZONES_SEED"] ?? "1");
const isAll = process.env["ZONES"] === "all";
const counts = { transitions: 0, slots: 0 };

after(() => tally({ layer: "zones", engine: "core", seeds: isAll ? "all" : String(seed), counts }));

function hold(transitions: readonly Transition[]): number {
  let slots = 0;
  for (const transition of transitions) {
    const { differences, compared } = differencesAt(transition, byErrand);
    assert.deepEqual(differences, [], `${transition.zone}, ${shapeOf(transition)}`);
    slots += compared;
  }
  counts.transitions += transitions.length;
  counts.slots += slots;
  return slots;
}

if (isAll) {
  describe("all transitions of all zones", () => {
    for (const zone of allZones())
      test(zone, (context) => {
        const transitions = transitionsOf(zone);
        context.diagnostic(`${transitions.length} transitions, ${hold(transitions)} slots`);
      });
  });
} else {
  test(`one transition of every shape, and a sample of seed ${seed}`, (context) => {
    const all = allZones().flatMap((zone) => transitionsOf(zone, "week"));
    const shapes = [...Map.groupBy(all, shapeOf).values()].flatMap((same) => same.slice(0, 1));
    const random = new Seeded(seed);
    const sample = Array.from({ length: sampleSize }, () => all[Math.floor(random.random() * all.length)]).filter((one) => one !== undefined);
    context.diagnostic(`${all.length} transitions in all, of ${shapes.length} shapes; ${hold([...shapes, ...sample])} slots compared`);
    assert.ok(all.length > 6_900, `only ${all.length} transitions were found`);
  });
}
