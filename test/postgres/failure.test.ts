import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import pg from "pg";
import { ErrandError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { Database, Reserved } from "../../src/postgres/client.ts";
import { PgDatabase } from "../../src/postgres/pgDatabase.ts";
import { clients } from "./clients.ts";
import { freshPlace } from "./places.ts";
import type { Place } from "./places.ts";
import { freePort, PrivateServer } from "./privateServer.ts";
import { Proxy } from "./proxy.ts";
import { postgresMissing } from "./server.ts";

interface Stage {
  readonly database: Database;
  readonly place: Place;
}

interface Row {
  readonly claim: string;
  readonly code: ErrorCode;
  readonly isDefinite: boolean;
  readonly provoke: (stage: Stage) => Promise<unknown>;
}

/** The server answers as it does in that state, which cannot be had here otherwise. */
const raised = (state: string) => async (stage: Stage) => stage.database.query(`DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '${state}'; END $$`, []);
const asked =
  (text: string, values: readonly string[] = []) =>
  async ({ database }: Stage): Promise<unknown> =>
    database.query(text, values);
const inTransaction =
  (...statements: readonly string[]) =>
  async ({ database }: Stage): Promise<void> => {
    const reserved = await database.reserve();
    try {
      for (const statement of statements) await reserved.query(statement, []);
    } finally {
      await reserved.query("ROLLBACK", []);
      reserved.release();
    }
  };

const rows: readonly Row[] = [
  { claim: "a backend that is terminated in the midst of a statement", code: "store-unreachable", isDefinite: false, provoke: terminated },
  {
    claim: "a statement that terminates its own backend",
    code: "store-unreachable",
    isDefinite: false,
    provoke: asked("SELECT pg_terminate_backend(pg_backend_pid())"),
  },
  {
    claim: "a write in a read-only transaction",
    code: "store-readonly",
    isDefinite: true,
    provoke: inTransaction("BEGIN READ ONLY", "CREATE TABLE never (id int)"),
  },
  {
    claim: "a statement that takes too long",
    code: "store-busy",
    isDefinite: true,
    provoke: inTransaction("BEGIN", "SET LOCAL statement_timeout = 10", "SELECT pg_sleep(10)"),
  },
  { claim: "a lock that is not had in time", code: "store-busy", isDefinite: true, provoke: locked },
  { claim: "a lock that is not had at once", code: "store-busy", isDefinite: true, provoke: raised("55P03") },
  { claim: "a deadlock", code: "conflict-retry", isDefinite: true, provoke: deadlocked },
  { claim: "a serialization failure", code: "conflict-retry", isDefinite: true, provoke: overtaken },
  { claim: "a transaction in which an earlier statement has failed", code: "tx-not-open", isDefinite: true, provoke: afterAFailure },
  { claim: "a role that may not", code: "store-denied", isDefinite: true, provoke: inTransaction("BEGIN", "SET LOCAL ROLE pg_monitor", "CREATE SCHEMA never") },
  { claim: "a function that is not there", code: "store-moved", isDefinite: true, provoke: asked("SELECT never.was($1)", ["x"]) },
  { claim: "a table that is not there", code: "store-moved", isDefinite: true, provoke: asked("SELECT FROM never.was") },
  { claim: "a schema that is not there", code: "store-moved", isDefinite: true, provoke: asked("CREATE TABLE never.was (id int)") },
  { claim: "U+0000 in a text", code: "option-invalid", isDefinite: true, provoke: asked("SELECT $1::text AS n", ["a\u0000b"]) },
  { claim: "U+0000 in JSON", code: "option-invalid", isDefinite: true, provoke: asked("SELECT $1::jsonb ->> 0 AS n", [String.raw`["\u0000"]`]) },
  { claim: "a table of locks that is full", code: "store-busy", isDefinite: true, provoke: raised("53200") },
  { claim: "a full disk", code: "store-full", isDefinite: true, provoke: raised("53100") },
  { claim: "damaged data", code: "store-corrupt", isDefinite: false, provoke: raised("XX001") },
  { claim: "an error that errand does not know", code: "store-failed", isDefinite: true, provoke: asked("SELECT 1 / $1::int", ["0"]) },
];

describe("PostgreSQL", { skip: postgresMissing ?? false }, () => {
  for (const { name, open } of clients) {
    describe(`by ${name}`, () => {
      for (const { claim, code, isDefinite, provoke } of rows) {
        it(`${claim} is ${code}, ${isDefinite ? "definite" : "indefinite"}, and the next call has its answer`, async () => {
          const place = await freshPlace();
          await using opened = open(place.url);
          await fails(code, isDefinite, () => provoke({ database: opened.database, place }));
          assert.deepEqual(await opened.database.query("SELECT 1 AS n", []), [{ n: 1 }]);
          await place.done();
        });
      }

      it("a server that is not there is store-unreachable, definite", async () => {
        await using opened = open(`postgres://postgres@127.0.0.1:${await freePort()}/postgres`);
        await fails("store-unreachable", true, () => opened.database.query("SELECT 1", []));
      });

      it("a database that is not there is store-denied, definite", async () => {
        const { url } = await freshPlace();
        await using opened = open(new URL("/never_made", url).href);
        await fails("store-denied", true, () => opened.database.query("SELECT 1", []));
      });

      it("a role that may not log in is store-denied, definite", async () => {
        const url = new URL((await freshPlace()).url);
        url.username = "pg_monitor";
        await using opened = open(url.href);
        await fails("store-denied", true, () => opened.database.query("SELECT 1", []));
      });

      it("a network that breaks in the midst of a statement is store-unreachable, indefinite; then the next call has its answer", async () => {
        const place = await freshPlace();
        await using proxy = await Proxy.before(place.url);
        await using opened = open(proxy.url);
        const sleep = asleep();
        const call = fails("store-unreachable", false, () => opened.database.query(sleep, []));
        const pid = await isRunning(place, sleep);
        proxy.cut();
        await call;
        await place.pool.query("SELECT pg_terminate_backend($1)", [pid]);
        assert.deepEqual(await opened.database.query("SELECT 1 AS n", []), [{ n: 1 }]);
        await place.done();
      });
    });
  }

  it("a server that is killed is store-unreachable: indefinite in the midst of a statement, definite while it is away; then it answers", async () => {
    await using server = await PrivateServer.start({ isDurable: false, settings: { max_connections: 20 } });
    const pool = new pg.Pool({ connectionString: server.url });
    pool.on("error", () => undefined);
    const database = new PgDatabase(pool, true);
    const sleep = asleep();
    const call = fails("store-unreachable", false, () => database.query(sleep, []));
    const watcher = new pg.Client(server.url);
    watcher.on("error", () => undefined);
    await watcher.connect();
    await isRunning({ pool: watcher }, sleep);
    await server.kill();
    await call;
    await fails("store-unreachable", true, () => database.query("SELECT 1", []));
    await server.start();
    assert.deepEqual(await database.query("SELECT 1 AS n", []), [{ n: 1 }]);
    await database.close();
  });

  it("a server without a connection left is store-unreachable, definite", async () => {
    await using server = await PrivateServer.start({
      isDurable: false,
      settings: { max_connections: 5, superuser_reserved_connections: 0, max_wal_senders: 0 },
    });
    const full = new pg.Pool({ connectionString: server.url, max: 10 });
    full.on("error", () => undefined);
    const held = await Promise.allSettled(Array.from({ length: 10 }, () => full.connect()));
    assert.ok(held.some(({ status }) => status === "rejected"));
    for (const { open } of clients) {
      await using opened = open(server.url);
      await fails("store-unreachable", true, () => opened.database.query("SELECT 1", []), "53300");
    }
    for (const client of held) if (client.status === "fulfilled") client.value.release();
    await full.end();
  });

  it("a connection on which nothing comes back is given up, indefinite; then the next call has its answer", async () => {
    const place = await freshPlace();
    await using proxy = await Proxy.before(place.url);
    const database = new PgDatabase(new pg.Pool({ connectionString: proxy.url, max: 1 }), true, 100);
    await database.query("SELECT 1", []);
    proxy.freeze();
    await fails("store-unreachable", false, () => database.query("SELECT 1", []));
    assert.deepEqual(await database.query("SELECT 1 AS n", []), [{ n: 1 }]);
    await database.close();
    await place.done();
  });
});

async function fails(code: ErrorCode, isDefinite: boolean, call: () => Promise<unknown>, sqlState?: string): Promise<void> {
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!ErrandError.is(error)) assert.fail(`no ErrandError was thrown, but ${String(error)}`);
  assert.deepEqual([error.code, error.isDefinite], [code, isDefinite], error.message);
  if (sqlState !== undefined) assert.equal(error.details["sqlState"], sqlState);
}

