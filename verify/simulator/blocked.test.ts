/** A loop that is blocked for longer than its lease loses no job where a thread beats, and does where none does (G20). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { live } from "./life.ts";
import { planOf, withoutFaults, type Plan } from "./plan.ts";
import { onMemory } from "./stores.ts";

const lives = 5;

function blocked(seed: number, hasThread: boolean): Plan {
  const faults = { ...withoutFaults, blockMean: 5 };
  return { ...planOf(seed), parts: ["plain", "ordered", "limited"], workers: 3, slots: 4, leaseS: 4, works: 60, faultsMs: 40_000, drift: 0, hasThread, faults };
}

async function takenBack(hasThread: boolean): Promise<number> {
  let sum = 0;
  for (let seed = 1; seed <= lives; seed++) {
    const story = await live(onMemory, blocked(seed, hasThread));
    assert.deepEqual(story.complaints, []);
    sum += story.takenBack;
  }
  return sum;
}

if (process.env["SIMULATOR_PLAN"] === undefined) {
  test("blocked loops lose no job while a thread beats", async () => assert.equal(await takenBack(true), 0));
  test("without one they do", async () => assert.ok((await takenBack(false)) > 0));
}
