/** A cluster of six real nodes: errand's keys are found wherever they are, waited for while they are on their way, and served again after their node dies. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "ioredis";
import { Cluster as ValkeyCluster } from "iovalkey";
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { openBeat } from "../../src/redis/beatConnection.ts";
import { connectionOf } from "../../src/redis/client.ts";
import type { GivenOptions } from "../../src/redis/client.ts";
import type { Script } from "../../src/redis/fragment.ts";
import { homeOf } from "../../src/redis/prefix.ts";
import type { RedisConnection } from "../../src/redis/redisConnection.ts";
import { brief } from "../crash/definitions.ts";
import { Proxy } from "../postgres/proxy.ts";
import { Fleet, now } from "../crash/fleet.ts";
import { job, leaseMs } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { TestCluster } from "./cluster.ts";
import type { Shard } from "./cluster.ts";
import type { PrivateServer } from "./privateServer.ts";
import { noServer } from "./server.ts";
import { opened } from "./stage.ts";

const writing: Script = { name: "writing", text: "return redis.call('INCR', KEYS[1] .. ':n')" };
const backWithinMs = 2_000;
const waitsMs = 20_000;
let cluster: TestCluster;
let made = 0;

/** Keys of their own, the shard that has them, and another one. */
interface Ground {
  readonly prefix: string;
  readonly home: string;
  readonly slot: number;
  readonly owner: Shard;
  readonly other: Shard;
}

async function ground(): Promise<Ground> {
  const prefix = `p${++made}`;
  const home = homeOf(prefix);
  const owner = await cluster.shardOf(home);
  const other = cluster.shards.find((shard) => shard !== owner);
  assert.ok(other);
  return { prefix, home, slot: await cluster.slotOf(home), owner, other };
}

