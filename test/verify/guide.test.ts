/** The guide tells of every invariant and every fault, in the words of the source. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";
import { invariants } from "../../src/verify/checker/check.ts";

const guide = readFileSync(inRoot("docs/guide/22-proof.md"), "utf8");

test("the guide's table has every invariant, in its order and words", () => {
  const rows = Array.from(guide.matchAll(/^\| (I\d+) \| (.*) \|$/gm), ([, id = "", name = ""]) => ({ id, name }));
  assert.deepEqual(
    rows,
    invariants.map(({ id, name }) => ({ id, name })),
  );
});
