/** What becomes of an outage of a minute, under a load, with a backlog of ten minutes: with a breaker, and without one. Four workers, under virtual time. */
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { outage, type OutagePlan, type Second, type Told } from "../../verify/recovery/outage.ts";
import { onMemory, onSqlite } from "../conformance/engines.ts";

const capacity = 50;
/** 20 jobs a second arrive, of which ten minutes' worth pile up; the service carries 50 calls a second, and is down from second 60 to second 120. */
const plan: OutagePlan = {
  breaker: {},
  dependency: { capacity, latencyMs: 50 },
  workers: 4,
  slots: 10,
  arrivals: 20,
  downFromS: 60,
  downUntilS: 120,
  backlog: 12_000,
  endS: 185,
};
const stated: OutagePlan = { ...plan, limits: [{ starts: capacity, every: "1s" }] };
const between = (told: Told, from: number, until: number): readonly Second[] => told.seconds.filter(({ at }) => at >= from && at < until);
const mean = (seconds: readonly Second[], what: (second: Second) => number): number => seconds.reduce((sum, second) => sum + what(second), 0) / seconds.length;
const most = (seconds: readonly Second[], what: (second: Second) => number): number => Math.max(...seconds.map(what));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

describe("a service of a stated rate, with a breaker", () => {
  const running = outage(onMemory, stated);

  it("is used by 95 % within 30 s of its return", async () => {
    const told = await running;
    assert.ok(mean(between(told, 150, 180), ({ good }) => good) >= 0.95 * capacity);
  });

  it("never sees more than its rate, and one call at a time while it is down", async () => {
    const told = await running;
    assert.ok(most(told.seconds, ({ starts }) => starts) <= capacity);
    assert.equal(told.mostWhileDown, 1);
    assert.ok(told.starts / told.started <= 1.2, `${told.starts} starts of ${told.started} jobs`);
  });

  it("is met by a tenth of what it did before, which grows by half in 5 s", async () => {
    const told = await running;
    for (const [from, until, least, atMost] of [
      [121, 124, 1, 5],
      [130, 132, 3, 8],
      [140, 142, 6, 15],
    ] as const) {
      const rate = mean(between(told, from, until), ({ starts }) => starts);
      assert.ok(rate >= least && rate <= atMost, `${rate} starts a second from second ${from}`);
    }
  });

  it("is shared by what is handed in after its return and what has piled up", async () => {
    const told = await running;
    const waits = told.waitsSince(150);
    assert.ok(waits.length > 400 && median(waits) < 30, `${waits.length} were done, half of them within ${median(waits)} s`);
    const [atFirst, atLast] = [told.seconds[150]?.waiting ?? 0, told.seconds.at(-1)?.waiting ?? 0];
    assert.ok(atLast > 10_000 && atFirst - atLast > 700, `from ${atFirst} to ${atLast} in the backlog`);
  });
});

test("without a breaker the same service is called all the time that it is down, and each failing job again and again", async () => {
  const told = await outage(onMemory, { ...stated, breaker: false, endS: 125 });
  assert.ok(told.mostWhileDown > 1);
  assert.ok(told.starts / told.started > 1.2, `${told.starts} starts of ${told.started} jobs`);
  assert.ok(mean(between(told, 70, 120), ({ starts }) => starts) > 0.8 * capacity);
});

test("without a breaker it is met by all at once, and does not come back", async () => {
  const told = await outage(onMemory, { ...plan, breaker: false, backlog: 2_000, downFromS: 20, downUntilS: 50, endS: 100 });
  assert.ok(most(between(told, 50, 100), ({ starts }) => starts) > 5 * capacity);
  assert.ok(mean(between(told, 80, 100), ({ good }) => good) < 0.3 * capacity);
});

test("the same on SQLite, with less of it", async () => {
  const told = await outage(onSqlite, {
    ...stated,
    dependency: { capacity: 20, latencyMs: 50 },
    limits: [{ starts: 20, every: "1s" }],
    arrivals: 10,
    backlog: 1_000,
    workers: 2,
    downFromS: 20,
    downUntilS: 50,
    endS: 100,
  });
  assert.ok(mean(between(told, 80, 100), ({ good }) => good) >= 19);
  assert.ok(most(told.seconds, ({ starts }) => starts) <= 20);
  assert.equal(told.mostWhileDown, 1);
  assert.ok(told.starts / told.started <= 1.2);
});
