/** What is handed in within a MULTI of the app's is stored with the app's keys by its exec, or never. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { broker, task } from "../../src/index.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { redis } from "../../src/redis/index.ts";
import { job } from "../port/stage.ts";
import { freshPlace } from "./places.ts";
import type { Place } from "./places.ts";
import { redisMissing } from "./server.ts";
import { opened } from "./stage.ts";
import type { Open } from "./stage.ts";
import { idsIn, until } from "./outboxScene.ts";

interface Scene {
  readonly open: Open;
  readonly place: Place;
  readonly client: Redis;
  /** Of the app's, taken away with errand's. */
  readonly key: string;
}

const clients: Readonly<Record<string, new (url: string, options?: object) => unknown>> = { ioredis: Redis, iovalkey: Valkey };

async function onScene(work: (scene: Scene) => Promise<void>, Client: (typeof clients)[string] = Redis): Promise<void> {
  const place = await freshPlace();
  const client = new Client(place.url) as Redis;
  try {
    await using open = await opened(place.url, { prefix: place.prefix });
    await work({ open, place, client, key: `{${place.prefix}:0}app` });
  } finally {
    client.disconnect();
    await place.done();
  }
}

describe("a MULTI", { skip: redisMissing ?? false }, () => {
  for (const [name, Client] of Object.entries(clients)) {
    it(`of ${name} stores what is handed in with the app's own keys, and answers ids at once and all else by its exec`, async () => {
      await onScene(async ({ open, client, key }) => {
        const multi = client.multi().set(`{x}${key}`, "1");
        assert.equal(open.engine.joins(multi), "async");
        const answers = await open.engine.enqueue([{ works: [job("a"), job("b", { delayMs: 1_000 })] }], { tx: multi });
        assert.deepEqual(answers, [
          [
            { id: "a", isDuplicate: false },
            { id: "b", isDuplicate: false },
          ],
        ]);
        assert.deepEqual(await idsIn(open), []);
        const [set, stored] = (await multi.del(`{x}${key}`).exec()) ?? [];
        assert.deepEqual(set, [null, "OK"]);
        assert.deepEqual(JSON.parse(String(stored?.[1])), [
          { id: "a", isDuplicate: false, state: "ready" },
          { id: "b", isDuplicate: false, state: "scheduled" },
        ]);
        assert.deepEqual(await idsIn(open), ["a", "b"]);
      }, Client);
    });
  }

  it("that is discarded, or whose WATCH was broken, stores nothing", async () => {
    await onScene(async ({ open, client, key }) => {
      const discarded = client.multi();
      await open.engine.enqueue([{ works: [job("a")] }], { tx: discarded });
      // Its EXEC finds no MULTI any more.
      await assert.rejects(discarded.discard().exec(), /EXEC without MULTI/);
      await client.watch(`{x}${key}`);
      const broken = client.multi();
      await open.engine.enqueue([{ works: [job("b")] }], { tx: broken });
      const other = client.duplicate();
      await other.set(`{x}${key}`, "1");
      other.disconnect();
      assert.equal(await broken.exec(), null);
      await client.del(`{x}${key}`);
      assert.deepEqual(await idsIn(open), []);
    });
  });

  it("in which a call is refused tells so by its exec; the app's own commands stand, and nothing of that call is stored", async () => {
    await onScene(async ({ open, client, key }) => {
      await open.engine.enqueue([{ works: [job("known")] }], {});
      const multi = client.multi();
      await open.engine.enqueue([{ works: [job("with it"), job("known", { content: "other" })] }], { tx: multi });
      await open.engine.enqueue([{ works: [job("other")] }], { tx: multi.set(`{x}${key}`, "1") });
      const answers = (await multi.del(`{x}${key}`).exec()) ?? [];
      assert.match(String(answers[0]?.[0]), /ERRAND id-conflict/);
      assert.deepEqual(
        answers.slice(1).map(([error]) => error),
        [null, null, null],
      );
      assert.deepEqual(await idsIn(open), ["known", "other"]);
    });
  });

  it("is handed to a worker that waits, by the broker", async () => {
    await onScene(async ({ place, client }) => {
      const ran: string[] = [];
      const mail = task("mail", (input: { readonly to: string }) => void ran.push(input.to));
      await using work = broker(redis(place.url, { prefix: place.prefix }), { mail });
      await work.start();
      const multi = client.multi();
      const { id, isDuplicate } = await work.within(multi).enqueue(mail.with({ to: "you" }));
      await multi.exec();
      await until(() => ran.length > 0, "the job does not run");
      assert.deepEqual(ran, ["you"]);
      assert.deepEqual([id.length, isDuplicate], [32, false]);
    });
  });

  const refused: readonly { readonly what: string; readonly code: ErrorCode; readonly tx: (scene: Scene) => unknown }[] = [
    { what: "a pipeline without MULTI", code: "tx-not-open", tx: ({ client }) => client.pipeline() },
    {
      what: "one that was carried out",
      code: "tx-not-open",
      tx: ({ client, key }) => {
        const multi = client.multi().get(key);
        multi.exec().catch(() => undefined);
        return multi;
      },
    },
    { what: "a client itself", code: "tx-unsupported", tx: ({ client }) => client },
    { what: "one of another database", code: "tx-foreign", tx: ({ client }) => off(client, { db: 14 }).multi() },
    { what: "one that puts something before errand's keys", code: "tx-unsupported", tx: ({ client }) => off(client, { keyPrefix: "app:" }).multi() },
  ];

  for (const { what, code, tx } of refused) {
    it(`is not ${what}: ${code}`, async () => {
      await onScene(async (scene) => {
        assert.throws(
          () => scene.open.engine.joins(tx(scene)),
          (error) => ErrandError.is(error, code),
        );
      });
    });
  }
});

function off(client: Redis, override: object): Redis {
  return client.duplicate({ ...override, lazyConnect: true });
}