describe("a Redis Cluster", { skip: noServer ?? false }, () => {
  before(async () => {
    cluster = await TestCluster.start();
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  for (const [claim, given] of [
    ["its URL", () => cluster.url],
    ["the URL of one node", () => `redis+cluster://127.0.0.1:${cluster.shards[0]?.replica.port}/0`],
    ["a Cluster of ioredis that never connected", () => new Cluster(addresses(), { lazyConnect: true })],
    ["a Cluster of iovalkey that never connected", () => new ValkeyCluster(addresses(), { lazyConnect: true })],
    ["a Cluster of ioredis that the app uses", () => used(new Cluster(addresses().slice(0, 1)))],
    ["a Cluster that lost the nodes it was made with", lostSeeds],
  ] as const) {
    it(`by ${claim} has all keys of a store on one node, and the app's value is left as it is`, async () => {
      const { prefix, owner } = await ground();
      const value = await given();
      const status = typeof value === "string" ? "" : value.status;
      await using open = await opened(value, { prefix });
      await open.engine.enqueue([{ works: [job("a")] }], {});
      assert.deepEqual(await claimed(open.engine), ["a"]);
      assert.equal(Number(await owner.master.ask("hget", `${homeOf(prefix)}:m`, "seq")), 1);
      if (typeof value === "string") return;
      assert.equal(value.status, status);
      value.disconnect();
    });
  }

  it("gives fail-over, not more throughput, and says so; each node's guarantees are those of the one that has the keys", async () => {
    const { prefix, owner } = await ground();
    await owner.master.ask("config", "set", "appendonly", "yes");
    await owner.master.ask("config", "set", "appendfsync", "always");
    await using open = await opened(cluster.url, { prefix });
    const { durability, weaker } = open.engine.guarantees();
    await owner.master.ask("config", "set", "appendonly", "no");
    assert.match(durability, /^aof-always\. .*With one partition a Cluster gives fail-over, not more throughput/);
    assert.match(weaker.G1 ?? "", /a fail-over loses what the promoted replica lacks/);
  });

  it("is refused where the node that has the keys evicts; another one may", async () => {
    const { prefix, owner, other } = await ground();
    await other.master.ask("config", "set", "maxmemory-policy", "allkeys-lru");
    await using open = await opened(cluster.url, { prefix });
    assert.equal((await open.engine.count({})).length, 0);
    await owner.master.ask("config", "set", "maxmemory-policy", "allkeys-lru");
    await assert.rejects(opened(cluster.url, { prefix: (await sameSlot(prefix)) ?? prefix }), (error) => ErrandError.is(error, "store-unsafe"));
    for (const { master } of [owner, other]) await master.ask("config", "set", "maxmemory-policy", "noeviction");
  });

  it("MOVED: a slot that went elsewhere is found there, by each of many calls at once, once", async () => {
    const { prefix, home, slot, owner, other } = await ground();
    await using open = connected({ prefix, clock: undefined });
    assert.equal(await open.run(writing, home, []), 1);
    await cluster.beginMove(slot, owner.master, other.master);
    await cluster.endMove(slot, owner.master, other.master);
    const numbers = (await Promise.all(Array.from({ length: 50 }, () => open.run(writing, home, [])))) as number[];
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, n) => n + 2),
    );
    assert.equal(await other.master.ask("get", `${home}:n`), "51");
  });

  it("ASK: while a slot is on its way no script runs, on neither side, whatever has been sent; waiting is bounded, definite, and ends when it has arrived", async () => {
    const { prefix, home, slot, owner, other } = await ground();
    await using open = connected({ prefix });
    for (let n = 1; n <= 3; n += 1) await owner.master.ask("set", `${home}:k${n}`, "v");
    assert.equal(await open.run(writing, home, []), 1);
    await cluster.beginMove(slot, owner.master, other.master);
    const begin = performance.now();
    const error = await open.run(writing, home, []).catch((thrown: unknown) => thrown);
    assert.ok(ErrandError.is(error, "store-busy") && error.isDefinite, String(error));
    assert.equal(error.details["answer"], "ASK");
    assert.ok(performance.now() - begin < backWithinMs + 500);
    await cluster.moveKeys(slot, owner.master, other.master, 2);
    const waiting = Promise.all([open.run(writing, home, []), open.run(writing, home, [])]);
    await using late = connected({ prefix });
    const first = late.run(writing, home, []);
    await sleep(100);
    await cluster.endMove(slot, owner.master, other.master);
    assert.deepEqual([...(await waiting), await first].map(Number).toSorted(), [2, 3, 4]);
    assert.equal(await other.master.ask("get", `${home}:n`), "4");
  });

  it("TRYAGAIN is waited out", async () => {
    const { prefix, home, slot, owner, other } = await ground();
    await using open = connected({ prefix });
    for (const name of ["a", "b"]) await open.ask("set", `${home}:${name}`, name);
    await cluster.beginMove(slot, owner.master, other.master);
    await cluster.moveKeys(slot, owner.master, other.master, 1);
    await assert.rejects(owner.master.ask("mget", `${home}:a`, `${home}:b`), /TRYAGAIN/);
    const both = open.ask("mget", `${home}:a`, `${home}:b`);
    await sleep(50);
    await cluster.endMove(slot, owner.master, other.master);
    assert.deepEqual(await both, ["a", "b"]);
  });

  it("CLUSTERDOWN: a slot that nobody serves is definite, and the call is answered as soon as somebody does", async () => {
    const { prefix, home, slot, owner } = await ground();
    await using open = connected({ prefix });
    assert.equal(await open.run(writing, home, []), 1);
    const masters = cluster.shards.map(({ master }) => master);
    for (const master of masters) await master.ask("cluster", "delslots", String(slot));
    const error = await open.run(writing, home, []).catch((thrown: unknown) => thrown);
    assert.ok(ErrandError.is(error, "store-unreachable") && error.isDefinite, String(error));
    assert.equal(error.details["answer"], "CLUSTERDOWN");
    const waiting = open.run(writing, home, []);
    await sleep(50);
    await owner.master.ask("cluster", "addslots", String(slot));
    // All of it, since nodes that do not serve all slots serve none.
    assert.equal(await eventually(() => waiting.catch(() => open.run(writing, home, []))), Number(await owner.master.ask("get", `${home}:n`)));
    for (const { master } of cluster.shards) await cluster.served(master, await keyOn(master));
  });

  it("is heard where the keys are: the subscription follows them", async () => {
    const { prefix, home, slot, owner, other } = await ground();
    await using open = await opened(cluster.url, { prefix });
    const unlisten = await open.engine.listen(() => undefined);
    await heardAt(owner.master, home);
    await cluster.beginMove(slot, owner.master, other.master);
    await cluster.endMove(slot, owner.master, other.master);
    await open.engine.count({});
    await heardAt(other.master, home);
    unlisten();
    await connections(owner.master, home, 0);
  });

  it("behind addresses of its own is reached through them alone", async () => {
    const { prefix } = await ground();
    const proxies = await Promise.all(cluster.nodes.map(async ({ url }) => Proxy.before(url)));
    const natMap = Object.fromEntries(cluster.nodes.map(({ port }, at) => [`127.0.0.1:${port}`, addressOf(proxies[at]?.url ?? "")]));
    const given = new Cluster([addressOf(proxies[0]?.url ?? "")], { natMap, lazyConnect: true });
    const before = await clientsOf();
    await using open = await opened(given, { prefix });
    await open.engine.enqueue([{ works: [job("a")] }], {});
    const source = open.engine.beatSource?.();
    const beat = openBeat(structuredClone(source?.data));
    await beat.beat("p", leaseMs);
    assert.equal(
      (await clientsOf()) - before,
      proxies.reduce((sum, { connections }) => sum + connections, 0),
    );
    await beat.close();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  });

  it("workers drain while the slot is moved there and back: every job runs, no producer is left in doubt, and the wake-ups go on", async () => {
    const { prefix, slot, owner, other } = await ground();
    await using fleet = new Fleet({ url: `${cluster.url}?prefix=${prefix}`, dispose: () => undefined });
    await fleet.work.open();
    await fleet.worker({ hands: 5 });
    await fleet.worker({ hands: 5 });
    const handing = { isOver: false, accepted: [] as number[], refused: 0 };
    const producing = produce(fleet, handing);
    for (const [from, to] of [
      [owner.master, other.master],
      [other.master, owner.master],
    ] as const) {
      await fleet.until("work goes on", () => fleet.lines().length > 40 + handing.accepted.length / 4, 20);
      await cluster.beginMove(slot, from, to);
      await cluster.moveKeys(slot, from, to, 5);
      await sleep(300);
      await cluster.endMove(slot, from, to);
      const from_ = handing.accepted.length;
      await fleet.until("more is accepted", () => handing.accepted.length > from_ + 20, 20);
    }
    handing.isOver = true;
    await producing;
    await fleet.until("all has run", () => isDone(fleet, handing.accepted), 20);
    assert.ok(handing.accepted.length > 60);
  });
});

