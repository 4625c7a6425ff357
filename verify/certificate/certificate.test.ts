/** The certificate adds up, and what is written about it is what it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "../../scripts/root.ts";
import { added, type Sum, type When } from "./certificate.ts";
import { reliability } from "./document.ts";
import { joined, unused } from "./spans.ts";

const first: When = { at: "2026-11-22T08:00:00.000Z", commit: "abc" };
const last: When = { at: "2026-11-23T08:00:00.000Z", commit: "def" };

test("counts are added up, those that end in Most are the largest, and a layer on another engine is a sum of its own", () => {
  let sums: readonly Sum[] = [];
  sums = added(sums, { layer: "fault-run", engine: "redis", seeds: "1", counts: { accepted: 5, recoveryP99MsMost: 900 } }, first);
  sums = added(sums, { layer: "fault-run", engine: "sqlite", seeds: "2", counts: { accepted: 1 } }, first);
  sums = added(sums, { layer: "fault-run", engine: "redis", seeds: "2..4", counts: { accepted: 7, recoveryP99MsMost: 300, lost: 0 } }, last);
  assert.deepEqual(sums, [
    { layer: "fault-run", engine: "redis", runs: 2, seeds: ["1..4"], counts: { accepted: 12, recoveryP99MsMost: 900, lost: 0 }, first, last },
    { layer: "fault-run", engine: "sqlite", runs: 1, seeds: ["2"], counts: { accepted: 1 }, first, last: first },
  ]);
});

test("seeds are told as few ranges, and the next one was never used", () => {
  assert.deepEqual(joined(["1..3", "9"], "4..8"), ["1..9"]);
  assert.deepEqual(joined(["7"], "all"), ["all", "7"]);
  assert.equal(unused(["all", "5..9", "20"], 10), 21);
  assert.equal(unused([], 10), 10);
});

test("docs/reliability.md is what the certificate and the matrix of planted bugs say", () => {
  assert.equal(readFileSync(inRoot("docs/reliability.md"), "utf8"), reliability(), "npm run verify -- certificate --write");
});
