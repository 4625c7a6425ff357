import assert from "node:assert/strict";
import { test } from "node:test";
import { laws } from "../../src/conformance/index.ts";
import { whyBugs } from "./whyBugs.ts";

test("each sentence of why was seen to be wrong for a planted bug", () => {
  const caught = new Set(whyBugs.flatMap(({ caughtBy }) => caughtBy));
  const told = laws.map(({ name }) => name).filter((name) => name.startsWith("why tells of"));
  assert.ok(told.length > 40);
  assert.deepEqual(
    told.filter((name) => !caught.has(name)),
    [],
  );
});
