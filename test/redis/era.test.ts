/** A store that was emptied, went back in time or was promoted is told so: an era of its own for each past, fences that are never given twice, and no answers by a replica. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Claim, Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { job, leaseMs } from "../port/stage.ts";
import { Pair } from "./pair.ts";
import { PrivateServer } from "./privateServer.ts";
import type { Settings } from "./privateServer.ts";
import { noServer } from "./server.ts";
import { opened } from "./stage.ts";
import type { Open } from "./stage.ts";

const lasting: Settings = { appendonly: "yes", appendfsync: "always" };
let claimed = 0;

interface Loss {
  readonly claim: string;
  readonly settings: Settings;
  /** Before what is lost is written. */
  readonly before?: (server: PrivateServer) => Promise<string>;
  readonly lose: (server: PrivateServer, copy: string) => Promise<unknown>;
}

const losses: readonly Loss[] = [
  { claim: "emptied by FLUSHALL", settings: {}, lose: (server) => server.ask("flushall") },
  { claim: "emptied of errand's keys, by somebody who took them for a cache", settings: {}, lose: emptied },
  {
    claim: "restarted with nothing",
    settings: {},
    lose: async (server) => {
      await server.kill();
      await server.start();
    },
  },
  ...(["appendonly", "snapshot"] as const).map((how): Loss => ({
    claim: `rolled back to an older file (${how})`,
    settings: how === "appendonly" ? lasting : { save: "3600 1" },
    before: async (server) => {
      if (how === "snapshot") await server.ask("save");
      return server.snapshot();
    },
    lose: async (server, copy) => {
      await server.kill();
      server.rollBack(copy);
      await server.start();
    },
  })),
];

describe("a store that was", { skip: noServer ?? false }, () => {
  for (const { claim, settings, before, lose } of losses) {
    it(`${claim} begins a new era: all who had it open hear of it with the next beat, no fence comes again, and work goes on`, async () => {
      await using server = await PrivateServer.start({ settings });
      await using one = await opened(server.url);
      await using other = await opened(server.url);
      const era = await eraOf(one);
      const kept = await claims(one.engine, 5);
      const copy = (await before?.(server)) ?? "";
      const lost = [...(await claims(one.engine, 20)), await grant(one.engine)];
      await lose(server, copy);
      const [second, heard] = [await eraOf(one), await eraOf(other)];
      assert.notEqual(second, era);
      assert.equal(heard, second);
      const fresh = [...(await claims(other.engine, 20)), await grant(one.engine)];
      ascending([kept, lost, fresh]);
      assert.equal(await eraOf(one), second);
    });
  }

  it("lost again and again, each time gives fences above all that were ever given", async () => {
    await using server = await PrivateServer.start({ settings: lasting });
    await using open = await opened(server.url);
    const fences = [await claims(open.engine, 3)];
    const copy = server.snapshot();
    for (const lose of [restart, restart, emptied, restart, emptied, (at: PrivateServer) => back(at, copy)]) {
      await lose(server);
      fences.push(await claims(open.engine, 3));
    }
    ascending(fences);
  });

  it("emptied while twenty beat has one new era", async () => {
    await using server = await PrivateServer.start();
    await using open = await opened(server.url);
    const era = await eraOf(open);
    const beats = Array.from({ length: 20 }, () => eraOf(open));
    await server.ask("flushall");
    const eras = new Set([...(await Promise.all(beats)), ...(await Promise.all(Array.from({ length: 20 }, () => eraOf(open))))]);
    eras.delete(era);
    assert.equal(eras.size, 1);
  });

  it("emptied is told to a user who may not read INFO, who otherwise hears of no other era", async () => {
    await using server = await PrivateServer.start();
    await using all = await opened(server.url);
    await server.ask("acl", "setuser", "app", "on", ">secret", "~*", "resetchannels", "&*", "+@all", "-info");
    await using barred = await opened(server.url.replace("//", "//app:secret@"));
    const era = await eraOf(all);
    assert.deepEqual([await eraOf(barred), await eraOf(all), await eraOf(barred)], [era, era, era]);
    await server.ask("flushall");
    const second = await eraOf(barred);
    assert.notEqual(second, era);
    assert.deepEqual([await eraOf(all), await eraOf(barred)], [second, second]);
  });

  it("restarted with all it had says that it began a new era, since it cannot know; jobs are there", async () => {
    await using server = await PrivateServer.start({ settings: lasting });
    await using open = await opened(server.url);
    await open.engine.enqueue([{ works: [job("a")] }], {});
    await restart(server);
    assert.equal((await again(() => open.engine.claim(wanted(), {}))).jobs.length, 1);
    assert.match(open.runtime.of("warn").join(), /a new era begins/);
  });
});

describe("an era goes on", { skip: noServer ?? false }, () => {
  it("for all who open the store, one after the other", async () => {
    await using server = await PrivateServer.start();
    const eras = [];
    for (let n = 0; n < 3; n += 1) {
      await using open = await opened(server.url);
      eras.push(await eraOf(open));
      assert.deepEqual(open.runtime.of("warn"), []);
    }
    assert.equal(new Set(eras).size, 1);
  });

  it("when the first replica comes, and when the last one has been gone for so long that the server takes another replication id", async () => {
    await using server = await PrivateServer.start({ settings: { "repl-backlog-ttl": 1 } });
    await using open = await opened(server.url);
    const era = await eraOf(open);
    const ids = new Set([await replicationId(server)]);
    await using replica = await server.replica();
    ids.add(await replicationId(server));
    assert.equal(await eraOf(open), era);
    await replica.kill();
    while (ids.size < 3) {
      ids.add(await replicationId(server));
      await sleep(20);
    }
    assert.equal(await eraOf(open), era);
    await using late = await opened(server.url);
    assert.equal(await eraOf(late), era);
    await restart(server);
    assert.notEqual(await eraOf(open), era);
  });
});

