/** What a store keeps of jobs that are gone, and what a script costs, however many jobs run. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import type { Claimed, Engine, NewJob, NewWork } from "../../src/core/engine.ts";
import { homeOf } from "../../src/redis/prefix.ts";
import { job, start } from "../port/stage.ts";
import { freshPlace } from "./places.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer, redisMissing } from "./server.ts";
import { opened } from "./stage.ts";

const at = { now: start };
const short = { completed: 1_000, skipped: 1_000, cancelled: 1_000, dead: 1_000 };
const perAtom = 500;

describe("what is kept", { skip: redisMissing ?? false }, () => {
  it("of queues and tasks whose jobs are gone is nothing", () =>
    withStore(async (engine, client, home) => {
      const works = Array.from({ length: 200 }, (_, n) => job(`j${n}`, { queue: `queue${n}`, keep: short }));
      const others = works.map((work) => ({ ...work, id: `${work.id} remembered`, rememberMs: 1 }));
      await store(engine, [...works, ...others]);
      await engine.change({ ids: [...works, ...others].map(({ id }) => id) }, { do: "cancel", reason: "not wanted" }, 1_000, at);
      assert.equal(await client.hlen(`${home}:lines`), works.length);
      await engine.tidy({ items: 1_000, mayExpire: false }, { now: start + 5_000 });
      assert.deepEqual(await engine.count(at), []);
      assert.deepEqual(await client.keys(`${home}:*`), [`${home}:m`]);
      await store(engine, works);
      assert.equal((await engine.count(at)).length, works.length);
      assert.equal((await claim(engine, "again", 1_000, { queue: "queue7" })).jobs[0]?.id, "j7");
    }));

  it("of limits that nobody uses is nothing, also of one that was passed on the way to another", () =>
    withStore(async (engine, client, home) => {
      const limitsOf = (...keys: readonly string[]): Partial<NewJob> => ({ keep: short, keyLimits: keys.map((key) => ({ key, is: { running: 1 } })) });
      await store(engine, [job("a", limitsOf("z")), job("b", limitsOf("x", "y", "z"))]);
      await engine.change({ ids: ["b", "a"] }, { do: "cancel", reason: "not wanted" }, 10, at);
      await engine.tidy({ items: 1_000, mayExpire: false }, { now: start + 5_000 });
      assert.deepEqual(await client.keys(`${home}:*`), [`${home}:m`]);
    }));

  it("of head starts that are all different is little, and each counts", () =>
    withStore(async (engine, client, home) => {
      const many = 2_500;
      await store(
        engine,
        Array.from({ length: many }, (_, n) => job(`j${n}`, { headStartMs: n })),
      );
      assert.ok((await client.hlen(`${home}:tn`)) <= 1_000);
      const ids: string[] = [];
      for (let round = 0; round < 3; round += 1) ids.push(...(await claim(engine, `c${round}`, 1_000)).jobs.map(({ id }) => id));
      assert.deepEqual(
        ids,
        Array.from({ length: many }, (_, n) => `j${many - 1 - n}`),
      );
    }));
});

describe("odd requests", { skip: redisMissing ?? false }, () => {
  it("a delay of half a millisecond leaves one job, which is handed out once", () =>
    withStore(async (engine) => {
      await store(engine, [job("a", { delayMs: 1.5 }), job("b", { dueAt: start + 1.25 })]);
      await engine.change({ ids: ["a", "b"] }, { do: "prioritise", headStartMs: 5 }, 10, at);
      await engine.tidy({ items: 1_000, mayExpire: false }, { now: start + 10 });
      assert.deepEqual(await engine.count(at), [{ queue: "mail", task: "send", state: "ready", jobs: 2 }]);
      assert.deepEqual((await claim(engine, "c", 10)).jobs.map(({ id }) => id).toSorted(), ["a", "b"]);
      assert.deepEqual((await claim(engine, "d", 10)).jobs, []);
    }));

  it("a reason that was cut in the middle of an emoji is kept", () =>
    withStore(async (engine) => {
      await store(engine, [job("a")]);
      await engine.change({ ids: ["a"] }, { do: "cancel", reason: "sad 😢".slice(0, 5) }, 10, at);
      const [row] = (await engine.find({ of: "jobs", ids: ["a"] }, at)).rows;
      assert.deepEqual([row?.state, row?.reason], ["cancelled", "sad \ufffd"]);
    }));

  it("a job that was cancelled while it ran, and completed, does not claim to have run for no time", () =>
    withStore(async (engine) => {
      await store(engine, [job("a")]);
      const { fence } = await claim(engine, "c", 1);
      await engine.change({ ids: ["a"] }, { do: "cancel", reason: "not wanted" }, 10, at);
      await engine.settle([{ id: "a", claim: "c", fence, is: "completed", ranMs: 700 }], at);
      const [row] = (await engine.find({ of: "jobs", ids: ["a"] }, at)).rows;
      assert.deepEqual([row?.state, row?.history.length, row?.history[0]?.ranMs === 0], ["cancelled", 1, false]);
    }));
});

describe("what one script does", { skip: redisMissing ?? false }, () => {
  it("a claim answers so many bytes, and the next ones the rest", () =>
    withStore(async (engine) => {
      const payload = `"${"x".repeat(256 * 1_024 - 2)}"`;
      const works = Array.from({ length: 150 }, (_, n) => job(`j${n}`, { payload, rememberMs: 1 }));
      await store(engine, works);
      const ids: string[][] = [];
      for (let round = 0; round < 4; round += 1) ids.push((await claim(engine, `c${round}`, 1_000)).jobs.map(({ id }) => id));
      assert.ok((ids[0]?.length ?? 0) < 100, `${ids[0]?.length} jobs of 256 KiB in one answer`);
      assert.deepEqual(
        ids.flat(),
        works.map(({ id }) => id),
      );
    }));

  it("of many jobs that each come after many, it lets some go, and tidy the others", () =>
    withStore(async (engine) => {
      const before = Array.from({ length: 300 }, (_, n) => job(`before${n}`));
      const after = before.map(({ id }) => ({ id, when: "well" }) as const);
      await store(engine, [...before, ...Array.from({ length: 200 }, (_, n) => job(`after${n}`, { after }))]);
      const { jobs, fence } = await claim(engine, "c", 1_000);
      await engine.settle(
        jobs.map(({ id }) => ({ id, claim: "c", fence, is: "completed", ranMs: 1 })),
        at,
      );
      const left = async (): Promise<number> => (await engine.count(at)).find(({ state }) => state === "blocked")?.jobs ?? 0;
      assert.ok((await left()) > 0);
      for (let passes = 0; (await engine.tidy({ items: 1_000, mayExpire: false }, at)).hasMore; passes += 1) assert.ok(passes < 10);
      assert.equal(await left(), 0);
    }));
});

describe("among many claims that run", { skip: noServer ?? false }, () => {
  it("an outcome and a change cost as many commands as among few", async () => {
    await using server = await PrivateServer.start();
    await using open = await opened(server.url);
    const { engine } = open;
    const costs = async (name: string): Promise<number[]> => {
      await store(engine, [job(`${name} result`, { headStartMs: 5_000 }), job(`${name} cancelled`)]);
      const { fence } = await claim(engine, name, 1);
      const settled = await commands(server, () => engine.settle([{ id: `${name} result`, claim: name, fence, is: "completed", result: "1", ranMs: 1 }], at));
      const cancelled = await commands(server, () => engine.change({ ids: [`${name} cancelled`] }, { do: "cancel", reason: "not wanted" }, 10, at));
      return [settled, cancelled];
    };
    await runMany(engine, "few", 3);
    await costs("warm");
    const few = await costs("few");
    await runMany(engine, "many", 200);
    assert.deepEqual(await costs("many"), few);
  });
});

/** So many claims hold one job each. */
async function runMany(engine: Engine, name: string, count: number): Promise<void> {
  await store(
    engine,
    Array.from({ length: count }, (_, n) => job(`${name}${n}`)),
  );
  for (let n = 0; n < count; n += 1) assert.equal((await claim(engine, `${name}${n}`, 1)).jobs.length, 1);
}

