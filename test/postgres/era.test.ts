/** A store that went back in time is told so: an era of its own for each past, fences that are never given twice, and no answers by a standby. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import library from "postgres";
import type { At, Claim, Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, leaseMs, member, start } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { installation } from "./installations.ts";
import { Pair } from "./pair.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const noServer = installation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false;
const dayMs = 86_400_000;

describe("the era of a store", { skip }, () => {
  it("is the same for all who open it", () =>
    on(freshPlace(), async (engine, { url, schema }) => {
      const first = await eraOf(engine);
      const again = await opened(url, schema);
      assert.equal(await eraOf(again), first);
      await again.close();
    }));

  it("is another one in a copy of the database, and stays that", () =>
    on(freshPlace(), async (engine, { url, schema }) => {
      const original = new URL(url).pathname.slice(1);
      const copy = `${original}_copy`;
      const first = await eraOf(engine);
      await engine.close();
      await alone(url, original, copy);
      const there = await opened(url.replace(original, copy), schema);
      try {
        const second = await eraOf(there);
        assert.notEqual(second, first);
        assert.equal(await eraOf(there), second);
      } finally {
        await there.close();
        await inDatabase(url, "postgres", `DROP DATABASE ${copy}`);
        await engine.open({ runtime: new StillRuntime() });
      }
      assert.equal(await eraOf(engine), first);
    }));

  it("begins once, however many hear of it", () =>
    on(freshPlace(), async (engine, { pool, schema }) => {
      const all = async (): Promise<Set<string>> => new Set(await Promise.all(Array.from({ length: 20 }, () => eraOf(engine))));
      // Each connection is there, and has planned, so that they come at once.
      const [first = ""] = await all();
      const fence = await fenceOf(pool, schema);
      await goBack(pool, schema);
      const eras = await all();
      eras.delete(first);
      eras.add(await eraOf(engine));
      assert.equal(eras.size, 1);
      assert.ok((await fenceOf(pool, schema)) < Math.max(fence, Date.now() * 1_000) + 1.5 * dayMs * 1_000, "it leapt more than once");
    }));

  it("is not waited for: while somebody writes, a beat tells the old one, and the next one the new", () =>
    on(freshPlace(), async (engine, { pool, schema }) => {
      const first = await eraOf(engine);
      const writer = await pool.connect();
      try {
        await writer.query("BEGIN");
        await writer.query(`SELECT ${schema}.begin_verb(NULL)`);
        await goBack(pool, schema);
        assert.equal(await Promise.race([eraOf(engine), sleep(2_000, "it waited")]), first);
      } finally {
        await writer.query("ROLLBACK");
        writer.release();
      }
      assert.notEqual(await eraOf(engine), first);
    }));

  for (const [may, hidden] of [
    ["the names of log files", ["pg_walfile_name(pg_lsn)"]],
    ["nothing of the server's past", ["pg_walfile_name(pg_lsn)", "pg_control_checkpoint()", "pg_control_system()"]],
  ] as const) {
    it(`stays, and work goes on, for a role that may not read ${may}`, () =>
      on(freshPlace(), async (engine, { pool, url, schema }) => {
        const first = await eraOf(engine);
        const role = `${schema}_barred`;
        await pool.query(
          `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role};
           GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}; ${hidden.map((name) => `REVOKE EXECUTE ON FUNCTION ${name} FROM PUBLIC;`).join("\n")}`,
        );
        const barred = await opened(url.replace("postgres@", `${role}@`), schema);
        try {
          await barred.enqueue([{ works: [job("a")] }], {});
          assert.equal((await barred.claim(wanted("c1"), {})).jobs.length, 1);
          assert.deepEqual([await eraOf(barred), await eraOf(engine), await eraOf(barred)], [first, first, first]);
        } finally {
          await barred.close();
          await pool.query(`${hidden.map((name) => `GRANT EXECUTE ON FUNCTION ${name} TO PUBLIC;`).join("\n")} DROP OWNED BY ${role}; DROP ROLE ${role}`);
        }
      }));
  }
});

describe("a fail-over", { skip: noServer }, () => {
  it("asynchronous, to a clock that is 10 s behind: what was lost is lost as a whole, the era is another one, and no fence is given twice", async (context) => {
    await using pair = await Pair.start("asynchronous");
    const engine = await opened(pair.address.url, "errand");
    try {
      await engine.enqueue([{ works: Array.from({ length: 40 }, (_, n) => job(`j${n}`)) }], { now: start });
      const kept = await claims(engine, 10, start + 1_000);
      await pair.caughtUp();
      const { era } = await engine.beat("p", leaseMs, { now: start + 1_000 });
      pair.separate();
      const lost = [...(await claims(engine, 10, start + 11_000)), await grant(engine, "before", start + 11_000)];
      await pair.failOver();
      const fresh = [await grant(engine, "after", start + 2_000), ...(await claims(engine, 20, start + 2_000))];
      assert.notEqual((await engine.beat("p", leaseMs, { now: start + 2_000 })).era, era);
      context.diagnostic(`fences kept up to ${Math.max(...kept)}, lost up to ${Math.max(...lost)}, given after it from ${Math.min(...fresh)}`);
      assert.ok(Math.max(...kept) < Math.min(...lost));
      assert.ok(Math.max(...lost) < Math.min(...fresh), "a fence of the lost past may come again");
      assert.equal(new Set([...kept, ...lost, ...fresh]).size, kept.length + lost.length + fresh.length);
    } finally {
      await engine.close();
    }
  });

  it("is followed by a client that was given both servers", async () => {
    await using pair = await Pair.start("synchronous");
    const sql = library(`postgres://postgres@127.0.0.1:${pair.standby.port},127.0.0.1:${pair.primary.port}/postgres`, {
      target_session_attrs: "primary",
      max: 2,
    });
    const engine = await opened(sql, "errand");
    try {
      await engine.enqueue([{ works: [job("a"), job("b")] }], {});
      const { fence } = await engine.claim(wanted("c1"), {});
      await pair.failOver();
      const claimed = await again(() => engine.claim(wanted("c2"), {}));
      assert.equal(claimed.jobs.length, 1);
      assert.ok(claimed.fence > fence + dayMs * 1_000 - 1);
    } finally {
      await engine.close();
      await sql.end();
    }
  });

  it("a standby that is reached meanwhile answers nothing, definitely so; from its promotion on the same engine works", async () => {
    await using pair = await Pair.start("synchronous");
    const engine = await opened(pair.address.url, "errand");
    try {
      await engine.enqueue([{ works: [job("a")] }], {});
      const claimed = await engine.claim(wanted("c1"), {});
      const era = await eraOf(engine);
      await pair.caughtUp();
      pair.leadTo(pair.standby);
      for (const [verb, call] of verbs(claimed.fence)) {
        await assert.rejects(
          again(() => call(engine)),
          (error) => ErrandError.is(error, "store-readonly") && error.isDefinite,
          verb,
        );
      }
      pair.address.leadTo(pair.primary.url);
      assert.equal(await eraOf(engine), era, "it stays with a server that it knows to be a standby");
      await pair.failOver();
      const settled = await again(() => engine.settle([{ is: "completed", id: "a", claim: "c1", fence: claimed.fence, ranMs: 1 }], {}));
      assert.deepEqual(
        settled.map(({ is }) => is),
        ["settled"],
        "what a synchronous standby has, it has",
      );
      const second = await eraOf(engine);
      assert.notEqual(second, era);
      await engine.enqueue([{ works: [job("b")] }], {});
      const after = await engine.claim(wanted("c2"), {});
      assert.equal(after.jobs.length, 1);
      assert.ok(after.fence > claimed.fence + dayMs * 1_000 - 1, "no leap");
      await pair.standby.kill();
      await pair.standby.start();
      const reopened = await opened(pair.address.url, "errand");
      assert.equal(await eraOf(reopened), second, "a restart is no other past");
      await reopened.close();
    } finally {
      await engine.close();
    }
  });
});

interface Where {
  readonly url: string;
  readonly schema: string;
  readonly pool: pg.Pool;
  done(): Promise<void>;
}

async function on(fresh: Promise<Where>, work: (engine: Engine, place: Where) => Promise<void>): Promise<void> {
  const place = await fresh;
  const engine = await opened(place.url, place.schema);
  try {
    await work(engine, place);
  } finally {
    await engine.close();
    await place.done();
  }
}

async function opened(database: Parameters<typeof postgres>[0], schema: string): Promise<Engine> {
  const engine = postgres(database, { schema });
  await engine.open({ runtime: new StillRuntime() });
  return engine;
}

async function eraOf(engine: Engine): Promise<string> {
  return (await engine.beat("somebody", leaseMs, {})).era;
}

/** As if the server had been promoted since. */
async function goBack(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(`UPDATE ${schema}.meta SET value = (SELECT '{00000000,' || array_to_string((value::text[])[2:], ',') || '}') WHERE key = 'history'`);
}

