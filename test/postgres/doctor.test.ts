/** The doctor: a healthy store has no findings; each that was planted is found, and what it prints repairs it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import type { Finding } from "../../src/core/examination.ts";
import { databaseOf } from "../../src/postgres/client.ts";
import { examine } from "../../src/postgres/doctor/examine.ts";
import { install } from "../../src/postgres/install.ts";
import { freshPlace } from "./places.ts";
import type { Place } from "./places.ts";
import { PrivateServer } from "./privateServer.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;
/** The server's own settings are whoever's it is. */
const look = async (url: string, schema: string): Promise<readonly Finding[]> =>
  (await examine(url, schema, hourMs)).findings.filter(({ about }) => about !== "settings");
/** Nobody else's test pins anything for an hour. */
const hourMs = 3_600_000;

interface Drift {
  readonly planted: string;
  readonly found: readonly RegExp[];
}

/** `@.`: the schema. */
const drifts: readonly Drift[] = [
  { planted: "DROP TABLE @.windows", found: [/^table windows is missing$/] },
  { planted: "DROP TABLE @.ready", found: [/^table ready is missing$/] },
  { planted: "DROP TABLE @.processes", found: [/^table processes is missing$/] },
  { planted: "DROP SEQUENCE @.fence", found: [/^sequence fence is missing$/] },
  { planted: "DROP INDEX @.running_process", found: [/^index running_process is missing$/] },
  { planted: "ALTER TABLE @.deadlines DROP CONSTRAINT deadlines_pkey", found: [/^index deadlines_pkey is missing$/] },
  {
    planted: "DROP INDEX @.jobs_state; CREATE INDEX jobs_state ON @.jobs (seq)",
    found: [/^index jobs_state is another than this version's$/],
  },
  { planted: "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '@.jobs_lane'::regclass", found: [/^index jobs_lane is invalid/] },
  { planted: "ALTER TABLE @.jobs ALTER COLUMN attempts TYPE bigint", found: [/^column jobs\.attempts is bigint, not integer$/] },
  { planted: "ALTER TABLE @.jobs ALTER COLUMN reason TYPE varchar(20)", found: [/^column jobs\.reason is character varying\(20\), not text$/] },
  { planted: "ALTER TABLE @.jobs ALTER COLUMN payload DROP NOT NULL", found: [/^column jobs\.payload takes nulls$/] },
  { planted: "ALTER TABLE @.jobs ALTER COLUMN starts DROP DEFAULT", found: [/^column jobs\.starts has the default null, not 0$/] },
  { planted: "ALTER TABLE @.jobs DROP COLUMN result", found: [/^column jobs\.result is missing$/] },
  {
    planted: "CREATE OR REPLACE FUNCTION @.first_due_at() RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'",
    found: [/^function first_due_at\(\) is another than this version's$/],
  },
  {
    planted: "DROP FUNCTION @.first_due_at(); CREATE FUNCTION @.first_due_at() RETURNS int LANGUAGE sql AS 'SELECT 7'",
    found: [/^function first_due_at\(\) is another than this version's$/],
  },
  { planted: "DROP FUNCTION @.tidied, @.verb_count", found: [/^function tidied\(.*\) is missing$/, /^function verb_count\(.*\) is missing$/] },
  { planted: "DROP TRIGGER lower_floors ON @.ready", found: [/^trigger ready\.lower_floors is missing$/] },
  { planted: "CREATE TABLE @.orders (id int PRIMARY KEY, n int); CREATE INDEX ON @.orders (n)", found: [/^table orders is none of this version's$/] },
  { planted: "ALTER TABLE @.jobs ADD COLUMN tenant text", found: [/^column jobs\.tenant is none of this version's$/] },
  { planted: "CREATE INDEX mine ON @.jobs (payload)", found: [/^index mine is none of this version's$/] },
  { planted: "ALTER TABLE @.jobs ADD CONSTRAINT one UNIQUE (payload)", found: [/^index one is none of this version's$/] },
  {
    planted: "CREATE FUNCTION @.tidied(int) RETURNS int LANGUAGE sql AS 'SELECT 7'",
    found: [/^function tidied\(integer\) is none of this version's$/],
  },
  {
    planted: "CREATE TRIGGER mine AFTER INSERT ON @.jobs FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    found: [/^trigger jobs\.mine is none of this version's$/],
  },
  { planted: "CREATE SEQUENCE @.mine; CREATE TYPE @.pair AS (a int, b int)", found: [/^sequence mine is none/, /^type pair is none/] },
  { planted: "ALTER TABLE @.ready DISABLE TRIGGER lower_floors", found: [/^trigger ready\.lower_floors is disabled$/] },
];

describe("the doctor on a schema", { skip }, () => {
  for (const { planted, found } of drifts) {
    it(`finds what this did, and the repair it prints undoes it: ${planted}`, async () => {
      await using place = await made();
      const told = sql(place);
      assert.deepEqual(await findings(place), []);
      await place.pool.query(told(planted));
      const all = await look(place.url, place.schema);
      assert.equal(all.length, found.length, JSON.stringify(all.map(({ what }) => what)));
      for (const pattern of found)
        assert.ok(
          all.some(({ what }) => pattern.test(what)),
          JSON.stringify(all.map(({ what }) => what)),
        );
      // One statement at a time, as some allow no transaction around them.
      for (const { repair = "" } of all) for (const statement of statementsOf(repair)) await place.pool.query(statement);
      assert.deepEqual(await findings(place), []);
    });
  }

  it("says that there is none, or that it is somebody else's or a newer one's, and leaves it as it is", async () => {
    await using place = await at();
    assert.match(String(await findings(place)), /^there is no schema .*; errand migrate makes it$/);
    await place.pool.query(`CREATE SCHEMA ${place.schema} CREATE TABLE orders (id int)`);
    assert.match(String(await findings(place)), /^store-foreign: /);
    await place.pool.query(`DROP SCHEMA ${place.schema} CASCADE`);
    await make(place);
    await place.pool.query(sql(place)("UPDATE @.meta SET value = '99' WHERE key = 'schema'"));
    assert.match(String(await findings(place)), /^store-newer: .*update errand$/);
  });

  it("finds what a role may not do, one by one, and the grants that it prints are enough", async () => {
    await using place = await made();
    const role = `${place.schema}_app`;
    await place.pool.query(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN`);
    const url = new URL(place.url);
    url.username = role;
    try {
      assert.deepEqual((await look(url.href, place.schema))[0]?.what, `role ${role} lacks USAGE on schema ${place.schema}`);
      for (let round = 0; round < 2; round++) for (const { repair = "" } of await look(url.href, place.schema)) await place.pool.query(repair);
      assert.deepEqual(await look(url.href, place.schema), []);
      await place.pool.query(sql(place)(`REVOKE UPDATE ON SEQUENCE @.fence FROM ${role}; REVOKE DELETE, INSERT ON @.ready FROM ${role}`));
      assert.deepEqual(
        (await look(url.href, place.schema)).map(({ what }) => what),
        [`role ${role} lacks INSERT, DELETE on table ${place.schema}.ready`, `role ${role} lacks UPDATE on sequence ${place.schema}.fence`],
      );
    } finally {
      await place.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it("names the session that pins the horizon, and what it prints ends it", async () => {
    await using place = await made();
    const client = new pg.Client({ connectionString: place.url, application_name: "month report" });
    client.on("error", () => undefined);
    await client.connect();
    const { rows } = await client
      .query<{ pid: number }>("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_backend_pid() AS pid")
      .then((all) => (all as unknown as pg.QueryResult[])[1] as never);
    const pid = String((rows as { pid: number }[])[0]?.pid);
    const mine = async (): Promise<readonly { what: string; repair?: string }[]> =>
      (await examine(place.url, place.schema, 0)).findings.filter(({ what }) => what.includes(`session ${pid} `));
    const [finding] = await mine();
    assert.match(
      finding?.what ?? "",
      /application month report, role postgres, idle in transaction, query begun \d{4}-.*Z\) has had a transaction open for 00:00:0\d/,
    );
    await place.pool.query(finding?.repair ?? "");
    assert.deepEqual(await mine(), []);
  });

  it("finds a table that vacuum has fallen behind with, and what it prints helps", async () => {
    await using place = await made();
    await place.pool.query(sql(place)("ALTER TABLE @.deadlines SET (autovacuum_enabled = false)"));
    const client = await place.pool.connect();
    // A connection tells what it did once a second, and only when it does something.
    const until = async (query: string, holds: (found: readonly Finding[]) => boolean): Promise<readonly Finding[]> => {
      for (const deadline = performance.now() + 20_000; ;) {
        await client.query(query);
        const found = await look(place.url, place.schema);
        if (holds(found) || performance.now() > deadline) return found;
      }
    };
    try {
      await client.query(sql(place)("INSERT INTO @.deadlines SELECT n, 0 FROM generate_series(1, 12000) n; DELETE FROM @.deadlines"));
      const [finding] = await until("SELECT 1", (found) => found.length > 0);
      assert.match(finding?.what ?? "", /^table deadlines has 12,000 dead rows/);
      // An autoanalyze that began before keeps what it sees from the first one.
      assert.deepEqual(await until(finding?.repair ?? "", (found) => found.length === 0), []);
    } finally {
      client.release();
    }
  });
});

describe("the doctor on a server", { skip }, () => {
  let server: PrivateServer;
  before(async () => {
    server = await PrivateServer.start({
      settings: {
        fsync: "off",
        full_page_writes: "off",
        synchronous_commit: "off",
        autovacuum: "off",
        track_counts: "off",
        default_transaction_isolation: "serializable",
        wal_level: "logical",
        max_prepared_transactions: 2,
      },
    });
  });
  after(() => server.stop());

  it("finds the settings that weaken what is guaranteed, and what pins the horizon without a session", async () => {
    const pool = new pg.Pool({ connectionString: server.url, allowExitOnIdle: true });
    await pool.query("CREATE TABLE rows (id int)");
    await pool.query("SELECT pg_create_logical_replication_slot('leftover', 'pgoutput')");
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO rows VALUES (1)");
    await client.query("PREPARE TRANSACTION 'a report''s'");
    client.release();
    const { findings: all } = await examine(server.url, "errand", 0);
    const of = (about: string): readonly string[] => all.filter((one) => one.about === about).map(({ what }) => what.split(":")[0] ?? "");
    assert.deepEqual(of("settings"), [
      "fsync is off",
      "full_page_writes is off",
      "synchronous_commit is off",
      "autovacuum is off",
      "track_counts is off",
      "default_transaction_isolation is serializable",
    ]);
    assert.match(of("horizon").join("\n"), /the prepared transaction a report's of postgres.*\n.*the logical replication slot leftover/);
    for (const { repair } of all.filter(({ about }) => about === "horizon")) await pool.query(repair ?? "");
    assert.deepEqual(
      (await examine(server.url, "errand", 0)).findings.filter(({ about }) => about === "horizon"),
      [],
    );
    await pool.end();
  });
});

async function at(): Promise<Place & AsyncDisposable> {
  const place = await freshPlace();
  return { ...place, [Symbol.asyncDispose]: () => place.done() };
}

async function made(): Promise<Place & AsyncDisposable> {
  const place = await at();
  await make(place);
  return place;
}

function make(place: Place): Promise<void> {
  return install(databaseOf(place.pool), place.schema, () => "era");
}

async function findings({ url, schema }: Place): Promise<readonly string[]> {
  return (await look(url, schema)).map(({ what }) => what);
}

function sql({ schema }: Place): (text: string) => string {
  return (text) => text.replaceAll("@.", `${schema}.`);
}

function statementsOf(repair: string): readonly string[] {
  return repair.split(repair.includes(" FUNCTION ") ? /\n(?=CREATE OR REPLACE FUNCTION)/ : /(?<=;)\n(?=[A-Z])/);
}
