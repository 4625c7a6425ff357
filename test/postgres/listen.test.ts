import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import type { Runtime } from "../../src/core/runtime.ts";
import { databaseOf } from "../../src/postgres/client.ts";
import type { Database } from "../../src/postgres/client.ts";
import { channelOf, Listeners } from "../../src/postgres/listen.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";
import { clients } from "./clients.ts";
import { PgBouncer, pgBouncerMissing } from "./pgbouncer.ts";
import { freshPlace, notPooled } from "./places.ts";
import { Proxy } from "./proxy.ts";
import { postgresMissing } from "./server.ts";

const probeMs = 20_000;
const answerMs = 5_000;

/** A virtual clock whose network is real. */
class Bench {
  readonly clock: VirtualRuntime;
  readonly runtime: Runtime;
  probes = 0;

  constructor(seed: number) {
    this.clock = new VirtualRuntime({ seed });
    const { clock } = this;
    this.runtime = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, fn) => {
        if (ms === answerMs) this.probes++;
        return clock.after(ms, fn);
      },
      soon: (fn) => clock.soon(fn),
      random: () => clock.random(),
      id: () => `${seed}${clock.id()}`,
      startBeat: (plan) => clock.startBeat(plan),
      log: clock.log,
    };
  }

  get warnings(): readonly string[] {
    return this.clock.log.entries.filter(({ level }) => level === "warn").map(({ message }) => message);
  }
}

class Listening {
  readonly bench: Bench;
  readonly listeners: Listeners;
  woken = 0;

  constructor(seed: number, database: Database, schema: string) {
    this.bench = new Bench(seed);
    this.listeners = new Listeners(this.bench.runtime, database, schema);
    this.listeners.listen(() => void this.woken++);
  }

  async hears(): Promise<void> {
    await until(() => this.listeners.isHearing && this.woken > 0);
  }
}

describe("PostgreSQL", { skip: postgresMissing ?? notPooled("it is about the connection that listens, which hears nothing there") }, () => {
  for (const { name, open } of clients) {
    it(`by ${name}: work of one process wakes another one, and not another schema's`, async () => {
      const { url } = await freshPlace();
      await using opened = open(url);
      const [one, two, stranger] = [1, 2, 3].map((seed) => new Listening(seed, opened.database, seed === 3 ? "another" : "shop"));
      assert.ok(one !== undefined && two !== undefined && stranger !== undefined);
      for (const each of [one, two, stranger]) await each.hears();
      const before = { two: two.woken, stranger: stranger.woken };
      one.listeners.wake();
      await until(() => two.woken > before.two);
      assert.equal(stranger.woken, before.stranger);
      for (const { listeners } of [one, two, stranger]) await listeners.close();
    });
  }

  it("however much becomes ready, others are told 100 times a second at most, and of the last of it", async () => {
    await using spy = await Spy.on("shop");
    const { bench, listeners } = new Listening(1, spy.database, "shop");
    await until(() => listeners.isHearing);
    await spy.forget();
    for (let ms = 0; ms < 1_000; ms += 1) {
      listeners.wake();
      await bench.clock.advance(1);
      await spy.idle();
    }
    await bench.clock.advance(50);
    await spy.idle();
    assert.ok(spy.said.length >= 80 && spy.said.length <= 101, `${spy.said.length} were told`);
    await listeners.close();
  });

  it("own workers are woken before others are told, in a turn of the event loop of their own", async () => {
    await using spy = await Spy.on("shop");
    const steps: string[] = [];
    const query: Database["query"] = (text, values) => {
      steps.push("told");
      return spy.database.query(text, values);
    };
    const listeners = new Listeners(new Bench(1).runtime, { ...forwarding(spy.database), query }, "shop");
    const unlisten = listeners.listen(() => void steps.push("woken"));
    await until(() => listeners.isHearing);
    await spy.idle();
    steps.length = 0;
    listeners.wake();
    steps.push("goes on");
    await until(() => steps.includes("told"));
    assert.deepEqual(steps, ["goes on", "woken", "told"]);
    unlisten();
    await listeners.close();
  });

  it("after a caller's transaction was joined, others are told a little later, three times", async () => {
    await using spy = await Spy.on("shop");
    const { bench, listeners } = new Listening(1, spy.database, "shop");
    await until(() => listeners.isHearing);
    await spy.forget();
    listeners.wakeLater();
    const told: number[] = [];
    for (const ms of [4, 2, 48, 2, 193, 2, 1_000]) {
      await bench.clock.advance(ms);
      await spy.idle();
      told.push(spy.said.length);
    }
    assert.deepEqual(told, [0, 1, 2, 2, 2, 3, 3]);
    await listeners.close();
  });

  it("who closes at once after a hint was promised, tells it before", async () => {
    await using spy = await Spy.on("shop");
    const { listeners } = new Listening(1, spy.database, "shop");
    await until(() => listeners.isHearing);
    await spy.forget();
    listeners.wakeLater();
    await listeners.close();
    await spy.idle();
    assert.equal(spy.said.length, 1);
  });

  it("who only hands in work needs to hear nothing to tell others", async () => {
    await using spy = await Spy.on("shop");
    const listeners = new Listeners(new Bench(1).runtime, spy.database, "shop");
    listeners.wake();
    await listeners.close();
    await spy.idle();
    assert.equal(spy.said.length, 1);
  });

  for (const trouble of ["cut", "frozen"] as const) {
    it(`a connection that was ${trouble} is replaced, and who listened is woken, since something may have been missed`, async () => {
      const { url } = await freshPlace();
      await using proxy = await Proxy.before(url);
      const [direct, proxied] = [databaseOf(url), databaseOf(proxy.url)];
      const database: Database = { ...forwarding(direct), hear: (channel, ear) => proxied.hear(channel, ear) };
      const listening = new Listening(1, database, "shop");
      await listening.hears();
      const before = listening.woken;
      if (trouble === "cut") proxy.cut();
      else proxy.freeze();
      if (trouble === "frozen") await listening.bench.clock.advance(probeMs + answerMs);
      await until(() => !listening.listeners.isHearing);
      await listening.bench.clock.advance(1_000);
      await listening.hears();
      await until(() => listening.woken > before);
      assert.deepEqual(listening.bench.warnings, []);
      await listening.listeners.close();
      await Promise.all([direct.close(), proxied.close()]);
    });
  }

  it("where notifications do not arrive, it says so once and leaves it to looking", async () => {
    const [here, elsewhere] = [await freshPlace(), new URL("/postgres", (await freshPlace()).url).href];
    const [database, other] = [databaseOf(here.url), databaseOf(elsewhere)];
    const deaf: Database = { ...forwarding(database), hear: (channel, ear) => other.hear(channel, ear) };
    const { bench, listeners } = await deafened(deaf);
    assert.match(bench.warnings.join(), /^no wake-ups arrive[^,]*, as behind a pooler/);
    await listeners.close();
    await Promise.all([database.close(), other.close()]);
  });

  it("behind a pooler in transaction mode statements are answered, and it falls back to looking", { skip: pgBouncerMissing ?? false }, async () => {
    const { url } = await freshPlace();
    await using pooler = await PgBouncer.before(url);
    for (const { open } of clients) {
      await using opened = open(pooler.url, 8);
      const rows = await Promise.all(Array.from({ length: 50 }, (_, at) => opened.database.query("SELECT $1::int AS at", [at])));
      assert.equal(new Set(rows.map(([row]) => row?.["at"])).size, 50);
      const { bench, listeners } = await deafened(opened.database);
      assert.equal(bench.warnings.length, 1);
      await listeners.close();
    }
  });
});