describe("a Redis Cluster whose node dies", { skip: noServer ?? false }, () => {
  before(async () => {
    cluster = await TestCluster.start({}, 1_000);
  });
  afterEach(() => cluster.revive());
  after(() => cluster?.[Symbol.asyncDispose]());

  it("goes on at the replica: what that had runs as promised, a new era is told, and workers claim within 2 s of the slot being served", async (context) => {
    const { prefix, home, owner } = await ground();
    await using fleet = new Fleet({ url: `${cluster.url}?prefix=${prefix}`, dispose: () => undefined });
    await fleet.work.open();
    await using open = await opened(cluster.url, { prefix });
    const { era } = await open.engine.beat("p", leaseMs, {});
    await fleet.worker({ hands: 2 });
    await fleet.worker({ hands: 2 });
    const accepted = Array.from({ length: 300 }, (_, n) => n);
    await fleet.work.enqueue(accepted.map((n) => brief.with({ n, ms: 20 })));
    await cluster.caughtUp(owner);
    await fleet.until("some have run", () => fleet.lines().length > 40, 20);
    await cluster.killMaster(owner);
    const served = await cluster.served(owner.replica, home);
    const at = now() - (performance.now() - served);
    await fleet.until("a worker has claimed", () => fleet.lines().some((line) => line.is === "start" && line.at > at), 10);
    const first = fleet.lines().find((line) => line.is === "start" && line.at > at)?.at ?? 0;
    context.diagnostic(`first start ${Math.round(first - at)} ms after the slot was served`);
    assert.ok(first - at <= backWithinMs, `${first - at} ms`);
    await fleet.until("all has run", () => isDone(fleet, accepted), 20);
    assert.notEqual((await open.engine.beat("p", leaseMs, {})).era, era);
  });

  it("leaves a call in doubt that was under way, makes it once, and answers the next ones", async () => {
    const { prefix, home, owner } = await ground();
    await using open = connected({ prefix });
    const counted: Script = { name: "counted", text: "for i = 1, 3e8 do end return redis.call('INCR', KEYS[1] .. ':n')" };
    assert.equal(await open.run(writing, home, []), 1);
    await cluster.caughtUp(owner);
    const call = open.run(counted, home, []);
    await sleep(100);
    const begin = performance.now();
    await cluster.killMaster(owner);
    await assert.rejects(call, (error) => ErrandError.is(error, "store-unreachable") && !error.isDefinite);
    assert.ok(performance.now() - begin < 1_000);
    await cluster.served(owner.replica, home);
    assert.equal(await eventually(async () => open.run(writing, home, [])), 2);
  });

  it("hears wake-ups through nodes that live, also while the one that it listened to is away", async () => {
    const { prefix, home, owner } = await ground();
    await using open = await opened(cluster.url, { prefix });
    let woken = 0;
    const unlisten = await open.engine.listen(() => void (woken += 1));
    await hears(() => woken, open.engine);
    await cluster.killMaster(owner);
    await cluster.served(owner.replica, home);
    await using other = await opened(cluster.url, { prefix });
    await hears(() => woken, other.engine);
    unlisten();
  });

  it("is beaten from a thread's connection, which finds the next node by itself", async () => {
    const { prefix, home, owner } = await ground();
    await using open = await opened(cluster.url, { prefix });
    const source = open.engine.beatSource?.();
    assert.ok(source);
    const beat = openBeat(structuredClone(source.data));
    const { era } = await beat.beat("p", leaseMs);
    await cluster.killMaster(owner);
    await cluster.served(owner.replica, home);
    const heard = await eventually(async () => beat.beat("p", leaseMs));
    assert.notEqual(heard.era, era);
    await beat.close();
  });
});

