import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import postgres from "postgres";
import { ErrandError } from "../../src/core/errors.ts";
import { databaseOf, sessionOf } from "../../src/postgres/client.ts";
import { loadPg } from "../../src/postgres/driver.ts";
import { clients } from "./clients.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing, serverUrl } from "./server.ts";

const everyKind = `SELECT $1::text AS text, $2::bigint AS big, $3::jsonb AS json, $4::text[] AS texts, $5::boolean AS truth, $6::int AS nothing,
  $7::bigint[] = '{1,2}' AS numbers, $8::text AS opaque, cardinality($4::text[]) AS length`;
const text = `a "quoted" \\ 'text' {with} every, thing ${String.fromCodePoint(0x1f600)}\n`;

describe("PostgreSQL", { skip: postgresMissing ?? false }, () => {
  for (const { name, open } of clients) {
    describe(`by ${name}`, () => {
      it("values arrive and come back as they are", async () => {
        await using opened = open(await serverUrl());
        const json = JSON.stringify({ text, n: [1, null] });
        const [row] = await opened.database.query(everyKind, [text, 2 ** 53, json, [text, null, "", "NULL"], true, null, [1, 2], json]);
        const { texts, ...rest } = row ?? {};
        assert.deepEqual(rest, { text, big: 2 ** 53, json: JSON.parse(json), truth: true, nothing: null, numbers: true, opaque: json, length: 4 });
        assert.ok(String(texts).endsWith(`,NULL,"","NULL"}`));
      });

      it("many calls at once share a pool of one connection", async () => {
        await using opened = open(await serverUrl(), 1);
        const rows = await Promise.all(Array.from({ length: 20 }, (_, at) => opened.database.query("SELECT $1::int AS at, pg_backend_pid() AS pid", [at])));
        assert.deepEqual(
          rows.map(([row]) => row?.["at"]),
          Array.from({ length: 20 }, (_, at) => at),
        );
        assert.equal(new Set(rows.map(([row]) => row?.["pid"])).size, 1);
      });

      it("no statement of errand is left prepared on the connection", async () => {
        await using opened = open(await serverUrl(), 1);
        await opened.database.query("SELECT $1::int AS n", [1]);
        const [row] = await opened.database.query("SELECT count(*) AS n FROM pg_prepared_statements WHERE statement = $1", ["SELECT $1::int AS n"]);
        assert.equal(row?.["n"], 0);
      });

      it("what is reserved is one connection, until it is given back", async () => {
        await using opened = open(await serverUrl(), 1);
        const reserved = await opened.database.reserve();
        await reserved.query("BEGIN", []);
        const [first] = await reserved.query("SELECT now() AS at", []);
        const waiting = opened.database.query("SELECT 1 AS n", []);
        const [second] = await reserved.query("SELECT now() AS at", []);
        await reserved.query("COMMIT", []);
        reserved.release();
        assert.equal(first?.["at"], second?.["at"]);
        assert.deepEqual(await waiting, [{ n: 1 }]);
      });
    });
  }

  it("an app's pool keeps its parsers and is not ended", async () => {
    const types = { getTypeParser: () => (): string => "the app's" };
    const pool = new pg.Pool({ connectionString: await serverUrl(), types: types as never });
    const database = databaseOf(pool);
    assert.deepEqual(await database.query("SELECT 1::bigint AS n", []), [{ n: 1 }]);
    await database.close();
    assert.deepEqual((await pool.query("SELECT 1::bigint AS n")).rows, [{ n: "the app's" }]);
    await pool.end();
  });

  it("an app's sql keeps its parsers and is not ended", async () => {
    const types = { bigint: { to: 20, from: [20], serialize: String, parse: (): string => "the app's" } };
    const sql = postgres(await serverUrl(), { types: types as never });
    const database = databaseOf(sql);
    assert.deepEqual(await database.query("SELECT 1::bigint AS n", []), [{ n: 1 }]);
    await database.close();
    assert.deepEqual([...(await sql`SELECT 1::bigint AS n`)], [{ n: "the app's" }]);
    await sql.end();
  });

  it("the connection that listens logs in as the pool does, also with the password that pg hides", async () => {
    const passwords: unknown[] = [];
    class Client extends pg.Client {
      constructor(options: pg.ClientConfig = {}) {
        super(options);
        passwords.push(options.password);
      }
    }
    const config: pg.PoolConfig & { readonly Client: typeof Client } = { connectionString: await serverUrl(), password: "secret", Client };
    const pool = new pg.Pool(config);
    const hearing = await databaseOf(pool).hear("errand", { heard: () => undefined, lost: () => undefined });
    hearing.end();
    await pool.end();
    assert.deepEqual(passwords, ["secret"]);
  });

  it("connections that errand makes say whose they are", async () => {
    const database = databaseOf(await serverUrl());
    assert.deepEqual(await database.query("SELECT current_setting('application_name') AS name", []), [{ name: "errand" }]);
    await database.close();
  });

  it("an app's transaction is told from what is none", async () => {
    const { pool } = await freshPlace();
    assert.equal(sessionOf(pool), undefined);
    const client = await pool.connect();
    assert.equal(sessionOf(client)?.isOpen, false);
    await client.query("BEGIN");
    const joined = sessionOf(client);
    assert.equal(joined?.isOpen, true);
    assert.deepEqual(await joined.session.query("SELECT 1::bigint AS n", []), [{ n: 1 }]);
    await client.query("ROLLBACK");
    client.release();
    for (const other of [undefined, null, 1, "postgres://", {}, () => undefined]) assert.equal(sessionOf(other), undefined);
  });
});

it("a machine without the driver is told what to install", () => {
  const require = (): unknown => {
    throw new Error("Cannot find module 'pg'");
  };
  assert.throws(() => loadPg(require), { code: "engine-missing", message: /npm install pg/ });
});

it("what is no database is refused, with what could be given", () => {
  const client = new pg.Client();
  for (const given of [client, {}, undefined, 5, () => undefined]) {
    assert.throws(
      () => databaseOf(given),
      (error) => ErrandError.is(error, "option-invalid") && /give a URL/.test(error.message),
    );
  }
});

it("names of databases hold no password", () => {
  const url = "postgres://user:secret@127.0.0.1:1/shop";
  const pools = [databaseOf(url), databaseOf(new pg.Pool({ host: "h", port: 1, password: "secret", database: "shop" })), databaseOf(postgres(url))];
  assert.deepEqual(
    pools.map(({ name }) => name),
    ["postgres://127.0.0.1:1/shop", "postgres://h:1/shop", "postgres://127.0.0.1:1/shop"],
  );
});