it("schemas have channels of their own, as long as names may be", () => {
  const names = ["errand", "Shop", "ä".repeat(31), `${"x".repeat(62)}a`, `${"x".repeat(62)}b`];
  const channels = names.map(channelOf);
  assert.equal(new Set(channels).size, names.length);
  assert.ok(channels.every((channel) => Buffer.byteLength(channel) <= 63));
});

async function deafened(database: Database): Promise<Listening> {
  const listening = new Listening(1, database, "shop");
  await until(() => listening.bench.probes > 0);
  await listening.bench.clock.advance(answerMs);
  assert.equal(listening.listeners.isHearing, false);
  await listening.bench.clock.advance(probeMs);
  return listening;
}

/** Hears what is told on a channel, beside errand. */
class Spy implements AsyncDisposable {
  readonly said: string[] = [];
  readonly database: Database;
  readonly #client: pg.Client;

  private constructor(database: Database, client: pg.Client) {
    this.database = database;
    this.#client = client;
    client.on("notification", ({ payload = "" }) => void this.said.push(payload));
  }

  static async on(schema: string): Promise<Spy> {
    const { url } = await freshPlace();
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`LISTEN ${pg.escapeIdentifier(channelOf(schema))}`);
    return new Spy(databaseOf(url, 1), client);
  }

  /** All that was sent by now has arrived. */
  async idle(): Promise<void> {
    await this.database.query("SELECT 1", []);
    await this.#client.query("SELECT 1");
  }

  async forget(): Promise<void> {
    await this.idle();
    this.said.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.close();
    await this.#client.end();
  }
}

function forwarding(database: Database): Database {
  const { name, isOurs } = database;
  return {
    name,
    isOurs,
    query: (text, values) => database.query(text, values),
    reserve: () => database.reserve(),
    hear: (channel, ear) => database.hear(channel, ear),
    reach: () => database.reach(),
    close: () => database.close(),
  };
}

/** Lets the network do what it does. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
