/** Claims pass over the beginning of a line, where everybody was handed out; and over nobody else, whoever comes to stand there, and whenever. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type pg from "pg";
import type { Engine, NewJob } from "../../src/core/engine.ts";
import { columnsOf } from "../../src/postgres/alike.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { freshPlace, type Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const hour = 3_600_000;
/** As many as are handed out for sure before a floor is raised. */
const many = 1_000;
const perAtom = 500;
/** Above the floor that was, and below the one that comes. */
const gap = 10;
/** What was handed out since a floor was raised, at each of a claim's looks. Without floors: all that was, 30 thousands. */
const mostRead = 15_000;
const levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

describe("floors of lines", { skip: postgresMissing ?? false }, () => {
  let place: Place;
  let engine: Engine;
  let app: pg.PoolClient;
  let claims = 0;
  let now = start;

  before(async () => {
    place = await freshPlace();
    engine = postgres(place.pool, { schema: place.schema });
    await engine.open({ runtime: new StillRuntime() });
    app = await place.pool.connect();
  });
  after(async () => {
    app.release();
    await engine.close();
    await place.done();
  });
  beforeEach(async () => {
    await store(many, "before");
    await claimAll();
  });

  it("are raised, and a more urgent job that comes later is handed out", async () => {
    assert.notEqual(await floor(), undefined);
    await engine.enqueue([{ works: [urgent("urgent")] }], { now });
    assert.deepEqual(await claimAll(), ["urgent"]);
  });

  for (const level of levels) {
    it(`${level}: what a transaction stores that began before they were raised is handed out`, async () => {
      await app.query(`BEGIN ISOLATION LEVEL ${level}`);
      await app.query("SELECT 1");
      now += 2 * gap;
      await store(many, "meanwhile");
      await claimAll();
      await engine.enqueue([{ works: [job(`late ${level}`, { headStartMs: gap })] }], { now, tx: app });
      await app.query("COMMIT");
      assert.deepEqual(await claimAll(), [`late ${level}`]);
    });

    it(`${level}: they are not raised over what is stored and not committed`, async () => {
      now += gap;
      await app.query(`BEGIN ISOLATION LEVEL ${level}`);
      await engine.enqueue([{ works: [job(`open ${level}`)] }], { now, tx: app });
      await store(many, "beside");
      await claimAll();
      await app.query("COMMIT");
      assert.deepEqual(await claimAll(), [`open ${level}`]);
    });
  }

  for (const [what, handed] of [
    ["a plain job", job("plain in hand")],
    ["a job with a key", job("keyed in hand", { unique: { key: "in hand", mode: { is: "keep" } } })],
  ] as const) {
    it(`of the inbox are not raised over ${what} that is handed in and not committed`, async () => {
      const other = await place.pool.connect();
      await app.query("BEGIN");
      await engine.enqueue([{ works: [handed] }], { now, tx: app });
      await other.query("BEGIN");
      for (let n = 0; n < many; n += 1) await engine.enqueue([{ works: [job(`${handed.id} beside ${n}`)] }], { now, tx: other });
      await other.query("COMMIT");
      other.release();
      await claimAll();
      await app.query("COMMIT");
      assert.deepEqual(await claimAll(), [handed.id]);
    });
  }

  for (const verb of ["verb_enqueue_plain", "verb_enqueue_alike"]) {
    it(`of the counts are not raised over what ${verb} has stored and not committed`, async () => {
      const ready = async (): Promise<number> =>
        (await engine.count({ now })).filter(({ state }) => state === "ready").reduce((sum, { jobs }) => sum + jobs, 0);
      const before = await ready();
      const [counted] = [job(`counted by ${verb}`)];
      const values = verb === "verb_enqueue_plain" ? [JSON.stringify([counted])] : columnsOf([counted]);
      assert.ok(values !== undefined);
      await app.query("BEGIN");
      await app.query(`SELECT ${place.schema}.${verb}(${values.map((_, at) => `$${at + 1}`).join(", ")}, ${now})`, values as unknown[]);
      await place.pool.query(`INSERT INTO ${place.schema}.counts (line, state, jobs) SELECT 1, 3, 0 FROM generate_series(1, 2100)`);
      await engine.tidy({ items: 100, mayExpire: false }, { now });
      await app.query("COMMIT");
      assert.equal(await ready(), before + 1);
      await claimAll();
    });
  }

  it("are not raised by a claim whose snapshot was taken before", async () => {
    const was = await floor();
    now += gap;
    await store(many, "seen");
    await app.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await app.query("SELECT 1");
    await engine.enqueue([{ works: [job("unseen")] }], { now });
    const wanted = { process: "q", leaseMs: hour, claim: "r", lastFence: 0, queues: [{ queue: "mail", slots: many, ahead: 0 }], tasks: ["send"], alone: "no" };
    await app.query(`SELECT ${place.schema}.verb_claim($1, $2)`, [JSON.stringify(wanted), now]);
    await app.query("COMMIT");
    assert.equal(await floor(), was);
    assert.deepEqual(await claimAll(), ["unseen"]);
  });

  it("keep a claim from walking over what was handed out while a snapshot is pinned", async (t) => {
    const { rows } = await place.pool.query<{ isTold: boolean }>("SELECT current_setting('server_version_num')::int >= 150000 AS \"isTold\"");
    if (rows[0]?.isTold !== true) return t.skip("before PostgreSQL 15 a server does not tell at once what was read");
    await app.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await app.query("SELECT 1");
    for (let n = 0; n < 5; n += 1) {
      await store(many, "pinned");
      await claimAll();
    }
    await store(1, "next");
    const walked = await indexRowsRead(async () => void (await claimAll()));
    assert.ok(walked <= mostRead, `${walked} entries of the index were read`);
    await app.query("COMMIT");
  });

  async function store(jobs: number, name: string): Promise<void> {
    claims += 1;
    for (let from = 0; from < jobs; from += perAtom) {
      now += 1;
      const works: NewJob[] = Array.from({ length: Math.min(perAtom, jobs - from) }, (_, n) => job(`${name} ${claims} ${from + n}`));
      await engine.enqueue([{ works }], { now });
    }
  }

  /** Their ids, in order. */
  async function claimAll(): Promise<string[]> {
    const ids: string[] = [];
    for (let got = 1; got > 0;) {
      claims += 1;
      const queues = [{ queue: "mail", slots: 100, ahead: 0 }];
      const wanted = { process: "p", leaseMs: hour, claim: `c${claims}`, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] } as const;
      const { jobs } = await engine.claim(wanted, { now });
      got = jobs.length;
      ids.push(...jobs.map(({ id }) => id));
    }
    return ids;
  }

  /** Of `ready`, also those of rows that nobody sees any more. The pool hands out the connection that was given back last. */
  async function indexRowsRead(work: () => Promise<void>): Promise<number> {
    const read = async (): Promise<number> => {
      await place.pool.query("SELECT pg_stat_force_next_flush()");
      const counted = "SELECT idx_tup_read::int AS read FROM pg_stat_user_indexes WHERE schemaname = $1 AND indexrelname = 'ready_pkey'";
      return (await place.pool.query<{ read: number }>(counted, [place.schema])).rows[0]?.read ?? 0;
    };
    const before = await read();
    await work();
    return (await read()) - before;
  }

  async function floor(): Promise<string | undefined> {
    const { rows } = await place.pool.query<{ low: string }>(`SELECT low FROM ${place.schema}.floors ORDER BY place, low`);
    return rows[0]?.low;
  }
});

function urgent(id: string): NewJob {
  return job(id, { headStartMs: hour });
}