async function terminated({ database, place }: Stage): Promise<void> {
  const sleep = asleep();
  const call = database.query(sleep, []);
  await Promise.all([call, isRunning(place, sleep).then((pid) => place.pool.query("SELECT pg_terminate_backend($1)", [pid]))]);
}

/** Another statement each time, so that it is told from those that others left behind. */
function asleep(): string {
  return `SELECT pg_sleep(60) AS "${randomUUID()}"`;
}

/** Resolves when that statement runs, with its backend. */
async function isRunning({ pool }: { readonly pool: Pick<pg.Pool | pg.Client, "query"> }, statement: string): Promise<number> {
  const running = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = $1";
  for (;;) {
    const { rows: found } = await (pool as pg.Pool).query<{ pid: number }>(running, [statement]);
    if (found[0] !== undefined) return found[0].pid;
  }
}

async function locked(stage: Stage): Promise<void> {
  const holder = await stage.place.pool.connect();
  try {
    await holder.query("BEGIN; SELECT pg_advisory_xact_lock(7)");
    await inTransaction("BEGIN", "SET LOCAL lock_timeout = 10", "SELECT pg_advisory_xact_lock(7)")(stage);
  } finally {
    await holder.query("ROLLBACK");
    holder.release();
  }
}

async function afterAFailure({ database }: Stage): Promise<void> {
  const reserved = await database.reserve();
  try {
    await reserved.query("BEGIN", []);
    await assert.rejects(reserved.query("SELECT 1 / 0", []));
    await reserved.query("SELECT 1", []);
  } finally {
    await reserved.query("ROLLBACK", []);
    reserved.release();
  }
}