describe("a fail-over", { skip: noServer ?? false }, () => {
  it("to a replica that lacks the last writes: what was lost is lost as a whole, the era is another one, and no fence is given twice", async () => {
    await using pair = await Pair.start();
    await using open = await opened(pair.address.url);
    const era = await eraOf(open);
    const kept = await claims(open.engine, 10);
    await pair.caughtUp();
    pair.separate();
    const lost = [...(await claims(open.engine, 10)), await grant(open.engine)];
    await pair.failOver();
    const fresh = [await grant(open.engine), ...(await claims(open.engine, 20))];
    ascending([kept, lost, fresh]);
    assert.notEqual(await eraOf(open), era);
  });

  it("there and back gives fences above all that either gave", async () => {
    await using pair = await Pair.start();
    await using open = await opened(pair.address.url);
    const eras = [await eraOf(open)];
    const fences = [await claims(open.engine, 5)];
    await pair.caughtUp();
    pair.separate();
    fences.push(await claims(open.engine, 5));
    await pair.replica.ask("replicaof", "no", "one");
    pair.leadTo(pair.replica);
    fences.push(await claims(open.engine, 5));
    eras.push(await eraOf(open));
    // The first one never heard of the second's time.
    pair.leadTo(pair.primary);
    eras.push(await eraOf(open));
    fences.push(await claims(open.engine, 5));
    const all = fences.flat();
    assert.equal(new Set(all).size, all.length);
    ascending(fences.slice(0, 3));
    assert.equal(new Set(eras).size, 2, "each of the two has an era");
  });

  it("on a connection that lives through it is told with the next beat, and the replica in between answers nothing", async () => {
    await using server = await PrivateServer.start();
    await using other = await PrivateServer.start();
    await using open = await opened(server.url);
    const fences = [await claims(open.engine, 5)];
    const era = await eraOf(open);
    await server.ask("replicaof", "127.0.0.1", String(other.port));
    for (const call of [
      () => eraOf(open),
      () => open.engine.count({}),
      () => open.engine.claim(wanted(), {}),
      () => open.engine.enqueue([{ works: [job("x")] }], {}),
    ]) {
      await assert.rejects(
        async () => call(),
        (error) => ErrandError.is(error, "store-readonly") && error.isDefinite,
      );
    }
    await server.ask("replicaof", "no", "one");
    assert.notEqual(await eraOf(open), era);
    fences.push(await claims(open.engine, 5));
    ascending(fences);
  });
});

async function restart(server: PrivateServer): Promise<void> {
  await server.kill();
  await server.start();
}

async function back(server: PrivateServer, copy: string): Promise<void> {
  await server.kill();
  server.rollBack(copy);
  await server.start();
}

async function emptied(server: PrivateServer): Promise<void> {
  await server.ask("unlink", ...((await server.ask("keys", "{errand:0}:*")) as string[]));
}

function eraOf({ engine }: Open): Promise<string> {
  return again(async () => (await engine.beat("somebody", leaseMs, {})).era);
}

async function replicationId(server: PrivateServer): Promise<string> {
  return /master_replid:(\w+)/.exec(String(await server.ask("info", "replication")))?.[1] ?? "";
}

function wanted(): Claim {
  return {
    process: `p${++claimed}`,
    leaseMs,
    claim: `c${claimed}`,
    lastFence: 0,
    queues: [{ queue: "mail", slots: 1, ahead: 0 }],
    tasks: ["send"],
    alone: "no",
    settling: [],
  };
}

/** The fences of that many claims, each by a process that was never given one. */
async function claims(engine: Engine, count: number): Promise<number[]> {
  const fences: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await again(() => engine.enqueue([{ works: [job(`j${claimed}.${n}`)] }], {}));
    const { jobs, fence } = await again(() => engine.claim(wanted(), {}));
    assert.equal(jobs.length, 1);
    fences.push(fence);
  }
  return fences;
}

async function grant(engine: Engine): Promise<number> {
  const ticket = `t${++claimed}`;
  const answer = await again(() => engine.lock({ name: ticket, mode: "write", process: ticket, ticket, leaseMs, lastFence: 0 }, {}));
  return answer.is === "granted" ? answer.fence : Number.NaN;
}

/** All of each list are below all of the next one. */
function ascending(lists: readonly (readonly number[])[]): void {
  for (const [nth, list] of lists.entries()) {
    const next = lists[nth + 1];
    if (next !== undefined)
      assert.ok(Math.max(...list) < Math.min(...next), `a fence of part ${nth} may come again: ${Math.max(...list)} is not below ${Math.min(...next)}`);
    assert.equal(new Set(list).size, list.length);
  }
}

/** A call on a connection that was cut finds that out. */
async function again<T>(call: () => Promise<T> | T): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!ErrandError.is(error, "store-unreachable")) throw error;
      await sleep(5);
    }
  }
}
