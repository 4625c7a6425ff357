/** What a quiet application sees of a recovery: a few jobs, most of which have been tried before. */
import assert from "node:assert/strict";
import test from "node:test";
import { task } from "../../src/core/task.ts";
import { testBroker } from "../../src/testing/index.ts";
import { outage, type OutagePlan, type Told } from "../../verify/recovery/outage.ts";
import { onMemory, onSqlite } from "../conformance/engines.ts";

/** Twenty jobs at once, in the middle of eight seconds in which what they call is down. */
const quiet: OutagePlan = {
  breaker: {},
  dependency: { capacity: 1_000, latencyMs: 1 },
  workers: 1,
  slots: 10,
  arrivals: 0,
  downFromS: 0,
  downUntilS: 8,
  backlog: 20,
  endS: 20,
};
const goodBy = (told: Told, second: number): number => told.seconds.filter(({ at }) => at < second).reduce((sum, { good }) => sum + good, 0);

for (const [name, maker, plan] of [
  ["one worker", onMemory, quiet],
  ["one worker on SQLite", onSqlite, quiet],
  ["three workers", onMemory, { ...quiet, workers: 3 }],
] as const) {
  test(`${name}: twenty jobs that were tried before are done within seven seconds of the return of what they call`, async () => {
    const told = await outage(maker, plan);
    assert.equal(goodBy(told, 8), 0);
    assert.equal(goodBy(told, 15), 20, told.seconds.map(({ good }) => good).join(" "));
  });
}

test("a stated rate holds meanwhile", async () => {
  let isDown = true;
  const starts: number[] = [];
  const call = task<{ n: number }>("call", {
    limits: [{ starts: 3, every: "1s" }],
    run: () => {
      starts.push(work.now.getTime());
      if (isDown) throw new Error("503");
    },
  });
  const work = testBroker({ call });
  await work.enqueue(Array.from({ length: 20 }, (_, n) => call.with({ n })));
  await work.advance("10s");
  isDown = false;
  const before = starts.length;
  await work.advance("10s");
  assert.equal((await work.count()).completed, 20, `${starts.length - before} starts since`);
  assert.deepEqual(
    starts.filter((at, n) => at - (starts[n - 3] ?? 0) < 1_000),
    [],
  );
  await work.close();
});

test("new jobs beside them are done at once, and no second goes by without a start while some wait", async () => {
  const told = await outage(onMemory, { ...quiet, arrivals: 2, endS: 40 });
  const still = told.seconds.filter(({ at, starts, waiting }) => at >= 10 && starts === 0 && waiting > 0);
  assert.deepEqual(still, []);
  const waits = told.waitsSince(10);
  assert.ok(waits.length >= 55 && Math.max(...waits) <= 3, `${waits.length} were done, each within ${Math.max(...waits)} s`);
  assert.equal(goodBy(told, 40), told.jobs);
});

test("why tells of a second try that it waits for others to start, and names what recovers as its task does", async () => {
  let isDown = false;
  const mail = task<{ n: number }>("mail", {
    dependsOn: "mail-api",
    breaker: { failing: 25, of: 25 },
    retry: { first: "200ms", backoff: "fixed", attempts: 50 },
    run: () => (isDown ? Promise.reject(new Error("503")) : undefined),
  });
  const work = testBroker({ mail });
  await work.start();
  const errands = (count: number): ReturnType<typeof mail.with>[] => Array.from({ length: count }, (_, n) => mail.with({ n }));
  await work.enqueue(errands(200));
  await work.advance("10s");
  isDown = true;
  const ids = (await work.enqueue(errands(30))).map(({ id }) => id);
  await work.advance("3s");
  isDown = false;
  let told: string | undefined;
  for (let steps = 0; steps < 100 && told === undefined; steps++) {
    await work.enqueue(errands(1));
    await work.advance("200ms");
    told = (await Promise.all(ids.map((id) => work.why(id)))).find((each) => each?.includes("tried before"));
  }
  assert.match(told ?? "", /because mail-api failed until .* ago, and \d+ may start a second for now.*; of these a fifth may have been tried before/);
  await work.close();
});
