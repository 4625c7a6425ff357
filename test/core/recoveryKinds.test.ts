/** Services that nobody states the rate of, each with its own way to take more than it carries: the ramp finds out how much that is. Under virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outage, type OutagePlan, type Second } from "../../verify/recovery/outage.ts";
import { onMemory } from "../conformance/engines.ts";

const capacity = 30;
/** Four fifths of what it carries arrive; ten minutes' worth pile up while it is down. */
const plan: OutagePlan = {
  breaker: {},
  dependency: { capacity, latencyMs: 50 },
  workers: 3,
  slots: 40,
  arrivals: 24,
  downFromS: 60,
  downUntilS: 120,
  backlog: 14_400,
  endS: 240,
};
const flaps = [
  [127, 131],
  [141, 144],
] as const;

const kinds: readonly { readonly service: string; readonly plan: OutagePlan }[] = [
  { service: "answers a fifth of what it carries when it is asked for more", plan },
  { service: "rejects what it does not carry", plan: { ...plan, dependency: { capacity, latencyMs: 50, overload: "rejects" } } },
  { service: "slows down, until nobody waits for its answers", plan: { ...plan, dependency: { capacity, latencyMs: 50, overload: "slows" } } },
  { service: "is down twice again, and collapses", plan: { ...plan, flaps, endS: 264 } },
  { service: "is down twice again, and slows down", plan: { ...plan, dependency: { capacity, latencyMs: 50, overload: "slows" }, flaps, endS: 264 } },
];

for (const { service, plan: each } of kinds) {
  test(`a service that ${service} gives 95 % of what it carries from 30 s after its return, and is called 1.2 times for each job at most`, async () => {
    const told = await outage(onMemory, each);
    const backAtS = each.flaps?.at(-1)?.[1] ?? each.downUntilS;
    const since = told.seconds.filter(({ at }) => at >= backAtS);
    const good = mean(since.slice(30), (second) => second.good);
    assert.ok(good >= 0.95 * capacity, `${good} good answers of ${capacity} a second`);
    assert.ok(told.starts / told.started <= 1.2, `${told.starts} starts of ${told.started} jobs`);
    const calls = mean(since, (second) => second.starts) / mean(since, (second) => second.good);
    assert.ok(calls <= 1.2, `${calls} calls for a good answer since its return`);
    assert.ok((since.at(-1)?.waiting ?? 0) > 5_000, "there was more to do all the time");
  });
}

function mean(seconds: readonly Second[], what: (second: Second) => number): number {
  return seconds.reduce((sum, second) => sum + what(second), 0) / seconds.length;
}
