/** What limits, hours and breakers hold back, under the clock of a test. */
import assert from "node:assert/strict";
import test from "node:test";
import { resource } from "../../src/core/limits/resource.ts";
import { task } from "../../src/core/task.ts";
import { testBroker } from "../../src/testing/index.ts";

const numbered = (count: number): { readonly n: number }[] => Array.from({ length: count }, (_, n) => ({ n }));

test("advance runs a task with hours when they begin, however far that is", async () => {
  const starts: string[] = [];
  const nightly = task("nightly", {
    hours: { open: "22:00-06:00", zone: "Europe/Berlin", days: "saturday" },
    run: () => void starts.push(work.now.toISOString()),
  });
  const work = testBroker({ nightly });
  await work.enqueue(nightly.with({}));
  await work.drain();
  assert.deepEqual(starts, []);
  await work.advance("7d");
  assert.deepEqual(starts, ["2026-01-03T21:00:00.000Z"]);
  await work.close();
});

test("advance starts jobs at the rate of their limit, also where that is one a day", async () => {
  const starts: number[] = [];
  const daily = task<{ n: number }>("daily", { limits: [{ starts: 1, every: "1d" }], run: () => void starts.push(work.now.getTime()) });
  const tenant = task<{ n: number }>("tenant", { limits: [{ starts: 2, every: "1h", per: "n" }], run: () => void starts.push(work.now.getTime()) });
  const work = testBroker({ daily, tenant });
  const from = work.now.getTime();
  await work.enqueue(numbered(4).map((input) => daily.with(input)));
  await work.advance("10d");
  assert.deepEqual(
    starts.map((at) => Math.round((at - from) / 86_400_000)),
    [0, 1, 2, 3],
  );
  starts.length = 0;
  const later = work.now.getTime();
  await work.enqueue(numbered(6).map(() => tenant.with({ n: 1 })));
  await work.advance("1d");
  assert.deepEqual(
    starts.map((at) => Math.round((at - later) / 3_600_000)),
    [0, 0, 1, 1, 2, 2],
  );
  await work.close();
});

test("advance gives a resource the capacity of its hours", async () => {
  const starts: string[] = [];
  const gpu = resource("gpu", { capacity: 0, calendar: [{ open: "20:00-22:00", zone: "UTC", capacity: 1 }] });
  const render = task("render", { needs: { gpu: 1 }, run: () => void starts.push(work.now.toISOString()) });
  const work = testBroker({ gpu, render });
  await work.enqueue(render.with({}));
  await work.advance("1d");
  assert.deepEqual(starts, ["2026-01-01T20:00:00.000Z"]);
  await work.close();
});

test("advance brings all work through an outage and its recovery; drain leaves what the breaker holds back", async () => {
  let isDown = true;
  const call = task<{ n: number }>("call", () => (isDown ? Promise.reject(new Error("503")) : undefined));
  const work = testBroker({ call });
  await work.enqueue(numbered(200).map((input) => call.with(input)));
  await work.drain();
  await work.advance("20s");
  isDown = false;
  await work.advance("30m");
  assert.equal((await work.count()).completed, 200);
  await work.close();
});

for (const steps of ["60 steps of a second", "one step of a minute"]) {
  test(`a breaker opens by failures that are spread over time, in ${steps}`, async () => {
    let runs = 0;
    const call = task<{ n: number }>("call", {
      run: () => {
        runs++;
        throw new Error("503");
      },
    });
    const work = testBroker({ call });
    if (steps === "one step of a minute") {
      for (const { n } of numbered(60)) await work.enqueue(call.with({ n }, { in: `${n + 1}s` }));
      await work.advance("1m");
    } else
      for (const { n } of numbered(60)) {
        await work.enqueue(call.with({ n }));
        await work.advance("1s");
      }
    assert.ok(runs >= 20 && runs < 100, `${runs} runs`);
    const [last] = (await work.list({ states: ["ready"] })).jobs;
    assert.match((await work.why(last?.id ?? "")) ?? "", /task call has been failing/);
    await work.close();
  });
}
