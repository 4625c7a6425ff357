/** The one timer for the next look at the store fires when the earliest of what was asked for is due. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Wake } from "../../src/core/worker/wake.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

/** When it fired, where it is asked for those delays at once, 100 ms later, and so on. */
async function fired(...delays: readonly number[]): Promise<number[]> {
  const runtime = new VirtualRuntime();
  const start = runtime.monotonic();
  const at: number[] = [];
  const wake = new Wake(runtime, () => at.push(Math.round(runtime.monotonic() - start)));
  for (const delay of delays) {
    wake.within(delay);
    await runtime.advance(100);
  }
  await runtime.advance(10_000);
  return at;
}

const rows: readonly { readonly name: string; readonly delays: readonly number[]; readonly at: readonly number[] }[] = [
  { name: "one", delays: [250], at: [250] },
  { name: "an earlier one takes its place", delays: [5_000, 150], at: [250] },
  { name: "a later one changes nothing", delays: [250, 5_000], at: [250] },
  { name: "a later one that is only little later changes nothing", delays: [250, 200], at: [250] },
  { name: "after it fired the next one counts", delays: [50, 300], at: [50, 400] },
  { name: "none is at once: a look each millisecond is the most", delays: [0], at: [1] },
];
for (const { name, delays, at } of rows) test(name, async () => assert.deepEqual(await fired(...delays), at));

test("cancelled, it does not fire, and can be asked again", async () => {
  const runtime = new VirtualRuntime();
  let times = 0;
  const wake = new Wake(runtime, () => times++);
  wake.within(50);
  wake.cancel();
  await runtime.advance(100);
  assert.equal(times, 0);
  wake.within(50);
  await runtime.advance(100);
  assert.equal(times, 1);
});
