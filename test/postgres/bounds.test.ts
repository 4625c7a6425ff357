/** Every wait has an end, on both sides: what the client has given up, the server does not go on with. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import postgres from "postgres";
import { ErrandError } from "../../src/core/errors.ts";
import { openBeat, beatSourceOf } from "../../src/postgres/beatConnection.ts";
import { databaseOf } from "../../src/postgres/client.ts";
import type { Database } from "../../src/postgres/client.ts";
import { install } from "../../src/postgres/install.ts";
import type { After } from "../../src/postgres/patience.ts";
import { PgDatabase } from "../../src/postgres/pgDatabase.ts";
import { PostgresDatabase } from "../../src/postgres/postgresDatabase.ts";
import { beatStatement, Verbs } from "../../src/postgres/verbs.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { PgBouncer, pgBouncerMissing } from "./pgbouncer.ts";
import { freshPlace } from "./places.ts";
import type { Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
const runtime = new StillRuntime();
/** Real, but all that takes longer takes 100 ms. */
const hasty: After = (ms, fn, options) => runtime.after(Math.min(ms, 100), fn, options);

interface Pooled extends AsyncDisposable {
  readonly database: Database;
}

/** Connected: on a busy machine that takes longer. */
const pools: readonly { readonly name: string; readonly open: (url: string) => Promise<Pooled> }[] = [
  {
    name: "a pool of pg",
    open: async (url) => {
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      pool.on("error", () => undefined);
      await pool.query("SELECT 1");
      return { database: new PgDatabase(pool, false, 100, hasty), [Symbol.asyncDispose]: () => pool.end() };
    },
  },
  {
    name: "a sql of postgres",
    open: async (url) => {
      const sql = postgres(url, { max: 1 });
      await sql`SELECT 1`;
      return { database: new PostgresDatabase(sql, false, hasty, 100), [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }) };
    },
  },
];

describe("PostgreSQL", { skip }, () => {
  for (const { name, open } of pools) {
    it(`by ${name}: a statement that is not answered in time is indefinite, and the server ends it`, async () => {
      const place = await freshPlace();
      await using pooled = await open(place.url);
      await pooled.database.query("SELECT 1", []);
      const sleeping = "SELECT pg_sleep(60) AS bounded";
      await fails("store-unreachable", false, () => pooled.database.query(sleeping, []));
      await until(async () => (await running(place, sleeping)) === 0);
      assert.deepEqual(await pooled.database.query("SELECT 1 AS n", []), [{ n: 1 }]);
      await place.done();
    });

    it(`by ${name}: where the app holds the only connection, a call that needs one fails in time, definite, and says what to do; later ones go on`, async () => {
      const place = await freshPlace();
      await using pooled = await open(place.url);
      const held = await pooled.database.reserve();
      await held.query("BEGIN", []);
      const call = name === "a pool of pg" ? () => pooled.database.query("SELECT 1", []) : () => pooled.database.reserve();
      const error = await fails("store-unreachable", true, call);
      assert.match(error.message, /all connections of the pool are in use: .* by within\(tx\), or give the pool more/);
      await held.query("ROLLBACK", []);
      held.release();
      assert.deepEqual(await pooled.database.query("SELECT 1 AS n", []), [{ n: 1 }]);
      const again = await pooled.database.reserve();
      again.release();
      await place.done();
    });
  }

  it("a verb that waits for the write lock is ended by the server: nothing was done, and no backend waits on", async () => {
    const place = await made();
    const database = databaseOf(place.pool);
    const holder = await place.pool.connect();
    try {
      await holder.query(`BEGIN; SELECT ${place.schema}.begin_verb(NULL)`);
      const verbs = new Verbs(place.schema, runtime, 100);
      await fails("store-busy", true, () => verbs.call(database, "verb_lock", [lockRequest], {}));
      assert.equal(await waiting(place), 0);
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
    }
    await place.done();
  });

  it("a role's own lock_timeout is kept", async () => {
    const place = await made();
    const pool = new pg.Pool({ connectionString: place.url, max: 1, options: "-c lock_timeout=50ms" });
    const database = databaseOf(pool);
    const holder = await place.pool.connect();
    try {
      await holder.query(`BEGIN; SELECT ${place.schema}.begin_verb(NULL)`);
      await fails("store-busy", true, () => new Verbs(place.schema, runtime).call(database, "verb_lock", [lockRequest], {}));
    } finally {
      await pool.end();
      await holder.query("ROLLBACK");
      holder.release();
    }
    await place.done();
  });

  it("a beat that a lock keeps waiting is over before the next but one", async () => {
    const place = await made();
    const database = databaseOf(place.url, 1);
    const connection = openBeat(beatSourceOf(database, beatStatement(place.schema))?.data);
    const verbs = new Verbs(place.schema, runtime);
    await verbs.call(database, "verb_lock", [lockRequest], {});
    const holder = await place.pool.connect();
    try {
      await holder.query(`BEGIN; SELECT FROM ${place.schema}.processes FOR UPDATE`);
      const began = performance.now();
      await fails("store-busy", true, async () => connection.beat("p", 8_000));
      assert.ok(performance.now() - began < 4_000);
      assert.equal(await waiting(place), 0);
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
    }
    assert.equal((await connection.beat("p", 8_000)).isLost, false);
    await connection.close();
    await database.close();
    await place.done();
  });

  it(
    "through PgBouncer in transaction mode it is the same, and leaves the server's sessions as they were",
    { skip: skip || (pgBouncerMissing ?? false) },
    async () => {
      const place = await made();
      await using bouncer = await PgBouncer.before(place.url);
      const database = databaseOf(bouncer.url, 1);
      const verbs = new Verbs(place.schema, runtime, 100);
      await verbs.call(database, "verb_count", [], {});
      const holder = await place.pool.connect();
      try {
        await holder.query(`BEGIN; SELECT ${place.schema}.begin_verb(NULL)`);
        await fails("store-busy", true, () => verbs.call(database, "verb_lock", [lockRequest], {}));
      } finally {
        await holder.query("ROLLBACK");
        holder.release();
      }
      const settings =
        "SELECT current_setting('lock_timeout') AS lock, current_setting('synchronous_commit') AS sync, current_setting('errand.now', true) AS now";
      for (let nth = 0; nth < 4; nth++) {
        const [row] = await database.query(settings, []);
        assert.deepEqual([row?.["lock"], row?.["sync"], row?.["now"] || ""], ["0", "on", ""]);
      }
      await database.close();
      await place.done();
    },
  );
});

const lockRequest = JSON.stringify({ process: "p", name: "till", ticket: "t", permits: 1, mode: "write", leaseMs: 8_000, lastFence: 0 });

async function made(): Promise<Place> {
  const place = await freshPlace();
  await install(databaseOf(place.pool), place.schema, () => "era");
  return place;
}

async function fails(code: string, isDefinite: boolean, call: () => Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!ErrandError.is(error)) assert.fail(`no ErrandError was thrown, but ${String(error)}`);
  assert.deepEqual([error.code, error.isDefinite], [code, isDefinite], error.message);
  return error;
}

async function running({ pool }: Place, statement: string): Promise<number> {
  return (await pool.query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query = $1 AND datname = current_database()", [statement])).rowCount ?? 0;
}

async function waiting({ pool }: Place): Promise<number> {
  return (await pool.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")).rowCount ?? 0;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 5_000; !(await holds());) assert.ok(performance.now() < deadline, "it did not come to that within 5 s");
}
