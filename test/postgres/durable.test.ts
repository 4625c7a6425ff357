/** What was acknowledged is there after a kill -9 of the server, though the server was told that commits need not wait: errand turns that off in its transactions. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { broker, task } from "../../src/index.ts";
import type { Broker } from "../../src/index.ts";
import { installation } from "./installations.ts";
import { PrivateServer } from "./privateServer.ts";

const noServer = installation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false;

interface Order {
  readonly n: number;
}
const plain = task("plain", (_: Order) => undefined);
const ordered = task("ordered", { run: (_: Order) => undefined, orderedBy: "n" });
const quick = task("quick", { run: (_: Order) => undefined, orderedBy: "n" });

interface Act {
  readonly what: string;
  readonly act: (work: Broker, app: pg.Client) => Promise<unknown>;
  /** After the crash. */
  readonly holds: (work: Broker) => Promise<boolean>;
}

const isReady =
  (id: string) =>
  async (work: Broker): Promise<boolean> =>
    (await work.find(id))?.state === "ready";

const acts: readonly Act[] = [
  { what: "a plain job", act: (work) => work.enqueue(plain.with({ n: 1 })), holds: async (work) => (await work.count({ task: "plain" })).ready === 1 },
  { what: "a plain job with an id", act: (work) => work.enqueue(plain.with({ n: 2 }, { id: "own" })), holds: isReady("own") },
  { what: "a job in order", act: (work) => work.enqueue(ordered.with({ n: 3 }, { id: "ordered" })), holds: isReady("ordered") },
  {
    what: "a job of the app's transaction",
    act: async (work, app) => {
      await app.query("BEGIN");
      await work.within(app).enqueue(ordered.with({ n: 4 }, { id: "within" }));
      await app.query("COMMIT");
    },
    holds: isReady("within"),
  },
  {
    what: "an outcome",
    act: async (work) => {
      const { id } = await work.enqueue(quick.with({ n: 5 }, { id: "done" }));
      const worker = await work.start({ signals: false, queues: { default: 1 } });
      await work.result(id, { within: "10s" });
      await worker.stop();
    },
    holds: async (work) => (await work.find("done"))?.state === "completed",
  },
];

describe("with synchronous_commit off", { skip: noServer }, () => {
  let server: PrivateServer;
  before(async () => {
    // What is not waited for is written after 10 s.
    server = await PrivateServer.start({ settings: { synchronous_commit: "off", wal_writer_delay: "10s", wal_writer_flush_after: 0 } });
  });
  after(() => server.stop());

  it("what nobody waits for is lost, so that this test can tell", async () => {
    const app = await connected(server.url);
    await app.query("CREATE TABLE mine (n int)");
    await app.query("CHECKPOINT");
    await app.query("INSERT INTO mine VALUES (1)");
    await server.kill();
    await server.start();
    const again = await connected(server.url);
    assert.deepEqual((await again.query("SELECT n FROM mine")).rows, []);
    await again.end();
  });

  for (const { what, act, holds } of acts) {
    it(`${what} survives`, async () => {
      const work = broker(server.url, { plain, ordered, quick });
      const app = await connected(server.url);
      await work.open();
      // Or one that is under way since the start would write what nobody waits for.
      await app.query("CHECKPOINT");
      await act(work, app);
      await server.kill();
      await server.start();
      assert.ok(await holds(work));
      await work.close();
    });
  }
});

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
