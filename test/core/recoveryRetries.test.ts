/** Of the starts of a ramp a fifth are second tries at most, whatever else there is to start. Under virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outage, type OutagePlan, type Second } from "../../verify/recovery/outage.ts";
import { onMemory, onSqlite } from "../conformance/engines.ts";

/** Some hundred jobs are tried before the breaker opens, and are due again when the service is back. */
const plan: OutagePlan = {
  breaker: { failing: 150, of: 300 },
  dependency: { capacity: 50, latencyMs: 50 },
  limits: [{ starts: 50, every: "1s" }],
  workers: 1,
  slots: 40,
  arrivals: 20,
  downFromS: 60,
  downUntilS: 120,
  backlog: 3_000,
  endS: 180,
};
/** From its return until it has come back to what was done before: the probe may be a second try too. */
const rampS = [120, 146] as const;

const rows: readonly { readonly name: string; readonly more: Partial<OutagePlan>; readonly retriesLeast: number }[] = [
  { name: "that stand before a backlog of others", more: {}, retriesLeast: 0.1 },
  { name: "beside three others a second", more: { backlog: 0, arrivalsLater: { fromS: 68, jobs: 3 } }, retriesLeast: 0.1 },
  { name: "beside one other a second", more: { backlog: 0, arrivalsLater: { fromS: 68, jobs: 1 } }, retriesLeast: 0.1 },
];

for (const [engine, maker] of [
  ["memory", onMemory],
  ["SQLite", onSqlite],
] as const)
  for (const { name, more, retriesLeast } of engine === "memory" ? rows : rows.slice(1, 2))
    test(`second tries ${name} are at most a fifth of the starts of a ramp, on ${engine}`, async () => {
      const told = await outage(maker, { ...plan, ...more });
      assert.ok(sum(told.seconds.slice(60, 70), ({ retries }) => retries) > 50, "many had been tried before");
      const ramp = told.seconds.slice(...rampS);
      const [starts, retries] = [sum(ramp, (second) => second.starts), sum(ramp, (second) => second.retries)];
      assert.ok(retries <= 0.2 * starts + 1, `${retries} of ${starts}`);
      assert.ok(retries >= retriesLeast * starts, `${retries} of ${starts}`);
      if (more.arrivalsLater !== undefined) assert.ok((told.seconds.at(-1)?.waiting ?? 0) <= 5, "all of them are done soon after it");
    });

test("where there are only second tries, they come back as quickly as others would", async () => {
  const told = await outage(onMemory, { ...plan, backlog: 0, arrivalsLater: { fromS: 68, jobs: 0 }, endS: 160 });
  const waiting = told.seconds[119]?.waiting ?? 0;
  assert.ok(waiting >= 150, `${waiting} wait when it is back`);
  assert.equal(
    told.seconds[150]?.waiting,
    0,
    told.seconds
      .slice(120)
      .map(({ good }) => good)
      .join(" "),
  );
});

function sum(seconds: readonly Second[], what: (second: Second) => number): number {
  return seconds.reduce((total, second) => total + what(second), 0);
}