function addresses(): { host: string; port: number }[] {
  return cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
}

async function used(given: Cluster): Promise<Cluster> {
  await given.ping();
  return given;
}

/** Connected by then: it knows the others. */
async function lostSeeds(): Promise<Cluster> {
  const given = await used(new Cluster([{ host: "127.0.0.1", port: 1 }, ...addresses().slice(0, 1)]));
  (given as unknown as { startupNodes: unknown[] }).startupNodes = [{ host: "127.0.0.1", port: 1 }];
  return given;
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** Connections to all nodes that are not each other's, nor the one that asks. */
async function clientsOf(): Promise<number> {
  const lists = await Promise.all(cluster.nodes.map(async (server) => String(await server.ask("client", "list", "type", "normal"))));
  return lists.reduce((sum, list) => sum + Array.from(list.matchAll(/ name=errand /g)).length, 0);
}

async function heardAt(server: PrivateServer, home: string): Promise<void> {
  await connections(server, home, 1);
  for (const other of cluster.nodes) if (other !== server) await connections(other, home, 0);
}

/** So many hear the channel on this node. */
async function connections(server: PrivateServer, home: string, count: number): Promise<void> {
  const limit = performance.now() + waitsMs;
  while (((await server.ask("pubsub", "numsub", `${home}:wake`)) as unknown[])[1] !== count) {
    assert.ok(performance.now() < limit, "the subscription is elsewhere");
    await sleep(5);
  }
}

function connected(options: GivenOptions): RedisConnection & AsyncDisposable {
  const { connection } = connectionOf(cluster.url, { clock: new StillRuntime(), ...options });
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

async function claimed(engine: Engine): Promise<readonly string[]> {
  const queues = [{ queue: "mail", slots: 10, ahead: 0 }];
  const { jobs } = await engine.claim({ process: "p", leaseMs, claim: "c", lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, {});
  return jobs.map(({ id }) => id);
}

async function keyOn(server: PrivateServer): Promise<string> {
  for (let n = 0; ; n += 1) if ((await cluster.shardOf(`k${n}`)).master === server) return `k${n}`;
}

/** Another prefix on the same node. */
async function sameSlot(prefix: string): Promise<string> {
  const { master } = await cluster.shardOf(homeOf(prefix));
  for (let n = 0; ; n += 1) if ((await cluster.shardOf(homeOf(`q${n}`))).master === master) return `q${n}`;
}

async function produce(fleet: Fleet, handing: { isOver: boolean; accepted: number[]; refused: number }): Promise<void> {
  for (let n = 0; !handing.isOver; n += 1) {
    try {
      await fleet.work.enqueue(brief.with({ n, ms: 2 }));
      handing.accepted.push(n);
    } catch (error) {
      assert.ok(ErrandError.is(error) && error.isDefinite, String(error));
      handing.refused += 1;
    }
    await sleep(5);
  }
}

function isDone(fleet: Fleet, accepted: readonly number[]): boolean {
  const ended = new Set(fleet.lines().flatMap(({ is, n }) => (is === "end" ? [n] : [])));
  return accepted.every((n) => ended.has(n));
}

async function hears(woken: () => number, engine: Engine): Promise<void> {
  const before = woken();
  const limit = performance.now() + waitsMs;
  for (let n = 0; woken() === before; n += 1) {
    assert.ok(performance.now() < limit, "nothing is heard");
    await eventually(async () => engine.enqueue([{ works: [job(`w${before}-${n}`)] }], {}));
    await sleep(20);
  }
}

async function eventually<T>(call: () => Promise<T>): Promise<T> {
  const limit = performance.now() + waitsMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!ErrandError.is(error) || performance.now() > limit) throw error;
      await sleep(20);
    }
  }
}