async function deadlocked({ database }: Stage): Promise<void> {
  await withTwo(database, async (one, other) => {
    await one.query("BEGIN", []);
    await other.query("BEGIN", []);
    await one.query("SELECT pg_advisory_xact_lock(1)", []);
    await other.query("SELECT pg_advisory_xact_lock(2)", []);
    await one.query("SET LOCAL deadlock_timeout = 10", []);
    await other.query("SET LOCAL deadlock_timeout = 60000", []);
    const blocked = other.query("SELECT pg_advisory_xact_lock(1)", []);
    try {
      await one.query("SELECT pg_advisory_xact_lock(2)", []);
    } finally {
      await one.query("ROLLBACK", []);
      await blocked;
    }
  });
}

async function overtaken({ database, place }: Stage): Promise<void> {
  await database.query(`CREATE TABLE IF NOT EXISTS overtaken (n int)`, []);
  await place.pool.query("TRUNCATE overtaken; INSERT INTO overtaken VALUES (1)");
  await withTwo(database, async (one) => {
    await one.query("BEGIN ISOLATION LEVEL REPEATABLE READ", []);
    await one.query("SELECT * FROM overtaken", []);
    await place.pool.query("UPDATE overtaken SET n = 2");
    await one.query("UPDATE overtaken SET n = 3", []);
  });
}

async function withTwo(database: Database, work: (one: Reserved, other: Reserved) => Promise<void>): Promise<void> {
  const [one, other] = [await database.reserve(), await database.reserve()];
  try {
    await work(one, other);
  } finally {
    for (const each of [one, other]) {
      await each.query("ROLLBACK", []);
      each.release();
    }
  }
}
