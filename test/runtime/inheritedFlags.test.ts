import assert from "node:assert/strict";
import { test } from "node:test";
import { inheritedFlags } from "../../src/runtime/inheritedFlags.ts";

const cases: readonly { readonly given: readonly string[]; readonly kept: readonly string[] }[] = [
  { given: [], kept: [] },
  { given: ["--max-old-space-size=64", "--import", "./loader.js"], kept: ["--max-old-space-size=64", "--import", "./loader.js"] },
  { given: ["--inspect=9229", "--test", "--watch"], kept: [] },
  { given: ["--watch-path", "./src", "--import", "./loader.js"], kept: ["--import", "./loader.js"] },
  { given: ["--test-name-pattern", "x", "--test-only", "--conditions=dev"], kept: ["--conditions=dev"] },
  { given: ["--test-name-pattern=x", "--conditions", "dev"], kept: ["--conditions", "dev"] },
  { given: ["-e", "work()", "--conditions=dev"], kept: ["--conditions=dev"] },
];

for (const { given, kept } of cases) {
  test(`a child of a process started with "${given.join(" ")}" gets "${kept.join(" ")}"`, () => {
    assert.deepEqual(inheritedFlags(given), kept);
  });
}
