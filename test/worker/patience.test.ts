/** How long a claim waits for more rows to end. */
import assert from "node:assert/strict";
import test from "node:test";
import { Patience } from "../../src/core/worker/patience.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

test("waits no longer than the last claim took, from the first wish on, and wakes then", async () => {
  const runtime = new VirtualRuntime();
  let woken = 0;
  const patience = new Patience(runtime, () => void woken++);
  assert.equal(patience.isWaiting(), false, "nothing is known of claims yet");
  patience.claimed(8);
  await runtime.advance(100);
  assert.equal(patience.isWaiting(), true);
  await runtime.advance(5);
  assert.deepEqual([patience.isWaiting(), woken], [true, 0]);
  await runtime.advance(3);
  assert.deepEqual([patience.isWaiting(), woken], [false, 1]);
  patience.claimed(8);
  assert.equal(patience.isWaiting(), true, "another claim, another wait");
  patience.end();
  await runtime.advance(100);
  assert.equal(woken, 1, "nobody is woken after the end");
});
