/** What an acknowledged write survives is read from the server, said at open, and noticed when it changes; replicas that were asked for have it, or it is in doubt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrandError } from "../../src/core/errors.ts";
import { connectionOf } from "../../src/redis/client.ts";
import type { Script } from "../../src/redis/fragment.ts";
import { job } from "../port/stage.ts";
import { Proxy } from "../postgres/proxy.ts";
import { PrivateServer } from "./privateServer.ts";
import type { Settings } from "./privateServer.ts";
import { noServer } from "./server.ts";
import { opened } from "./stage.ts";

interface Row {
  readonly settings: Settings;
  readonly level: "memory" | "aof-everysec" | "aof-always";
  readonly says: RegExp;
}

const rows: readonly Row[] = [
  { settings: {}, level: "memory", says: /loses everything since its last snapshot.*It takes no snapshots/ },
  { settings: { save: "3600 1" }, level: "memory", says: /It takes snapshots \(save 3600 1\), which do not count/ },
  { settings: { appendonly: "yes", appendfsync: "no" }, level: "memory", says: /appendfsync no.*the machine writes that when it likes/ },
  { settings: { appendonly: "yes" }, level: "aof-everysec", says: /loses what it acknowledged within the last second/ },
  { settings: { appendonly: "yes", "no-appendfsync-on-rewrite": "yes" }, level: "aof-everysec", says: /While it rewrites its file .* it loses more/ },
  { settings: { appendonly: "yes", appendfsync: "always" }, level: "aof-always", says: /on the server's disk before it is acknowledged/ },
];

describe("durability", { skip: noServer ?? false }, () => {
  for (const { settings, level, says } of rows) {
    it(`of a server with ${JSON.stringify(settings)} is ${level}: its log and its guarantees say so, with what it may lose`, async () => {
      await using server = await PrivateServer.start({ settings });
      await using open = await opened(server.url);
      const { durability, weaker } = open.engine.guarantees();
      assert.ok(durability.startsWith(`${level}. `), durability);
      assert.match(durability, says);
      assert.match(open.runtime.of("info").join("\n"), new RegExp(`durability of the store: ${level}\\. `));
      assert.equal("G1" in weaker, level !== "aof-always");
    });
  }

  it("is taken for a second's where CONFIG may not be read, and that is said", async () => {
    await using server = await PrivateServer.start({ settings: { appendonly: "yes", appendfsync: "always" } });
    await server.ask("acl", "setuser", "app", "on", ">secret", "~*", "&*", "+@all", "-config");
    await using open = await opened(server.url.replace("//", "//app:secret@"));
    assert.match(open.engine.guarantees().durability, /^aof-everysec\. .*may not read CONFIG/);
  });

  it("is read again each minute: what became weaker is a warning, and what throws keys away an error, once", async () => {
    await using server = await PrivateServer.start({ settings: { appendonly: "yes", appendfsync: "always" } });
    const open = await opened(server.url);
    const minute = async (): Promise<void> => {
      assert.equal(open.runtime.waiting, 1);
      const asked = await infos(server);
      open.runtime.pass();
      while ((await infos(server)) < asked + 3) await sleep(5);
      await open.engine.count({});
    };
    await minute();
    assert.deepEqual(open.runtime.of("warn"), []);
    await server.ask("config", "set", "appendfsync", "everysec");
    await minute();
    assert.match(open.runtime.of("warn").join(), /survives less than before: aof-everysec/);
    assert.match(open.engine.guarantees().durability, /^aof-everysec/);
    await server.ask("config", "set", "maxmemory-policy", "allkeys-lru");
    await minute();
    await minute();
    assert.equal(open.runtime.of("error").filter((message) => /maxmemory-policy was changed/.test(message)).length, 1);
    await server.ask("config", "set", "appendfsync", "always");
    await minute();
    assert.equal(open.runtime.of("warn").length, 1);
    await open.engine.close();
    assert.equal(open.runtime.waiting, 0);
  });

  it("aof-always: what was acknowledged is there after kill -9", async () => {
    await using server = await PrivateServer.start({ settings: { appendonly: "yes", appendfsync: "always" } });
    await using open = await opened(server.url);
    for (let round = 1; round <= 3; round += 1) {
      await open.engine.enqueue([{ works: [job(`a${round}`)] }], {});
      await server.kill();
      await server.start();
      const counts = await answered(async () => open.engine.count({}));
      assert.deepEqual(
        counts.map(({ jobs }) => jobs),
        [round],
      );
    }
  });
});

const writing: Script = { name: "writing", text: "return redis.call('INCR', KEYS[1])" };
const key = "{errand:0}:x";

describe("replicated(n)", { skip: noServer ?? false }, () => {
  it("is said, with what the primary's own disk keeps", async () => {
    await using server = await PrivateServer.start({ settings: { appendonly: "yes" } });
    await using replica = await server.replica();
    await using open = await opened(server.url, { replicas: 1 });
    assert.match(open.engine.guarantees().durability, /^replicated\(1\)\. At least one replica has each write.*aof-everysec/);
    await open.engine.enqueue([{ works: [job("a")] }], {});
    assert.equal(Number(await replica.ask("hget", "{errand:0}:m", "seq")), 1);
  });

  it("a replica has what was written when that is acknowledged, each of many at once", async () => {
    await using server = await PrivateServer.start();
    await using replica = await server.replica();
    const { connection } = connectionOf(server.url, { replicas: 1 });
    for (let round = 1; round <= 20; round += 1) {
      await connection.write(writing, key, []);
      assert.equal(await replica.ask("get", key), String(round));
    }
    await Promise.all(Array.from({ length: 100 }, () => connection.write(writing, key, [])));
    assert.equal(await replica.ask("get", key), "120");
    const [, waits = ""] = /cmdstat_wait:calls=(\d+)/.exec(String(await server.ask("info", "commandstats"))) ?? [];
    assert.ok(Number(waits) < 20 + 50, `${waits} waits for 20 writes alone and 100 at once`);
    await connection.close();
  });

  it("a replica that does not take it makes the call indefinite, though it is stored; once it takes it, calls are acknowledged", async () => {
    await using server = await PrivateServer.start();
    await using wire = await Proxy.before(server.url);
    await using replica = await server.replica(wire.url);
    const { connection } = connectionOf(server.url, { replicas: 1 });
    assert.equal(await connection.write(writing, key, []), 1);
    wire.freeze();
    await doubtful(() => connection.write(writing, key, []), /0 of 1 replica had it within 2 s/);
    assert.equal(await server.ask("get", key), "2");
    assert.equal(await connection.run(writing, key, []), 3);
    wire.cut();
    await answered(() => connection.write(writing, key, []));
    assert.equal(await replica.ask("get", key), await server.ask("get", key));
    await connection.close();
  });

  it("fewer replicas than asked for are warned of when the store is opened, and make each write indefinite", async () => {
    await using server = await PrivateServer.start();
    await using replica = await server.replica();
    await using open = await opened(server.url, { replicas: 2 });
    assert.match(open.runtime.of("warn").join(), /1 of 2 replicas follow the server/);
    const { connection } = connectionOf(server.url, { replicas: 2 });
    await doubtful(() => connection.write(writing, key, []), /1 of 2 replicas had it/);
    assert.equal(await replica.ask("get", key), "1");
    await connection.close();
  });

  it("a primary that is killed while a replica is waited for leaves it in doubt", async () => {
    await using server = await PrivateServer.start();
    const { connection } = connectionOf(server.url, { replicas: 1 });
    const call = doubtful(() => connection.write(writing, key, []), /store-unreachable/);
    while (!String(await server.ask("info", "clients")).includes("blocked_clients:1")) await sleep(5);
    await server.kill();
    await call;
    await connection.close();
  });
});

async function doubtful(call: () => Promise<unknown>, says: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(ErrandError.is(error, "store-unreachable"), String(error));
    assert.equal(error.isDefinite, false);
    assert.match(error.message, says);
    return true;
  });
}

async function answered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch {
      await sleep(20);
    }
  }
}

/** How often the server was asked for a setting. */
async function infos(server: PrivateServer): Promise<number> {
  const stats = String(await server.ask("info", "commandstats"));
  return Number(/cmdstat_config\|get:calls=(\d+)/.exec(stats)?.[1] ?? /cmdstat_config:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
