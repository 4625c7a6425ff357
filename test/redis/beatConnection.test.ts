import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { present } from "../../src/conformance/expect.ts";
import type { Heard } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { openBeat } from "../../src/redis/beatConnection.ts";
import type { redis } from "../../src/redis/index.ts";
import { startBeat } from "../../src/runtime/beat.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer } from "./server.ts";
import { opened } from "./stage.ts";

const blockMs = 1_000;
const everyMs = 50;

interface Way {
  readonly name: string;
  readonly client: (url: string) => Parameters<typeof redis>[0] & { disconnect?: () => void };
}

const ways: readonly Way[] = [
  { name: "a URL", client: (url) => url as never },
  { name: "a client of ioredis", client: (url) => new Redis(url, { lazyConnect: true }) },
  { name: "a client of iovalkey", client: (url) => new Valkey(url, { lazyConnect: true }) },
];

describe("a thread beats", { skip: noServer ?? false }, () => {
  for (const { name, client } of ways) {
    it(`by ${name}, over a connection of its own, also while the main loop is blocked`, async () => {
      await using server = await PrivateServer.start({ settings: { requirepass: "secret" } });
      const given = client(server.url.replace("//", "//:secret@"));
      await using open = await opened(given);
      assert.equal(open.engine.guarantees().beatsFromThread, true);
      const { promise, resolve, reject } = Promise.withResolvers<Heard>();
      const beat = startBeat({
        process: "p1",
        leaseMs: 8_000,
        everyMs,
        maxBlockMs: 60_000,
        source: present(open.engine.beatSource, "a source of beats")(),
        beat: () => Promise.reject(new Error("the main loop was to leave it to the thread")),
        heard: resolve,
        failed: reject,
      });
      const heard = await promise;
      const own = await open.engine.beat("p1", 8_000, {});
      assert.deepEqual({ ...heard, now: 0 }, { ...own, now: 0 });
      const before = await scripts(server);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
      const beats = (await scripts(server)) - before;
      assert.ok(beats >= blockMs / everyMs / 2, `${beats} beats in ${blockMs} ms`);
      await beat.stop();
      given.disconnect?.();
    });
  }

  it("of what cannot be told to it not at all: the main loop does, and the guarantees say so", async () => {
    await using server = await PrivateServer.start();
    const client = new Redis(server.url, { lazyConnect: true, natMap: () => null });
    await using open = await opened(client);
    assert.equal(open.engine.beatSource, undefined);
    const { beatsFromThread, weaker } = open.engine.guarantees();
    assert.deepEqual([beatsFromThread, weaker["G20"] === undefined], [false, false]);
    client.disconnect();
  });

  it("while its engine is open; and one that fails is an ErrandError, after which the next one is tried", async () => {
    await using server = await PrivateServer.start();
    const open = await opened(server.url);
    const connection = openBeat(present(open.engine.beatSource, "a source of beats")().data);
    const { era } = await connection.beat("p1", 8_000);
    await open.engine.close();
    assert.equal(open.engine.beatSource, undefined);
    await server.kill();
    await assert.rejects(
      async () => connection.beat("p1", 8_000),
      (error) => ErrandError.is(error, "store-unreachable"),
    );
    await server.start();
    const heard = await connection.beat("p1", 8_000);
    assert.notEqual(heard.era, era);
    await connection.close();
  });
});

async function scripts(server: PrivateServer): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await server.ask("info", "commandstats")))?.[1] ?? 0);
}
