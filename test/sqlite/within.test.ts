import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { DriverName, Handle } from "../../src/sqlite/driver.ts";
import { Bench, Database, job, keep, outcomes, rowOf, valueOf, wanted } from "./bench.ts";

type App = Handle & { close(): unknown };

const handles: Readonly<Record<string, { readonly driver: DriverName; readonly open: (file: string) => App }>> = {
  "better-sqlite3": { driver: "better-sqlite3", open: (file) => new Database(file, { timeout: 0 }) },
  "better-sqlite3 that reads bigint": {
    driver: "better-sqlite3",
    open: (file) => {
      const database = new Database(file, { timeout: 0 });
      (database as unknown as { defaultSafeIntegers(): void }).defaultSafeIntegers();
      return database;
    },
  },
  "node:sqlite": { driver: "node:sqlite", open: (file) => new DatabaseSync(file) as unknown as App },
  "node:sqlite that reads bigint": { driver: "node:sqlite", open: (file) => new DatabaseSync(file, { readBigInts: true }) as unknown as App },
};

for (const [name, { driver, open }] of Object.entries(handles)) {
  describe(`a transaction of ${name}`, () => {
    /** The app's handle on the engine's file, with a table of its own. */
    function stage(bench: Bench): { engine: Engine; app: App } {
      const engine = bench.engine({ driver });
      const app = open(bench.file);
      bench.closeLater(app);
      app.exec("PRAGMA synchronous = FULL; CREATE TABLE orders (id TEXT PRIMARY KEY)");
      return { engine, app };
    }

    it("takes jobs in synchronously, and commits them with the app's own rows", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      app.exec("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('o1')");
      assert.equal(engine.joins(app), "sync");
      const answers = engine.enqueue([{ works: [job("a"), job("b", { delayMs: 1_000 })] }], { tx: app });
      assert.deepEqual(answers, [
        [
          { id: "a", isDuplicate: false, state: "ready" },
          { id: "b", isDuplicate: false, state: "scheduled" },
        ],
      ]);
      assert.equal(await rowOf(engine, "a"), undefined, "nobody sees it before the commit");
      app.exec("COMMIT");
      assert.deepEqual(
        (await engine.claim(wanted(), {})).jobs.map(({ id }) => id),
        ["a"],
      );
      assert.equal(Number(valueOf(app, "SELECT count(*) FROM orders")), 1);
    });

    it("rolls back what it took in, and the counters with it", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      app.exec("BEGIN");
      void engine.enqueue(
        [
          {
            works: [
              job("a", { queue: "new queue", task: "new task", lane: { key: "k", width: 1, ifDead: "park" }, unique: { key: "u", mode: { is: "keep" } } }),
            ],
          },
        ],
        { tx: app },
      );
      app.exec("ROLLBACK");
      assert.deepEqual(await engine.count({}), []);
      assert.equal(await rowOf(engine, "a"), undefined);
      // The names it made known were rolled back as well: the next ones stand for themselves.
      await engine.enqueue([{ works: [job("b", { queue: "other", task: "other" }), job("c", { queue: "new queue", task: "new task" })] }], {});
      assert.deepEqual((await engine.count({})).map(({ queue }) => queue).toSorted(), ["new queue", "other"]);
    });

    it("keeps its first part when a later atom is refused, and nothing of that one", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      await engine.enqueue([{ works: [job("a")] }], {});
      app.exec("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('o1')");
      const [refused, stored] = engine.enqueue([{ works: [job("b"), job("a", { content: "other" })] }, { works: [job("c")] }], { tx: app }) as unknown[];
      assert.ok(ErrandError.is(refused, "id-conflict"));
      assert.deepEqual(stored, [{ id: "c", isDuplicate: false, state: "ready" }]);
      app.exec("COMMIT");
      assert.equal(await rowOf(engine, "b"), undefined);
      assert.equal((await rowOf(engine, "c"))?.state, "ready");
    });

    it("publishes to subscriptions, also to one that was written in it and rolled back elsewhere", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      const subscribe = (name: string): unknown =>
        engine.enqueue([{ works: [], notes: [{ key: subscriptionKey(name), value: subscription(name) }] }], { tx: app });
      const publish = (id: string): unknown =>
        engine.enqueue([{ works: [{ kind: "event", id, content: id, rememberMs: 0, name: "order.placed", payload: "{}" }] }], { tx: app });
      app.exec("BEGIN");
      subscribe("gone");
      publish("e0");
      app.exec("ROLLBACK");
      app.exec("BEGIN");
      subscribe("kept");
      publish("e1");
      app.exec("COMMIT");
      const jobs = (await engine.find({ of: "jobs", where: {}, limit: 10 }, {})).rows;
      assert.deepEqual(
        jobs.map(({ from }) => from?.subscription),
        ["kept"],
      );
    });

    it("settles a job with its effect: both or neither", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      await engine.enqueue([{ works: [job("a")] }], {});
      const outcome = outcomes(await engine.claim(wanted(), {}));
      app.exec("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('o1')");
      void engine.settle(outcome, { tx: app });
      app.exec("ROLLBACK");
      assert.equal((await rowOf(engine, "a"))?.state, "running");
      app.exec("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('o1')");
      assert.deepEqual(engine.settle(outcome, { tx: app }), [{ id: "a", is: "settled", state: "completed" }]);
      app.exec("COMMIT");
      assert.equal((await rowOf(engine, "a"))?.state, "completed");
    });

    it("changes jobs, and takes that back", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      await engine.enqueue([{ works: [job("a")] }], {});
      app.exec("BEGIN IMMEDIATE");
      void engine.change({ ids: ["a"] }, { do: "cancel", reason: "no" }, 10, { tx: app });
      app.exec("ROLLBACK");
      assert.equal((await rowOf(engine, "a"))?.state, "ready");
    });

    it("that runs out of room half-way keeps nothing of it, even if the app commits all the same", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      app.exec("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('o1')");
      app.exec(`PRAGMA max_page_count = ${Number(valueOf(app, "PRAGMA page_count")) + 20}`);
      const works = Array.from({ length: 400 }, (_, at) => job(`big-${at}`, { payload: JSON.stringify("x".repeat(400)) }));
      assert.throws(
        () => engine.enqueue([{ works }], { tx: app }),
        (error) => ErrandError.is(error, "store-full"),
      );
      app.exec("COMMIT");
      assert.equal(Number(valueOf(app, "SELECT count(*) FROM orders")), 1);
      assert.deepEqual([await rowOf(engine, "big-0"), await engine.count({})], [undefined, []]);
    });

    it("wakes the workers of this process soon after its commit", { timeout: 10_000 }, async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      void engine.listen(resolve);
      app.exec("BEGIN IMMEDIATE");
      void engine.enqueue([{ works: [job("a")] }], { tx: app });
      app.exec("COMMIT");
      await woken;
    });

    const refusals: readonly { readonly claim: string; readonly code: ErrorCode; readonly prepare: (app: App) => void }[] = [
      { claim: "that was not begun", code: "tx-not-open", prepare: () => undefined },
      { claim: "that was committed", code: "tx-not-open", prepare: (app) => app.exec("BEGIN; COMMIT") },
      { claim: "that would commit without a full sync", code: "tx-not-durable", prepare: (app) => app.exec("PRAGMA synchronous = NORMAL; BEGIN") },
    ];
    for (const { claim, code, prepare } of refusals) {
      it(`${claim} is refused: ${code}`, async () => {
        await using bench = new Bench();
        const { engine, app } = stage(bench);
        prepare(app);
        for (const use of [() => engine.joins(app), () => engine.enqueue([{ works: [job("a")] }], { tx: app })]) {
          assert.throws(use, (error) => ErrandError.is(error, code) && error.isDefinite);
        }
      });
    }

    it("on another file is refused: tx-foreign", async () => {
      await using bench = new Bench();
      await using other = new Bench();
      const { engine } = stage(bench);
      const { app } = stage(other);
      app.exec("BEGIN");
      assert.throws(
        () => engine.joins(app),
        (error) => ErrandError.is(error, "tx-foreign"),
      );
    });

    it("on a handle as an app opens it, unsynced as WAL is by default, is refused with the cure", async () => {
      await using bench = new Bench();
      const { engine } = stage(bench);
      const app = open(bench.file);
      bench.closeLater(app);
      app.exec("BEGIN");
      if (name.startsWith("better")) assert.throws(() => engine.joins(app), /tx-not-durable: .*synchronous = FULL/);
      else assert.equal(engine.joins(app), "sync");
    });

    it("that cannot get the write lock throws store-busy, and leaves nothing half-written", async () => {
      await using bench = new Bench();
      const { engine, app } = stage(bench);
      const other = open(bench.file);
      bench.closeLater(other);
      other.exec("BEGIN IMMEDIATE");
      app.exec("BEGIN");
      assert.throws(
        () => engine.enqueue([{ works: [job("a")] }], { tx: app }),
        (error) => ErrandError.is(error, "store-busy"),
      );
      app.exec("ROLLBACK");
      other.exec("COMMIT");
      assert.equal(await rowOf(engine, "a"), undefined);
    });
  });
}

describe("a handle of another library than the engine's", () => {
  for (const [driver, Other] of [
    ["better-sqlite3", DatabaseSync],
    ["node:sqlite", Database],
  ] as const) {
    it(`is refused beside ${driver}: in one process, neither would see the other's locks`, async () => {
      await using bench = new Bench();
      const engine = bench.engine({ driver });
      const app = new Other(bench.file, { timeout: 0 }) as unknown as App;
      bench.closeLater(app);
      app.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
      for (const use of [() => engine.joins(app), () => engine.enqueue([{ works: [job("a")] }], { tx: app })]) {
        assert.throws(use, (error) => ErrandError.is(error, "tx-unsupported"));
      }
    });
  }
});

describe("what is no transaction", () => {
  it("is refused: tx-unsupported", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    for (const tx of [undefined, null, 1, "tx", {}, { query: () => undefined }, { prepare: () => undefined, exec: () => undefined }]) {
      assert.throws(
        () => engine.joins(tx),
        (error) => ErrandError.is(error, "tx-unsupported"),
      );
    }
  });
});

function subscription(name: string): string {
  return JSON.stringify({ name, event: "order.placed", since: "now", task: "send", queue: "mail", headStartMs: 0, delayMs: 0, isMapped: false, keep });
}
