/** A law is trusted once it went red for a bug that it is there to catch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { holdTo, laws, LawBroken, type Law } from "../../src/conformance/index.ts";
import { bugs, type Bug } from "./bugs.ts";
import { onMemory } from "./engines.ts";
import { planted } from "./planted.ts";

for (const bug of bugs) {
  for (const name of bug.caughtBy) test(`${bug.name}: caught by "${name}"`, () => isCaught(bug, lawNamed(name)));
}

test("no two laws share a name", () => {
  const names = laws.map((law) => law.name);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

test("each guarantee that the engines hold has laws", () => {
  const held = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22].map((number) => `G${number}`);
  assert.deepEqual(
    held.filter((guarantee) => !laws.some((law) => law.guarantee === guarantee)),
    [],
  );
});

async function isCaught(bug: Bug, law: Law): Promise<void> {
  await assert.rejects(
    holdTo(law, planted(bug.on ?? onMemory, bug.distortion)),
    (error) => error instanceof LawBroken,
    `"${law.name}" did not go red for: ${bug.name}`,
  );
}

function lawNamed(name: string): Law {
  const law = laws.find((each) => each.name === name);
  assert.ok(law, `there is no law "${name}"`);
  return law;
}