async function fenceOf(pool: pg.Pool, schema: string): Promise<number> {
  return Number((await pool.query<{ last_value: string }>(`SELECT last_value FROM ${schema}.fence`)).rows[0]?.last_value);
}

/** Nobody may be connected to a database that is copied. */
async function alone(url: string, original: string, copy: string): Promise<void> {
  await inDatabase(url, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${original}'`);
  await inDatabase(url, "postgres", `CREATE DATABASE ${copy} TEMPLATE ${original}`);
}

async function inDatabase(url: string, name: string, sql: string): Promise<void> {
  const there = new URL(url);
  there.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: there.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function wanted(claim: string, slots = 1): Claim {
  return { process: "p", leaseMs, claim, lastFence: 0, queues: [{ queue: "mail", slots, ahead: 0 }], tasks: ["send"], alone: "no", settling: [] };
}

/** The fences of that many claims, each by a process that was never given one. */
async function claims(engine: Engine, count: number, now: number): Promise<number[]> {
  const fences: number[] = [];
  for (let n = 0; n < count; n++) {
    const { jobs, fence } = await again(() => engine.claim({ ...wanted(`c${now}.${n}`), process: `p${now}.${n}` }, { now }));
    assert.equal(jobs.length, 1);
    fences.push(fence);
  }
  return fences;
}

async function grant(engine: Engine, ticket: string, now: number): Promise<number> {
  const answer = await again(() => engine.lock({ name: ticket, mode: "write", process: ticket, ticket, leaseMs, lastFence: 0 }, { now }));
  return answer.is === "granted" ? answer.fence : Number.NaN;
}

/** The first call on a connection that was cut finds that out. */
async function again<T>(call: () => Promise<T> | T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!ErrandError.is(error, "store-unreachable")) throw error;
    return call();
  }
}

