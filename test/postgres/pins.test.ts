/** What pins the horizon is told by whoever works: once of each holder, with its name and the cure; and nothing is written for it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { broker, task } from "../../src/index.ts";
import { pinnedAfterMs } from "../../src/core/defaults.ts";
import type { Runtime } from "../../src/core/runtime.ts";
import { StoreBroker } from "../../src/core/broker.ts";
import { PinWatch } from "../../src/core/worker/pinWatch.ts";
import { PostgresEngine } from "../../src/postgres/postgresEngine.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { migrate } from "../../src/storeCare.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { installation } from "./installations.ts";
import { Pair } from "./pair.ts";
import { PrivateServer } from "./privateServer.ts";

const noServer = installation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false;
const greet = task("greet", () => undefined);

interface Said {
  readonly level: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

describe("what pins the horizon", { skip: noServer }, () => {
  let server: PrivateServer;
  let admin: pg.Client;
  before(async () => {
    server = await PrivateServer.start({ isDurable: false, settings: { wal_level: "logical", max_prepared_transactions: 2, autovacuum: "off" } });
    admin = await connected(server.url, "tests");
    await admin.query("CREATE TABLE rows (id int); CREATE ROLE app LOGIN; CREATE ROLE reporter LOGIN; CREATE SCHEMA errand AUTHORIZATION app");
    await admin.query("GRANT ALL ON rows TO app, reporter");
    await migrate(as(server.url, "app"), "errand");
  });
  after(async () => {
    await admin.end();
    await server.stop();
  });

  it("a session is told of once, with its pid, application, role, state, age and cure; that it has ended, too", async () => {
    await using watched = await watch(server.url, 0);
    const client = await connected(server.url, "month report");
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    const pid = await pidOf(client);
    const about = (): readonly Said[] => watched.said().filter(({ details }) => details["pid"] === pid);
    await watched.watch.look();
    await watched.watch.look();
    const [warning, ...others] = about();
    assert.deepEqual(others, []);
    assert.equal(warning?.level, "warn");
    assert.match(
      warning.message,
      new RegExp(
        `^session ${pid} \\(application month report, role postgres, idle in transaction, query begun .*Z\\) has had a transaction open for 00:00:\\d\\d: .*; if it is not wanted: SELECT pg_terminate_backend\\(${pid}\\);$`,
      ),
    );
    const { ageMs, transactions, queryStart, xid, address, ...rest } = warning.details;
    assert.deepEqual(rest, { by: "session", pid, application: "month report", role: "postgres", state: "idle in transaction" });
    assert.ok(Number(ageMs) >= 0 && Number(transactions) >= 0 && queryStart !== undefined && xid !== undefined && address !== undefined);
    await client.end();
    await watched.watch.look();
    assert.deepEqual(
      about().map(({ level }) => level),
      ["warn", "info"],
    );
  });

  it("a session that is not that old is not told of", async () => {
    await using watched = await watch(server.url, pinnedAfterMs);
    const client = await connected(server.url, "quick");
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    await watched.watch.look();
    assert.deepEqual(watched.said(), []);
    await client.end();
  });

  it("a prepared transaction is told of, and what is told ends it", async () => {
    await using watched = await watch(server.url, 0);
    await admin.query("BEGIN; INSERT INTO rows VALUES (1); PREPARE TRANSACTION 'a report''s'");
    await watched.watch.look();
    const [warning] = watched.said().filter(({ details }) => details["by"] === "prepared-transaction");
    assert.match(warning?.message ?? "", /^the prepared transaction a report's of postgres waits for its end for 00:00:0\d: /);
    await admin.query(cureIn(warning));
    assert.deepEqual((await admin.query("SELECT FROM pg_prepared_xacts")).rows, []);
  });

  it("a replication slot that nobody reads is told of when nobody has for that long, or since it was first seen, and what is told ends it", async () => {
    const isAgeTold = server.version >= 17;
    await using watched = await watch(server.url, isAgeTold ? 0 : pinnedAfterMs);
    await admin.query("SELECT pg_create_logical_replication_slot('leftover', 'pgoutput')");
    const about = (): readonly Said[] => watched.said().filter(({ details }) => details["name"] === "leftover");
    if (!isAgeTold) {
      await watched.watch.look();
      await watched.runtime.advance(pinnedAfterMs - 1);
      await watched.watch.look();
      assert.deepEqual(about(), []);
      await watched.runtime.advance(1);
    }
    await watched.watch.look();
    const [warning] = about();
    assert.match(warning?.message ?? "", /^nobody reads the logical replication slot leftover, which holds the horizon at transaction \d+ /);
    await admin.query(cureIn(warning));
    assert.deepEqual((await admin.query("SELECT FROM pg_replication_slots")).rows, []);
  });

  it("a role that is not shown what others do names them all the same, when their snapshot has not moved for that long", async () => {
    await using watched = await watch(as(server.url, "app"), pinnedAfterMs);
    const client = await connected(as(server.url, "reporter"), "month report");
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    const pid = await pidOf(client);
    await burn(admin, 1);
    // For a writer's open transaction nobody else is to blame, though its snapshot is as old.
    const writer = await connected(as(server.url, "reporter"), "import");
    await writer.query("BEGIN; INSERT INTO rows VALUES (2)");
    const victim = await connected(as(server.url, "reporter"), "victim");
    await victim.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    await burn(admin, 10_001);
    await watched.watch.look();
    await watched.runtime.advance(pinnedAfterMs - 1);
    await watched.watch.look();
    assert.deepEqual(watched.said(), []);
    await watched.runtime.advance(1);
    await watched.watch.look();
    const told = watched.said();
    assert.deepEqual(told.map(({ details }) => details["application"]).toSorted(), ["import", "month report"], JSON.stringify(told));
    const warning = told.find(({ details }) => details["pid"] === pid);
    assert.match(
      warning?.message ?? "",
      /^session \d+ \(application month report, role reporter, what it does is not shown to this role\) has had a transaction open through 10,\d\d\d transactions: .*pg_terminate_backend/,
    );
    for (const each of [client, writer, victim]) await each.end();
  });

  it("a worker looks by itself while it runs", async () => {
    const said: Said[] = [];
    const engine = new PostgresEngine(as(server.url, "app"), { schema: "errand" });
    const work = new StoreBroker({ engine, runtime: hurried(said), definitions: [{ greet }] });
    const worker = await work.start({ signals: false });
    const client = await connected(as(server.url, "reporter"), "audit");
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    await burn(admin, 10_001);
    const warned = (): Said | undefined => said.find(({ details }) => details["application"] === "audit");
    for (const deadline = performance.now() + 20_000; warned() === undefined && performance.now() < deadline;) await admin.query("SELECT pg_sleep(0.02)");
    await client.end();
    await worker.stop();
    await work.close();
    assert.match(warned()?.message ?? "", /^session \d+ \(application audit, role reporter/, JSON.stringify(said));
  });

  it("metrics count what pins, by kind", async () => {
    const work = broker(`${as(server.url, "app")}?schema=errand`, { greet });
    const pins = async (): Promise<Readonly<Record<string, number>>> => {
      const metric = (await work.metrics({ of: "store" })).find(({ name }) => name === "errand_pins");
      return Object.fromEntries((metric?.samples ?? []).map(({ labels, value }) => [labels["by"] ?? "", value]));
    };
    const none = { session: 0, "prepared-transaction": 0, "replication-slot": 0, standby: 0 };
    assert.deepEqual(await pins(), none);
    const client = await connected(as(server.url, "reporter"), "audit");
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    await burn(admin, 10_001);
    assert.deepEqual(await pins(), { ...none, session: 1 });
    await client.end();
    await work.close();
  });
});

it("a standby whose query holds the horizon by hot_standby_feedback is told of, and what is to be done there", { skip: noServer }, async () => {
  await using pair = await Pair.start("asynchronous");
  await migrate(pair.primary.url, "errand");
  await pair.onStandby("ALTER SYSTEM SET hot_standby_feedback = on");
  await pair.onStandby("ALTER SYSTEM SET wal_receiver_status_interval = 1");
  await pair.onStandby("SELECT pg_reload_conf()");
  await pair.caughtUp();
  const report = await connected(pair.standby.url, "report");
  await report.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  const admin = await connected(pair.primary.url, "tests");
  await burn(admin, 10_001);
  const isHeld = "SELECT FROM pg_stat_replication WHERE age(backend_xmin) > 10000";
  for (const deadline = performance.now() + 20_000; (await admin.query(isHeld)).rowCount === 0;) {
    assert.ok(performance.now() < deadline, "the standby holds nothing");
    await admin.query("SELECT txid_current(), pg_sleep(0.05)");
  }
  await using watched = await watch(pair.primary.url, pinnedAfterMs);
  await watched.watch.look();
  await watched.runtime.advance(pinnedAfterMs);
  await watched.watch.look();
  assert.match(
    watched
      .said()
      .map(({ message }) => message)
      .join("\n"),
    /^the standby behind session \d+ \(application \w+, role \w+, address 127\.0\.0\.1(\/32)?\) runs a query through 1\d,\d\d\d transactions, and hot_standby_feedback holds the horizon for it; end that query there: /,
  );
  await report.end();
  await admin.end();
});

interface Watched extends AsyncDisposable {
  readonly watch: PinWatch;
  readonly runtime: VirtualRuntime;
  said(): readonly Said[];
}

/** The real store, looked at by a process whose clock the test moves. */
async function watch(url: string, afterMs: number): Promise<Watched> {
  const said: Said[] = [];
  const engine = new PostgresEngine(url, { schema: "errand", poolSize: 1 });
  await engine.open({ runtime: new StillRuntime() });
  const runtime = new VirtualRuntime({ seed: 1 });
  const own = new PinWatch({ engine, runtime, log: logInto(said) }, afterMs);
  return { watch: own, runtime, said: () => said, [Symbol.asyncDispose]: () => engine.close() };
}

