/** Where a job is that others come after, as one process remembers it and another has it stored anew. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Engine, NewWork } from "../../../src/core/engine.ts";
import { redis } from "../../../src/redis/index.ts";
import { homeOfText } from "../../../src/redis/spread/homes.ts";
import { day, job, join, leaseMs } from "../../port/stage.ts";
import { freshPlace } from "../places.ts";
import { redisMissing } from "../server.ts";
import { ToldRuntime } from "../stage.ts";

const partitions = 3;
const minute = 60_000;
const none = { completed: 0, skipped: 0, cancelled: 0, dead: 0 };

/** Time passes only when it is let. */
class Clock extends ToldRuntime {
  passedMs = 0;

  override monotonic(): number {
    return this.passedMs;
  }
}

it("an id that was forgotten and stored anew, in another partition, is looked for there", { skip: redisMissing ?? false }, async () => {
  const place = await freshPlace();
  const clock = new Clock();
  const engines = [redis(place.url, { prefix: place.prefix, partitions }), redis(place.url, { prefix: place.prefix })];
  const [one, other] = engines as [Engine, Engine];
  for (const engine of engines) await engine.open({ runtime: clock });
  let now = Date.now() + day;
  const store = async (engine: Engine, ...works: readonly NewWork[]): Promise<void> => {
    const [answer] = await engine.enqueue([{ works }], { now });
    assert.ok(Array.isArray(answer), String(answer));
  };
  const [batch, first] = [idAt("batch", 0), idAt("first", 1)];

  await store(one, join(batch, { isSealed: false }), job(first, { join: batch, rememberMs: minute, keep: none }));
  await store(one, join(batch));
  assert.deepEqual(await finished(one, now), [first]);
  now += 40 * day;
  clock.passedMs += 40 * day;
  for (let pass = 0; pass < 5; pass += 1) await one.tidy({ items: 1_000, mayExpire: true }, { now });
  assert.deepEqual((await one.find({ of: "jobs", ids: [first] }, { now })).rows, []);

  await store(other, job(first, { rememberMs: day }));
  await store(one, job("second", { after: [{ id: first, when: "well" }] }));
  assert.deepEqual(await finished(one, now), [first]);
  assert.deepEqual(await finished(one, now), ["second"]);
  for (const engine of engines) await engine.close();
  await place.done();
});

it("one call may name more than are remembered", { skip: redisMissing ?? false }, async () => {
  const place = await freshPlace();
  const engines = [redis(place.url, { prefix: place.prefix, partitions }), redis(place.url, { prefix: place.prefix })];
  const [one, other] = engines as [Engine, Engine];
  for (const engine of engines) await engine.open({ runtime: new ToldRuntime() });
  const [calls, each, afters] = [22, 500, 250];
  for (let call = 0; call < calls; call += 1) await one.enqueue([{ works: Array.from({ length: each }, (_, nth) => job(`${call} ${nth}`)) }], {});
  const named = Array.from({ length: calls * each }, (_, nth) => ({ id: `${Math.floor(nth / each)} ${nth % each}`, when: "well" as const }));
  const works = Array.from({ length: named.length / afters }, (_, nth) => job(`after ${nth}`, { after: named.slice(nth * afters, (nth + 1) * afters) }));
  const [answer] = await other.enqueue([{ works }], {});
  assert.ok(Array.isArray(answer), String(answer));
  for (const engine of engines) await engine.close();
  await place.done();
});

async function finished(engine: Engine, now: number): Promise<readonly string[]> {
  const queues = [{ queue: "mail", slots: 10, ahead: 0 }];
  const claim = `claim ${now} ${Math.random()}`;
  const claimed = await engine.claim({ process: "p", leaseMs, claim, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, { now });
  const outcomes = claimed.jobs.map(({ id, fence = claimed.fence }) => ({ id, claim, fence, is: "completed" as const, ranMs: 1 }));
  if (outcomes.length > 0) await engine.settle(outcomes, { now });
  return claimed.jobs.map(({ id }) => id);
}

function idAt(text: string, home: number): string {
  const id = Array.from({ length: 200 }, (_, nth) => `${text}${nth}`).find((one) => homeOfText(one, partitions) === home);
  return id ?? assert.fail("no id");
}
