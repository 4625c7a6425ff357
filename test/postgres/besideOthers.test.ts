/** What the app's own transactions and sessions leave behind for errand's calls: unusual settings, new lines, much at once, and ids that others store meanwhile. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import type { Claim, Engine, NewJob } from "../../src/core/engine.ts";
import { enqueueMax } from "../../src/core/defaults.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import { postgres } from "../../src/postgres/index.ts";
import { event, job, keep, leaseMs, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { beginningWith, freshPlace, notPooled } from "./places.ts";
import { postgresMissing } from "./server.ts";

const at = { now: start };
/** Whoever waits for a lock for so long fails, and so does its law. */
const waitsMs = 2_000;
const wanted: Claim = {
  process: "p",
  leaseMs,
  claim: "c",
  lastFence: 0,
  queues: [{ queue: "mail", slots: 10, ahead: 0 }],
  tasks: ["send"],
  alone: "no",
  settling: [],
};
const unique = (id: string): NewJob => job(id, { unique: { key: `key of ${id}`, mode: { is: "keep" } } });

interface Scene {
  readonly engine: Engine;
  readonly schema: string;
  /** Of the app's, in a transaction. */
  open(begin?: string): Promise<pg.Client>;
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

describe("beside the app's own work", { skip: postgresMissing ?? false }, () => {
  it("the first job of a line, or with a retention, that is not committed keeps nobody waiting", () =>
    onScene(async ({ engine, open }) => {
      await engine.enqueue([{ works: [job("before")] }], at);
      const app = await open();
      const kept = job("kept", { keep: { ...keep, completed: 1 } });
      const [answer] = await engine.enqueue([{ works: [job("first", { queue: "new" }), kept] }], { ...at, tx: app });
      assert.deepEqual(
        [answer].flat().map((each) => (each instanceof Error ? each : each?.state)),
        ["ready", "ready"],
      );
      await engine.enqueue([{ works: [job("plain", { queue: "new" })] }], at);
      await engine.enqueue([{ works: [unique("unique")] }, { works: [job("as kept", { keep: kept.keep, unique: { key: "k", mode: { is: "keep" } } })] }], at);
      assert.deepEqual(await claimed(engine), ["before", "unique", "as kept"]);
      await app.query("COMMIT");
      assert.deepEqual(await claimed(engine, "new"), ["plain", "first"]);
      assert.deepEqual(await claimed(engine), ["kept"]);
    }));

  it("follow-up work whose id another is storing at that moment is that other's job, and the outcome stands", () =>
    onScene(async ({ engine, schema, open, sql }) => {
      await engine.enqueue([{ works: [job("run")] }], at);
      const { fence } = await engine.claim(wanted, at);
      const same = job("same", { rememberMs: 1_000 });
      const other = await open();
      await other.query(`SELECT ${schema}.verb_enqueue_plain($1, $2)`, [JSON.stringify([same]), start]);
      const settled = engine.settle([{ id: "run", claim: "c", fence, is: "completed", ranMs: 1, follow: [same] }], at);
      await isWaiting(sql, schema);
      await other.query("COMMIT");
      assert.deepEqual(await settled, [{ id: "run", is: "settled", state: "completed" }]);
      assert.deepEqual(await claimed(engine), ["same"]);
    }));

  it("what a process held that is gone is taken back, however busy the write lock is", () =>
    onScene(async ({ engine, schema, open, sql }) => {
      await engine.enqueue([{ works: [job("held")] }], at);
      await engine.claim(wanted, at);
      const busy = await open();
      await busy.query(`SELECT pg_advisory_xact_lock(hashtextextended('${schema}', 714))`);
      const tidied = engine.tidy({ items: 1_000, mayExpire: true }, { now: start + leaseMs });
      await isWaiting(sql, schema);
      await busy.query("COMMIT");
      assert.equal((await tidied).takenBack, 1);
    }));

  it("a publication of all tables, as of replicas and change feeds, refuses no table of errand's its changes", () =>
    onScene(async ({ schema, sql }) => {
      await sql("CREATE PUBLICATION everything FOR ALL TABLES");
      try {
        const tables = await sql(`SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}'`);
        for (const { name } of tables) await sql(`BEGIN; DELETE FROM errand.${String(name)}; ROLLBACK`);
      } finally {
        await sql("ROLLBACK; DROP PUBLICATION everything");
      }
    }));

  it("a unique key that was promised since a transaction's snapshot makes it one to be run again", () =>
    onScene(async ({ engine, open }) => {
      const app = await open("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
      const other = await open();
      await engine.enqueue([{ works: [unique("a")] }], { ...at, tx: other });
      await other.query("COMMIT");
      await assert.rejects(async () => engine.enqueue([{ works: [{ ...unique("a"), id: "b" }] }], { ...at, tx: app }), {
        code: "conflict-retry",
        isDefinite: true,
      });
    }));

  for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
    it(`what stands before the first that a ${level} transaction stores is found: ready, due, and handed in`, () =>
      onScene(async ({ engine, open }) => {
        const [sooner, later] = [start - 10, start - 5].map((dueAt) => ({ headStartMs: start - dueAt }));
        await engine.enqueue([{ works: [job("ready 1", sooner), job("due 1", { delayMs: 10 })] }], at);
        const handing = await open();
        await engine.enqueue([{ works: [unique("handed in 1")] }], { ...at, tx: handing });
        const app = await open(`BEGIN ISOLATION LEVEL ${level}`);
        await engine.enqueue([{ works: [job("ready 2", later), job("due 2", { delayMs: 20 })] }], { ...at, tx: app });
        await engine.enqueue([{ works: [unique("handed in 2"), { ...unique("due 3"), delayMs: 20 }] }], { ...at, tx: app });
        await app.query("COMMIT");
        await handing.query("COMMIT");
        const { jobs } = await engine.claim({ ...wanted, queues: [{ queue: "mail", slots: 10, ahead: 0 }] }, { now: start + 30 });
        assert.deepEqual(jobs.map(({ id }) => id).toSorted(), ["due 1", "due 2", "due 3", "handed in 1", "handed in 2", "ready 1", "ready 2"]);
      }));
  }

  for (const [said, means] of [
    ["remote_apply", "remote_apply"],
    ["on", "on"],
    ["off", "on"],
  ] as const) {
    it(`a transaction with synchronous_commit ${said} is committed with ${means}`, () =>
      onScene(async ({ engine, open }) => {
        const app = await open(`BEGIN; SET LOCAL synchronous_commit = ${said}`);
        for (const each of [job("a"), unique("b"), job("c")]) {
          await engine.enqueue([{ works: [each] }], { ...at, tx: app });
          assert.deepEqual((await app.query("SHOW synchronous_commit")).rows, [{ synchronous_commit: means }]);
        }
      }));
  }

  it("keys are the same ones where backslashes in texts are escapes", { skip: notPooled("its sessions begin with no settings of a client's") }, () =>
    onScene(async ({ engine, sql }) => {
      const subscription = { name: "s", event: "order.placed", since: "now", task: "send", queue: "mail", headStartMs: 0, delayMs: 0, isMapped: false, keep };
      const value = JSON.stringify({ ...subscription, orderedBy: ["order"] });
      await engine.enqueue([{ works: [], notes: [{ key: subscriptionKey("s"), value }] }], at);
      const payload = JSON.stringify({ order: 'a\\b"\u0001' });
      await engine.enqueue([{ works: [event("e", { payload })] }], at);
      assert.deepEqual(await sql("SELECT lane FROM errand.jobs"), [{ lane: `send[${JSON.stringify('a\\b"\u0001')}]` }]);
    }, "-c standard_conforming_strings=off"),
  );

  it("what is too much for one call is taken in by several, and none of it is unknown to those who ask", () =>
    onScene(async ({ engine, open, sql }) => {
      const atoms = 5;
      const app = await open();
      for (let atom = 0; atom < atoms; atom += 1) {
        await engine.enqueue([{ works: Array.from({ length: enqueueMax }, (_, n) => unique(`${atom} ${n}`)) }], { ...at, tx: app });
      }
      await app.query("COMMIT");
      assert.equal((await engine.tidy({ items: 1_000, mayExpire: true }, at)).hasMore, true);
      assert.deepEqual(await sql("SELECT count(*)::int AS left FROM errand.inbox"), [{ left: 1 }]);
      const [answer] = await engine.enqueue([{ works: [job("last", { after: [{ id: `${atoms - 1} 0`, when: "well" }] })] }], at);
      assert.deepEqual(answer, [{ id: "last", isDuplicate: false, state: "blocked" }]);
      assert.deepEqual(
        (await engine.count(at)).map(({ state, jobs }) => `${state} ${jobs}`),
        [`ready ${atoms * enqueueMax}`, "blocked 1"].toSorted(),
      );
    }));
});

async function onScene(law: (scene: Scene) => Promise<void>, options = ""): Promise<void> {
  const place = await freshPlace();
  const pool = new pg.Pool({ connectionString: place.url, max: 2, ...beginningWith(`-c lock_timeout=${waitsMs} ${options}`) });
  const engine = postgres(pool, { schema: place.schema });
  const clients: pg.Client[] = [];
  const open = async (begin = "BEGIN"): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: place.appsUrl });
    clients.push(client);
    await client.connect();
    await client.query(begin);
    return client;
  };
  const sql = async (text: string): Promise<Record<string, unknown>[]> => (await place.pool.query(text.replaceAll("errand.", `${place.schema}.`))).rows;
  try {
    await engine.open({ runtime: new StillRuntime() });
    await law({ engine, schema: place.schema, open, sql });
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await engine.close();
    await pool.end();
    await place.done();
  }
}

async function claimed(engine: Engine, queue = "mail"): Promise<string[]> {
  return (await engine.claim({ ...wanted, queues: [{ queue, slots: 10, ahead: 0 }] }, at)).jobs.map(({ id }) => id);
}

/** A call waits for another's transaction. */
async function isWaiting(sql: Scene["sql"], schema: string): Promise<void> {
  const waiting = `SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE NOT l.granted AND strpos(a.query, '"${schema}".verb') > 0`;
  while ((await sql(waiting)).length === 0);
}
