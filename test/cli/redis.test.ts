/** The command line on Redis. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { broker } from "../../src/index.ts";
import { TestCluster } from "../redis/cluster.ts";
import { freshPlace } from "../redis/places.ts";
import type { Place } from "../redis/places.ts";
import { PrivateServer } from "../redis/privateServer.ts";
import { noServer, redisMissing } from "../redis/server.ts";
import * as tasks from "./fixtures/tasks.ts";
import { Shop, tasksFile, type Ended } from "./shop.ts";

interface Told {
  readonly facts: Readonly<Record<string, string>>;
  readonly findings: readonly { readonly about: string; readonly what: string; readonly repair: string | null }[];
}

class OnRedis implements AsyncDisposable {
  readonly shop = new Shop();
  readonly url: string;
  readonly #done: () => Promise<void>;

  private constructor(url: string, done: () => Promise<void>) {
    this.url = url;
    this.#done = done;
  }

  static async open(): Promise<OnRedis> {
    const place: Place = await freshPlace();
    return new OnRedis(`${place.url}?prefix=${place.prefix}`, () => place.done());
  }

  /** On a server whose settings are changed. */
  static on(server: { readonly url: string }): OnRedis {
    return new OnRedis(`${server.url}/0?prefix=shop`, () => Promise.resolve());
  }

  errand(...args: readonly string[]): Promise<Ended> {
    return this.shop.ended(this.shop.start(args, { ERRAND_STORE: this.url }));
  }

  async doctor(): Promise<Told> {
    return JSON.parse((await this.errand("doctor", "--json")).out) as Told;
  }

  async findings(): Promise<readonly string[]> {
    return (await this.doctor()).findings.map(({ what }) => what);
  }

  async use(): Promise<void> {
    await using work = broker(this.url, tasks);
    await work.enqueue(tasks.greet.with({ name: "Ada" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shop[Symbol.asyncDispose]();
    await this.#done();
  }
}

const safe = { appendonly: "yes", appendfsync: "everysec" };

describe("the command line on Redis", { skip: redisMissing ?? false, concurrency: 2 }, () => {
  it("makes no store by looking at one", async () => {
    await using on = await OnRedis.open();
    for (const args of [["jobs"], ["queues", "pause", "mail"], ["locks"], ["metrics"]]) {
      const { code, err } = await on.errand(...args);
      assert.equal(code, 2);
      assert.match(err, /no app and no worker has used that prefix as a store yet; name another one \(\?prefix=…\)/);
    }
    assert.match((await on.findings()).join("\n"), /no app and no worker has used \{errand_test_\w+:0\} as a store yet; opening it makes it/);
  });

  it("lists, pauses, works off, cancels and redrives what an app handed in", async () => {
    await using on = await OnRedis.open();
    await using work = broker(on.url, tasks);
    await work.enqueue([tasks.greet.with({ name: "Ada" }), tasks.greet.with({ name: "Grace" }, { in: "1h" }), tasks.fail.with({ why: "550" })]);
    assert.equal((await on.errand("queues", "pause", "mail", "--reason", "down")).code, 0);
    assert.match((await on.errand("jobs")).out, /queue mail is paused/);
    assert.equal((await on.errand("queues", "resume", "mail")).code, 0);
    const worker = on.shop.start(["work", tasksFile], { ERRAND_STORE: on.url });
    const ended = on.shop.ended(worker);
    await on.shop.until("worked off", async () => (await work.count()).completed === 1 && (await work.count()).dead === 1);
    worker.kill("SIGTERM");
    assert.match((await ended).out, /^working on redis:\/\/\S+: (?:memory|aof-everysec|aof-always)\. /);
    assert.match((await on.errand("jobs", "--state", "dead")).out, /550/);
    assert.equal((await on.errand("jobs", "redrive", "--all")).code, 0);
    assert.equal((await on.errand("jobs", "cancel", "--state", "scheduled", "--task", "greet")).code, 0);
    const { ready, cancelled } = await work.count();
    assert.deepEqual([ready, cancelled], [1, 1]);
    for (const args of [["batches"], ["schedules"], ["rebuild", "--list"], ["locks"], ["metrics"]]) {
      const { code, err } = await on.errand(...args);
      assert.ok(code === 0 || code === 3, err);
    }
  });

  it("has no schema to migrate", async () => {
    await using on = await OnRedis.open();
    const { code, err } = await on.errand("migrate");
    assert.equal(code, 2);
    assert.match(err, /^errand: not-supported: .* has no schema of its own/);
    assert.match((await on.errand("doctor", "--schema", "shop")).err, /--schema is for PostgreSQL/);
  });
});

describe("errand doctor on Redis", { skip: noServer ?? false, concurrency: 2 }, () => {
  it("says what the server is, what it keeps and may lose, and whose store it is; and finds nothing where nothing is wrong", async () => {
    await using server = await PrivateServer.start({ settings: safe });
    await using on = OnRedis.on(server);
    await on.use();
    const { code, out, err } = await on.errand("doctor");
    assert.deepEqual([code, err.split("\n").at(-2)], [0, "nothing is wrong"], out);
    const { facts, findings } = await on.doctor();
    assert.deepEqual(findings, []);
    assert.match(facts["server"] ?? "", /^(?:Redis|Valkey) \d+\.\d+\.\d+.*, standalone$/);
    assert.deepEqual([facts["role"], facts["eviction"], facts["format"]], ["primary, 0 replicas", "none (noeviction)", "1"]);
    assert.match(facts["durability"] ?? "", /^aof-everysec\. .*loses what it acknowledged within the last second/);
    assert.match(facts["era"] ?? "", /^[0-9a-f]{32}$/);
    for (const [of, is] of Object.entries(facts))
      assert.match(out, new RegExp(`^${of} +${of === "memory" ? "" : is.slice(0, 12).replaceAll(/[()]/g, ".")}`, "m"));
  });

  it("tells how many partitions a store has, and of messages between them that nobody carries", async () => {
    await using on = await OnRedis.open();
    await using work = broker(`${on.url}&partitions=3`, tasks);
    await work.open();
    const { facts, findings } = await on.doctor();
    assert.match(facts["partitions"] ?? "", /^3: \{\S+:0\}, \{\S+:1\.\d+\}, \{\S+:2\.\d+\}$/);
    assert.equal(facts["mail"], "none waits");
    assert.deepEqual(
      findings.filter(({ about }) => about === "integrity"),
      [],
    );
    const [home = ""] = (facts["partitions"] ?? "").slice(3).split(", ");
    const client = new Redis(on.url.replace(/\?.*/, ""));
    await client.hset(`${home}:mail`, "out1", 3_000, "cut1", 500, "in2", 9_000);
    client.disconnect();
    assert.equal((await on.doctor()).facts["mail"], "2500 messages wait to be carried");
    assert.ok((await on.findings()).some((what) => what.startsWith("2500 messages between partitions wait to be carried, which every open process does")));
  });

  it("finds weak settings, and what it prints repairs them", async () => {
    await using server = await PrivateServer.start();
    await using on = OnRedis.on(server);
    await on.use();
    await server.ask("config", "set", "maxmemory-policy", "allkeys-lru");
    const { code, out } = await on.errand("doctor");
    assert.equal(code, 1);
    assert.match(out, /^-- settings: maxmemory-policy is allkeys-lru: when memory is short the server throws keys away/m);
    assert.match(out, /^-- settings: appendonly is no: a server that stops loses jobs$/m);
    const repairs = [...out.matchAll(/^CONFIG .*$/gm)].map(([line]) => line.split(" "));
    assert.equal(repairs.length, 2);
    for (const repair of repairs) assert.equal(await server.ask(...repair), "OK");
    await server.ask("config", "set", "appendfsync", "no");
    assert.deepEqual(await on.findings(), ["appendfsync is no: what was acknowledged in the last half minute can be lost"]);
    assert.equal(await server.ask("config", "set", "appendfsync", "everysec"), "OK");
    assert.deepEqual(await on.findings(), []);
  });

  it("finds that maxmemory is nearly used up", async () => {
    await using server = await PrivateServer.start({ settings: safe });
    await using on = OnRedis.on(server);
    await on.use();
    const used = Number(/used_memory:(\d+)/.exec(String(await server.ask("info", "memory")))?.[1]);
    await server.ask("config", "set", "maxmemory", String(Math.round(used * 1.1)));
    assert.match((await on.findings()).join("\n"), /^\d+ % of maxmemory is used; at all of it, what is handed in is refused with store-full/);
  });

  it("looks at a replica too, and says that it is one", async () => {
    await using server = await PrivateServer.start({ settings: safe });
    await OnRedis.on(server).use();
    await using replica = await server.replica();
    await using on = OnRedis.on(replica);
    const { facts, findings } = await on.doctor();
    assert.equal(facts["role"], `replica of 127.0.0.1:${server.port}`);
    assert.deepEqual(
      findings.map(({ what }) => what),
      ["the server is a replica, which cannot be written; connect to the primary"],
    );
  });

  it("tells that a new era is about to begin, and begins none", async () => {
    await using server = await PrivateServer.start({ settings: safe });
    await using on = OnRedis.on(server);
    await on.use();
    const { era = "" } = (await on.doctor()).facts;
    await server.stop("keep");
    await server.start();
    const after = (await on.doctor()).facts["era"] ?? "";
    assert.equal(after, `${era}; the server was restarted, promoted or rolled back since, so a new one begins with the next heartbeat`);
    assert.equal((await on.doctor()).facts["era"], after);
    await on.use();
    assert.match((await on.doctor()).facts["era"] ?? "", new RegExp(`^(?!${era})[0-9a-f]{32}$`));
  });

  it("finds the node of a Cluster that has the keys, as the other commands do", async () => {
    await using cluster = await TestCluster.start(safe);
    await using on = OnRedis.on(cluster);
    assert.match((await on.errand("jobs")).err, /no app and no worker has used that prefix/);
    await on.use();
    const { facts, findings } = await on.doctor();
    assert.deepEqual(findings, []);
    assert.match(facts["server"] ?? "", /, cluster$/);
    assert.equal(facts["role"], "primary, 1 replica");
    assert.match(facts["durability"] ?? "", /^aof-everysec\. .* With one partition a Cluster gives fail-over, not more throughput/);
    assert.match((await on.errand("jobs")).out, /greet .*ready/);
  });

  it("finds what is not errand's, what was taken away and what another errand wrote", async () => {
    await using server = await PrivateServer.start({ settings: safe });
    await using on = OnRedis.on(server);
    await server.ask("set", "{shop:0}:lines", "7");
    assert.deepEqual(await on.findings(), ["key {shop:0}:lines is a string that is not errand's; choose another prefix (?prefix=…), or take it away"]);
    await server.ask("del", "{shop:0}:lines");
    await on.use();
    await server.ask("hset", "{shop:0}:m", "format", "99");
    assert.deepEqual(await on.findings(), ["the store is of format 99, not 1: it was written by a newer errand; update errand here"]);
    await server.ask("del", "{shop:0}:m");
    assert.match((await on.findings()).join("\n"), /^there is a key \{shop:0\}:\w+, but none of what says whose it is/);
  });
});
