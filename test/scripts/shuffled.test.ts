import assert from "node:assert/strict";
import { test } from "node:test";
import { shuffled } from "../../scripts/shuffled.ts";

const names = Array.from({ length: 20 }, (_, at) => `test/${at}.test.ts`);

test("a shuffle keeps every file", () => {
  assert.deepEqual(shuffled(names, "7").toSorted(), names.toSorted());
});

test("the same seed gives the same order", () => {
  assert.deepEqual(shuffled(names, "7"), shuffled(names, "7"));
});

test("another seed gives another order", () => {
  assert.notDeepEqual(shuffled(names, "7"), shuffled(names, "8"));
});