function verbs(fence: number): readonly (readonly [string, (engine: Engine) => Promise<unknown>])[] {
  const at: At = {};
  const all: Readonly<Record<string, (engine: Engine) => unknown>> = {
    "enqueue of plain work": (engine) => engine.enqueue([{ works: [job("x")] }], at),
    "enqueue of ordered work": (engine) => engine.enqueue([{ works: [member("y", "park")] }], at),
    claim: (engine) => engine.claim(wanted("c"), at),
    "claim of nothing": (engine) => engine.claim({ ...wanted("c"), tasks: [] }, at),
    settle: (engine) => engine.settle([{ is: "completed", id: "a", claim: "c1", fence, ranMs: 1 }], at),
    "settle of what is not there": (engine) => engine.settle([{ is: "completed", id: "z", claim: "c1", fence, ranMs: 1 }], at),
    beat: (engine) => engine.beat("p", leaseMs, at),
    "beat of somebody unknown": (engine) => engine.beat("q", leaseMs, at),
    tidy: (engine) => engine.tidy({ items: 100, mayExpire: true }, at),
    change: (engine) => engine.change({ ids: ["a"] }, { do: "cancel", reason: "" }, 100, at),
    find: (engine) => engine.find({ of: "jobs", where: {}, limit: 10 }, at),
    count: (engine) => engine.count(at),
    lock: (engine) => engine.lock({ name: "l", mode: "write", process: "p", ticket: "t", leaseMs, lastFence: 0 }, at),
    unlock: (engine) => engine.unlock({ name: "l", ticket: "t" }, at),
    readNote: (engine) => engine.readNote("nothing", at),
  };
  return Object.entries(all).map(([verb, call]) => [verb, async (engine: Engine) => call(engine)] as const);
}
