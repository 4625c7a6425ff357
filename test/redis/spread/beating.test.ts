/** The thread that beats keeps what a process holds in all partitions; and what goes on in the others while one is away. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { beatSourceOf, openBeat } from "../../../src/redis/beatConnection.ts";
import { connectionOf } from "../../../src/redis/client.ts";
import { Home } from "../../../src/redis/spread/home.ts";
import { Spread } from "../../../src/redis/spread/spread.ts";
import { homeOfFence, homesOf } from "../../../src/redis/spread/homes.ts";
import { job, leaseMs } from "../../port/stage.ts";
import { freshPlace } from "../places.ts";
import { PrivateServer } from "../privateServer.ts";
import { noServer, redisMissing } from "../server.ts";
import { opened, ToldRuntime } from "../stage.ts";

const count = 3;
const longMs = 600_000;
const jobs = 30;

describe("a thread that beats over several partitions", { skip: redisMissing ?? false }, () => {
  it("renews the lease of its process in each, and hears of what is to be cancelled in any", async () => {
    const place = await freshPlace();
    await using open = await opened(place.url, { prefix: place.prefix, partitions: count });
    const { engine } = open;
    await engine.enqueue(
      Array.from({ length: jobs }, (_, nth) => ({ works: [job(`j${nth}`)] })),
      {},
    );
    const queues = [{ queue: "mail", slots: jobs, ahead: 0 }];
    const claimed = await engine.claim({ process: "p", leaseMs, claim: "c", lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, {});
    assert.equal(claimed.jobs.length, jobs);
    assert.equal(new Set(claimed.jobs.map(({ fence }) => fence)).size, count);
    const ids = claimed.jobs.map(({ id }) => id);
    await engine.change({ ids }, { do: "cancel", reason: "no need" }, jobs, {});
    const thread = openBeat(structuredClone(engine.beatSource?.().data));
    const heard = await thread.beat("p", longMs);
    assert.equal(heard.isLost, false);
    assert.deepEqual(heard.cancelled.toSorted(), ids.toSorted());
    assert.equal(heard.era, (await engine.beat("q", leaseMs, {})).era);
    const { rows, now } = await engine.find({ of: "jobs", ids }, {});
    for (const { claim } of rows) assert.ok((claim?.leaseUntil ?? 0) > now + longMs / 2);
    await thread.close();
    await engine.close();
    await place.done();
  });

  it("finds that a partition was emptied, and brings all into one era", async () => {
    const place = await freshPlace();
    await using open = await opened(place.url, { prefix: place.prefix, partitions: count });
    const thread = openBeat(structuredClone(open.engine.beatSource?.().data));
    const { era } = await thread.beat("p", leaseMs);
    const client = new Redis(place.url);
    const [, lost = ""] = homesOf(place.prefix, count);
    const keys = await client.keys(`${lost}:*`);
    await client.unlink(...keys);
    client.disconnect();
    const heard = await thread.beat("p", leaseMs);
    assert.notEqual(heard.era, era);
    assert.equal((await open.engine.beat("q", leaseMs, {})).era, heard.era);
    await thread.close();
    await open.engine.close();
    await place.done();
  });
});

describe("while one of three servers is away", { skip: noServer ?? false }, () => {
  const prefix = "away";
  const away = 2;
  const runtime = new ToldRuntime();
  let servers: readonly PrivateServer[] = [];
  let homes: readonly Home[] = [];

  before(async () => {
    servers = await Promise.all(Array.from({ length: count }, () => PrivateServer.start()));
    const hears = { told: () => undefined, mailed: async () => undefined, greeted: () => undefined };
    const open = homesOf(prefix, count).map((key, number) => {
      const { connection } = connectionOf(servers[number]?.url, { prefix, home: key });
      return Home.open({ runtime, connection, number, key, replicas: 0, homes: count, hears });
    });
    homes = await Promise.all(open);
  });

  after(async () => {
    await Promise.all(homes.map((home) => home.close()));
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });

  it("those that run in the others hear of their cancel and keep their lease, and what dead workers left there is taken back", async () => {
    const spread = new Spread(homes, runtime);
    await spread.begin({});
    const thread = openBeat(structuredClone(beatSourceOf(homes, homes[0]?.beating ?? assert.fail())?.data));
    const queues = [{ queue: "mail", slots: jobs, ahead: 0 }];
    await spread.enqueue(
      Array.from({ length: jobs }, (_, nth) => ({ works: [job(`j${nth}`)] })),
      {},
    );
    const claimed = await spread.claim({ process: "p", leaseMs, claim: "c", lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, {});
    const ids = claimed.jobs.map(({ id }) => id);
    const others = claimed.jobs.flatMap(({ id, fence }) => (homeOfFence(fence ?? 0) === away ? [] : [id]));
    assert.ok(ids.length === jobs && others.length > 0 && others.length < jobs);
    const unwanted = ids.filter((_, nth) => nth % 2 === 0);
    await spread.change({ ids: unwanted }, { do: "cancel", reason: "no need" }, jobs, {});
    const { era } = await thread.beat("p", leaseMs);
    await servers[away]?.kill();
    for (const heard of [await thread.beat("p", longMs), await spread.beat("p", longMs, {})]) {
      assert.deepEqual([heard.isPartial, heard.isLost, heard.era], [true, false, era]);
      assert.deepEqual(heard.cancelled.toSorted(), unwanted.filter((id) => others.includes(id)).toSorted());
    }
    const { now = 0 } = (await homes[0]?.verbs.tidy({ items: 1_000, mayExpire: false }, {})) ?? {};
    const passed = { items: 1_000, mayExpire: true };
    assert.equal((await spread.tidy(passed, { now: now + 2 * leaseMs })).takenBack, 0);
    const { takenBack } = await spread.tidy(passed, { now: now + 2 * longMs });
    assert.ok(takenBack >= others.filter((id) => !unwanted.includes(id)).length);
    await servers[away]?.start();
    await thread.close();
    await spread.close();
  });
});
