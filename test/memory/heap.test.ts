import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { Heap } from "../../src/memory/heap.ts";
import { Sequence } from "../../src/memory/sequence.ts";

interface Item {
  readonly rank: number;
  readonly seq: number;
}

/** Numbers: an item of that rank goes in; "first": the first comes out; a place: whatever went in then comes out. */
const steps = fc.array(fc.oneof(fc.nat(20), fc.constant("first" as const), fc.record({ place: fc.nat(60) })), { maxLength: 120 });

it("a heap gives the smallest first, whatever was removed from its middle", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const heap = new Heap<Item>((a, b) => a.rank - b.rank || a.seq - b.seq);
      const added: Item[] = [];
      const inside = new Set<Item>();
      for (const step of script) {
        if (typeof step === "number") {
          const item = { rank: step, seq: added.length };
          added.push(item);
          inside.add(item);
          heap.push(item);
        } else {
          const item = step === "first" ? heap.first() : added[step.place];
          if (item) assert.equal(heap.remove(item), inside.delete(item));
        }
        const [smallest] = [...inside].toSorted((a, b) => a.rank - b.rank || a.seq - b.seq);
        assert.equal(heap.first(), smallest);
        assert.equal(heap.size, inside.size);
      }
    }),
  );
});

it("a heap keeps its order, whichever one of many is removed", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(999), { minLength: 20, maxLength: 40 }), (ranks) => {
      for (const removed of ranks) {
        const heap = new Heap<number>((a, b) => a - b);
        for (const rank of ranks) heap.push(rank);
        heap.remove(removed);
        const drained: number[] = [];
        for (let first = heap.first(); first !== undefined; first = heap.first()) {
          drained.push(first);
          heap.remove(first);
        }
        assert.deepEqual(
          drained,
          ranks.filter((rank) => rank !== removed).toSorted((a, b) => a - b),
        );
      }
    }),
  );
});

it("a sequence walks what is left, in both directions, from any number", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 80 }), fc.nat(90), (isKept, from) => {
      const sequence = new Sequence<{ seq: number }>();
      const items = isKept.map((_, index) => ({ seq: index + 1 }));
      for (const item of items) sequence.append(item);
      for (const [index, item] of items.entries()) if (!isKept[index]) sequence.remove(item);
      const left = items.filter((_, index) => isKept[index]);
      assert.deepEqual(
        [...sequence.after(from)],
        left.filter(({ seq }) => seq > from),
      );
      assert.deepEqual([...sequence.before(from)], left.filter(({ seq }) => seq < from).toReversed());
      assert.equal(sequence.size, left.length);
    }),
  );
});
