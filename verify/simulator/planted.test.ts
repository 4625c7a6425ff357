/** Each bug is seen by a simulated life, as the invariant that it breaks. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planted } from "../../test/conformance/planted.ts";
import { bugs, type Bug } from "./bugs.ts";
import { complaintsOf } from "./minimise.ts";
import { planOf, type Plan } from "./plan.ts";
import { onMemory } from "./stores.ts";

/** A bug that so many lives do not meet is not caught. */
const livesPerBug = 60;
const seedsMost = 20_000;

if (process.env["SIMULATOR_PLAN"] === undefined) {
  describe("planted bugs", () => {
    for (const bug of bugs) test(`${bug.name}: caught as ${bug.caughtAs}`, () => isCaught(bug));
  });
}

async function isCaught(bug: Bug): Promise<void> {
  const maker = planted(onMemory, bug.distortion);
  let lives = 0;
  for (let seed = 1; seed <= seedsMost && lives < livesPerBug; seed++) {
    const plan = planOf(seed);
    if (!mayShow(bug, plan)) continue;
    lives++;
    const complaints = await complaintsOf(maker, plan);
    if (complaints.some((complaint) => complaint.startsWith(`${bug.caughtAs} `))) return;
  }
  assert.fail(`${lives} lives did not meet it as ${bug.caughtAs}`);
}

function mayShow({ parts = [], fault }: Bug, plan: Plan): boolean {
  return parts.every((part) => plan.parts.includes(part)) && (fault === undefined || plan.faults[fault] > 0);
}