function logInto(said: Said[]): Runtime["log"] {
  const note =
    (level: string) =>
    (details: object, message: string): void =>
      void (level !== "debug" && said.push({ level, message, details: details as Said["details"] }));
  return { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
}

/** A process to which a minute is a hundredth of a second: looks are jittered, from 45 s. */
function hurried(said: Said[]): Runtime {
  const real = realRuntime();
  return {
    ...real,
    now: () => real.now(),
    log: logInto(said),
    monotonic: () => real.monotonic() * 6_000,
    after: (ms, fn, options) => real.after(ms >= 40_000 ? 10 : ms, fn, options),
    soon: (fn) => real.soon(fn),
    random: () => real.random(),
    id: () => real.id(),
    startBeat: (plan) => real.startBeat(plan),
  };
}

async function connected(url: string, application: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: application });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

async function pidOf(client: pg.Client): Promise<string> {
  return String((await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid);
}

async function burn(client: pg.Client, transactions: number): Promise<void> {
  await client.query(`DO $$ BEGIN FOR i IN 1..${transactions} LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$`);
}

function as(url: string, role: string): string {
  const own = new URL(url);
  own.username = role;
  return own.href;
}

function cureIn(said: Said | undefined): string {
  return /if it is not wanted: (.*)$/s.exec(said?.message ?? "")?.[1] ?? "";
}
