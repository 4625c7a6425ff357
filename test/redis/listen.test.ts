/** Whoever waits for work hears of it from any process, and of what was missed while the connection was away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import type { Runtime } from "../../src/core/runtime.ts";
import { connectionOf } from "../../src/redis/client.ts";
import type { Connection } from "../../src/redis/client.ts";
import { channelOf, Listeners } from "../../src/redis/listen.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";
import { job } from "../port/stage.ts";
import { Proxy } from "../postgres/proxy.ts";
import { clients } from "./clients.ts";
import { freshPlace } from "./places.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer, redisMissing } from "./server.ts";
import { opened } from "./stage.ts";

const probeMs = 20_000;

/** A virtual clock whose network is real. */
function bench(seed: number): { readonly clock: VirtualRuntime; readonly runtime: Runtime } {
  const clock = new VirtualRuntime({ seed });
  const runtime: Runtime = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, fn) => clock.after(ms, fn),
    soon: (fn) => clock.soon(fn),
    random: () => clock.random(),
    id: () => `${seed}${clock.id()}`,
    startBeat: (plan) => clock.startBeat(plan),
    log: clock.log,
  };
  return { clock, runtime };
}

class Listening {
  readonly clock: VirtualRuntime;
  readonly listeners: Listeners;
  woken = 0;

  constructor(connection: Connection, home = "{shop:0}") {
    const { clock, runtime } = bench(1);
    this.clock = clock;
    this.listeners = new Listeners(runtime, connection, home);
    this.listeners.listen(() => void this.woken++);
  }

  async hears(): Promise<void> {
    await until(() => this.listeners.isHearing && this.woken > 0);
  }
}

describe("Redis", { skip: redisMissing ?? false }, () => {
  for (const { name, open } of clients) {
    it(`by ${name}: what is told under a prefix wakes all who listen there, and nobody else`, async () => {
      const { url, prefix } = await freshPlace();
      await using client = open(url);
      const [one, other, stranger] = [`{${prefix}:0}`, `{${prefix}:0}`, `{${prefix}x:0}`].map((home) => new Listening(client.connection, home));
      assert.ok(one !== undefined && other !== undefined && stranger !== undefined);
      for (const each of [one, other, stranger]) await each.hears();
      const before = [one.woken, other.woken, stranger.woken];
      await client.connection.ask("publish", channelOf(`{${prefix}:0}`), "");
      await until(() => one.woken > (before[0] ?? 0) && other.woken > (before[1] ?? 0));
      assert.equal(stranger.woken, before[2]);
      for (const { listeners } of [one, other, stranger]) await listeners.close();
    });
  }

  it("a job that one process stores wakes another one; a hundred stored at once wake it a few times", async () => {
    const { url, prefix, done } = await freshPlace();
    await using worker = await opened(url, { prefix });
    await using app = await opened(url, { prefix });
    let woken = 0;
    const unlisten = await worker.engine.listen(() => void woken++);
    await until(() => worker.engine.isHearing === true && woken > 0);
    let before = woken;
    await app.engine.enqueue([{ works: [job("a")] }], {});
    await until(() => woken > before);
    before = woken;
    await Promise.all(Array.from({ length: 100 }, async (_, n) => app.engine.enqueue([{ works: [job(`b${n}`)] }], {})));
    await until(() => woken > before);
    assert.ok(woken - before < 20, `woken ${woken - before} times`);
    unlisten();
    await done();
  });

  it("what was held back is told by a process that closes at once", async () => {
    const { url, prefix, done } = await freshPlace();
    const spy = new Redis(url);
    await spy.subscribe(channelOf(`{${prefix}:0}`));
    let told = 0;
    spy.on("message", () => void told++);
    const app = await opened(url, { prefix });
    await Promise.all([app.engine.enqueue([{ works: [job("a")] }], {}), app.engine.enqueue([{ works: [job("b")] }], {})]);
    await app.engine.close();
    await until(() => told === 2);
    spy.disconnect();
    await done();
  });

  it("however many listen in a process, it has one connection for them, and none when nobody listens", { skip: noServer ?? false }, async () => {
    await using server = await PrivateServer.start();
    await using open = await opened(server.url);
    const unlisten = await Promise.all(Array.from({ length: 50 }, async () => open.engine.listen(() => undefined)));
    await until(() => open.engine.isHearing === true);
    assert.equal(await listening(server), 1);
    for (const stop of unlisten) stop();
    while ((await listening(server)) > 0);
    assert.equal(open.engine.isHearing, false);
  });
});

describe("a connection that listens", { skip: noServer ?? false }, () => {
  for (const trouble of ["cut", "frozen"] as const) {
    it(`and was ${trouble} is replaced, and who listened is woken, since something may have been missed`, async () => {
      await using server = await PrivateServer.start();
      await using proxy = await Proxy.before(server.url);
      const { connection } = connectionOf(proxy.url, { answerMs: 200 });
      const one = new Listening(connection);
      await one.hears();
      const before = one.woken;
      if (trouble === "cut") proxy.cut();
      else {
        proxy.freeze();
        assert.equal(one.listeners.isHearing, true, "nothing tells it yet");
        await one.clock.advance(probeMs);
      }
      await until(() => !one.listeners.isHearing);
      await one.clock.advance(1_000);
      await until(() => one.listeners.isHearing && one.woken > before);
      await one.listeners.close();
      await connection.close();
    });
  }

  it("and is quiet for an hour is the same one after it", async () => {
    await using server = await PrivateServer.start();
    const { connection } = connectionOf(server.url);
    const one = new Listening(connection);
    await one.hears();
    const [, id = ""] = /id=(\d+).*flags=P/.exec(String(await server.ask("client", "list", "type", "pubsub"))) ?? [];
    for (let minute = 0; minute < 60; minute += 1) {
      const asked = await pings(server);
      await one.clock.advance(60_000);
      while ((await pings(server)) === asked);
    }
    assert.equal(one.listeners.isHearing, true);
    assert.match(String(await server.ask("client", "list", "type", "pubsub")), new RegExp(`^id=${id} `));
    await one.listeners.close();
    await connection.close();
  });

  it("hears again when its server is back, and wakes who listened", async () => {
    await using server = await PrivateServer.start();
    const { connection } = connectionOf(server.url);
    const one = new Listening(connection);
    await one.hears();
    await server.kill();
    await until(() => !one.listeners.isHearing);
    for (let n = 0; n < 20; n += 1) {
      await one.clock.advance(1_000);
      await turns(20);
    }
    assert.equal(one.listeners.isHearing, false);
    const before = one.woken;
    await server.start();
    await until(() => {
      void one.clock.advance(100);
      return one.listeners.isHearing;
    });
    await until(() => one.woken > before);
    await one.listeners.close();
    await connection.close();
  });
});

async function listening(server: PrivateServer): Promise<number> {
  return String(await server.ask("client", "list", "type", "pubsub"))
    .split("\n")
    .filter((line) => line.includes("sub=1")).length;
}

async function pings(server: PrivateServer): Promise<number> {
  return Number(/cmdstat_ping:calls=(\d+)/.exec(String(await server.ask("info", "commandstats")))?.[1] ?? 0);
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets the network do what it does. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1);
}