/** How many the server ran, within scripts too. */
async function commands(server: PrivateServer, work: () => unknown): Promise<number> {
  await server.ask("config", "resetstat");
  await work();
  const stats = String(await server.ask("info", "commandstats"));
  const counts = [...stats.matchAll(/cmdstat_(h|z|s)\w+:calls=(\d+)/g)].map(([, , calls]) => Number(calls));
  return counts.reduce((sum, calls) => sum + calls, 0);
}

async function claim(engine: Engine, name: string, slots: number, { queue = "mail" } = {}): Promise<Claimed> {
  const queues = [{ queue, slots, ahead: 0 }];
  return engine.claim({ process: "p", leaseMs: 8_000, claim: name, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, at);
}

async function store(engine: Engine, works: readonly NewWork[]): Promise<void> {
  const atoms = Array.from({ length: Math.ceil(works.length / perAtom) }, (_, n) => ({ works: works.slice(n * perAtom, (n + 1) * perAtom) }));
  for (const answer of await engine.enqueue(atoms, at)) assert.ok(Array.isArray(answer), String(answer));
}

async function withStore(work: (engine: Engine, client: Redis, home: string) => Promise<void>): Promise<void> {
  const { url, prefix, done } = await freshPlace();
  const client = new Redis(url);
  try {
    await using open = await opened(url, { prefix });
    await work(open.engine, client, homeOf(prefix));
  } finally {
    client.disconnect();
    await done();
  }
}
