/** The schema: made once however many begin, all of it or nothing, and brought up to a version under locks that are given up soon. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import { broker, ErrandError, task } from "../../src/index.ts";
import { databaseOf } from "../../src/postgres/client.ts";
import { functions } from "../../src/postgres/functions.ts";
import { install, installation, schemaVersion } from "../../src/postgres/install.ts";
import { bringSchema } from "../../src/postgres/migrate.ts";
import type { Plan } from "../../src/postgres/migrate.ts";
import { freshPlace, notPooled } from "./places.ts";
import type { Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const noop = task("noop", () => undefined);
/** As a later version would have it. */
const next: Plan = { version: schemaVersion + 1, steps: ["ALTER TABLE @.meta ADD COLUMN more int"], making: "", functions, isWrittenAnew: false };

describe("the schema", { skip: postgresMissing ?? false }, () => {
  it("is made once, by eight that begin at the same time", async () => {
    await using place = await at();
    const brokers = Array.from({ length: 8 }, () => broker(`${place.url}?schema=${place.schema}`, { noop }));
    try {
      await Promise.all(brokers.map((work) => work.open()));
      await Promise.all(brokers.map((work) => work.enqueue(noop.with({}))));
      assert.equal((await brokers[0]?.count())?.ready, 8);
      assert.deepEqual(await rows(place, "SELECT count(*)::int AS n FROM @.meta WHERE key = 'era'"), [{ n: 1 }]);
    } finally {
      await Promise.all(brokers.map((work) => work.close()));
    }
  });

  it("is undone as a whole where something in it cannot be made, and made when that is gone", async () => {
    await using place = await at();
    await place.pool.query(`CREATE SCHEMA ${place.schema}`);
    await place.pool.query(`CREATE FUNCTION ${place.schema}.verb_tidy(jsonb, bigint) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb'`);
    await assert.rejects(make(place), (error) => ErrandError.is(error, "store-foreign") && error.isDefinite);
    assert.deepEqual(await holds(place), [{ tables: 0, functions: 1 }]);
    await place.pool.query(`DROP FUNCTION ${place.schema}.verb_tidy`);
    await make(place);
    assert.deepEqual(await rows(place, "SELECT value FROM @.meta WHERE key = 'schema'"), [{ value: String(schemaVersion) }]);
  });

  it("is made in one that is there by a role that may make none", async () => {
    await using place = await at();
    const role = `${place.schema}_owner`;
    await place.pool.query(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN; CREATE SCHEMA ${place.schema} AUTHORIZATION ${role}`);
    const url = new URL(place.url);
    url.username = role;
    const database = databaseOf(url.href);
    try {
      await install(database, place.schema, () => "era");
    } finally {
      await database.close();
      await place.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it("is refused where it holds something else, and left as it is", async () => {
    await using place = await at();
    for (const table of ["orders (id int)", "meta (id int)"]) {
      await place.pool.query(`CREATE SCHEMA ${place.schema} CREATE TABLE ${table}`);
      await assert.rejects(make(place), (error) => ErrandError.is(error, "store-foreign"));
      await place.pool.query(`DROP SCHEMA ${place.schema} CASCADE`);
    }
  });

  it("of a newer errand is refused by an older one", async () => {
    await using place = await at();
    await make(place);
    await bring(place, next);
    await assert.rejects(make(place), (error) => ErrandError.is(error, "store-newer") && /update errand/.test(error.message));
  });

  it("is refused where connections begin at another isolation level", { skip: notPooled("its sessions begin with no settings of a client's") }, async () => {
    await using place = await at();
    const pool = new pg.Pool({ connectionString: place.url, max: 1, options: "-c default_transaction_isolation=serializable" });
    await assert.rejects(
      install(databaseOf(pool), place.schema, () => "era"),
      (error) => ErrandError.is(error, "store-unsafe"),
    );
    await pool.end();
  });

  it("goes from version to version, by whoever comes first, and its functions become that version's", async () => {
    await using place = await at();
    await make(place);
    await place.pool.query(`CREATE OR REPLACE FUNCTION ${place.schema}.first_due_at() RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'`);
    assert.deepEqual((await Promise.all(Array.from({ length: 4 }, () => bring(place, next)))).toSorted(), [1, 2, 2, 2]);
    assert.deepEqual(await rows(place, "SELECT more FROM @.meta WHERE key = 'schema' AND value = '2'"), [{ more: null }]);
    assert.deepEqual(await rows(place, "SELECT @.first_due_at() AS at"), [{ at: null }]);
  });

  it("stays at its version where a step fails, and no other step has happened", async () => {
    await using place = await at();
    await make(place);
    await assert.rejects(bring(place, { ...next, version: 3, steps: [...next.steps, "CREATE TABLE @.jobs (id int)"] }), (error) =>
      ErrandError.is(error, "store-foreign"),
    );
    assert.deepEqual(await rows(place, "SELECT * FROM @.meta WHERE key = 'schema'"), [{ key: "schema", value: "1" }]);
  });

  it("gives up where an app's transaction holds a table, so that nobody else waits behind it for long", async () => {
    await using place = await at();
    await make(place);
    const client = await place.pool.connect();
    try {
      await client.query(`BEGIN; SELECT count(*) FROM ${place.schema}.meta`);
      await assert.rejects(bring(place, next), (error) => ErrandError.is(error, "store-busy") && error.isDefinite);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
    assert.equal(await bring(place, next), 1);
  });

  it("keeps what an app built on its functions", async () => {
    await using place = await at();
    await make(place);
    await place.pool.query(`CREATE VIEW ${place.schema}_due AS SELECT ${place.schema}.first_due_at() AS at`);
    await bring(place, { ...next, version: 1, steps: [], isWrittenAnew: true });
    assert.deepEqual((await place.pool.query(`SELECT at FROM ${place.schema}_due`)).rows, [{ at: null }]);
  });

  it("as it is printed makes a store", async () => {
    await using place = await at();
    await place.pool.query(`CREATE SCHEMA ${place.schema}; SET check_function_bodies = off; ${installation(place.schema)}`);
    const work = broker(`${place.url}?schema=${place.schema}`, { noop });
    await work.enqueue(noop.with({}));
    await work.close();
  });
});

async function at(): Promise<Place & AsyncDisposable> {
  const place = await freshPlace();
  return { ...place, [Symbol.asyncDispose]: () => place.done() };
}

function make(place: Place): Promise<void> {
  return install(databaseOf(place.pool), place.schema, () => "era");
}

function bring(place: Place, plan: Plan): Promise<number> {
  return bringSchema(databaseOf(place.pool), place.schema, plan);
}

async function rows(place: Place, sql: string): Promise<unknown[]> {
  return (await place.pool.query(sql.replaceAll("@.", `${place.schema}.`))).rows;
}

function holds({ pool, schema }: Place): Promise<unknown[]> {
  return pool
    .query(
      `SELECT (SELECT count(*)::int FROM pg_tables WHERE schemaname = $1) AS tables,
        (SELECT count(*)::int FROM pg_proc WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)) AS functions`,
      [schema],
    )
    .then(({ rows: found }) => found);
}
