/** Things kept in order, against a sorted array. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ordered } from "../../src/memory/ordered.ts";
import { Dice } from "../port/dice.ts";

const compare = (a: number, b: number): number => a - b;

describe("ordered", () => {
  for (const seed of [1, 2, 3]) {
    it(`is what a sorted array is, through 6,000 changes (seed ${seed})`, () => {
      const dice = new Dice(seed);
      const ordered = new Ordered<number>(compare);
      const model = new Set<number>();
      for (let step = 0; step < 6_000; step += 1) {
        const item = dice.below(4_000);
        // First it grows over several chunks, then it shrinks to nothing.
        if (dice.chance(step < 4_000 ? 0.8 : 0.1) && !model.has(item)) {
          ordered.add(item);
          model.add(item);
        } else assert.equal(ordered.remove(item), model.delete(item));
        if (step % 50 === 0) check(ordered, model, dice.below(4_000));
      }
      for (const item of model) assert.equal(ordered.remove(item), true);
      check(ordered, new Set(), 0);
    });
  }
});

function check(ordered: Ordered<number>, model: ReadonlySet<number>, from: number): void {
  const sorted = [...model].toSorted(compare);
  assert.deepEqual(
    [ordered.size, ordered.first(), ordered.firstWhere((item) => item >= from)],
    [sorted.length, sorted[0], sorted.find((item) => item >= from)],
  );
}
