/** What an enqueue is told when the server fails it, and that the same call again stores it once: a real server, and each fault for real. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { broker, ErrandError, task } from "../../src/index.ts";
import type { Broker, ErrorCode } from "../../src/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { installation } from "./installations.ts";
import { accountToRunAs, PrivateServer } from "./privateServer.ts";
import { Proxy } from "./proxy.ts";

const noServer = installation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false;
interface Charge {
  readonly account: string;
  readonly text?: string;
}
const charge = task("charge", { run: (_: Charge) => undefined, orderedBy: "account" });
const plain = task("plain", (_: Charge) => undefined);

interface Stage {
  readonly server: PrivateServer;
  /** Not one of the broker's, with a URL of its own. */
  readonly admin: pg.Client;
  readonly url: string;
  readonly proxy: Proxy;
}

interface Fault {
  readonly claim: string;
  readonly code: ErrorCode;
  readonly isDefinite: boolean;
  /** The call is made when it has begun; `during` goes on while the call waits. */
  readonly begin: (stage: Stage) => Promise<void>;
  readonly during?: (stage: Stage) => Promise<void>;
  /** All is well again. */
  readonly end: (stage: Stage) => Promise<void>;
}

const writeLock = "pg_advisory_lock(hashtextextended('errand', 714))";
const holdWriteLock = async ({ admin }: Stage): Promise<void> => void (await admin.query(`SELECT ${writeLock}`));
const letWriteLockGo = async ({ admin }: Stage): Promise<void> => void (await admin.query("SELECT pg_advisory_unlock_all()"));
const nothing = async (): Promise<void> => undefined;

const faults: readonly Fault[] = [
  {
    claim: "its backend is terminated in the midst of it",
    code: "store-unreachable",
    isDefinite: false,
    begin: holdWriteLock,
    during: async (stage) => {
      await isWaiting(stage);
      await stage.admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    },
    end: letWriteLockGo,
  },
  {
    claim: "it is stored, and the reply is lost",
    code: "store-unreachable",
    isDefinite: false,
    begin: holdWriteLock,
    during: async (stage) => {
      await isWaiting(stage);
      stage.proxy.muffle();
      await letWriteLockGo(stage);
      await until(async () => (await jobs(stage)) === 2);
      stage.proxy.cut();
    },
    end: nothing,
  },
  {
    claim: "the role may only read",
    code: "store-readonly",
    isDefinite: true,
    begin: async (stage) => {
      await stage.admin.query("ALTER ROLE shop SET default_transaction_read_only = on");
      await reconnect(stage);
    },
    end: async (stage) => {
      await stage.admin.query("ALTER ROLE shop RESET default_transaction_read_only");
      await reconnect(stage);
    },
  },
  {
    claim: "no connection is left",
    code: "store-unreachable",
    isDefinite: true,
    begin: async (stage) => {
      await stage.admin.query("ALTER ROLE shop CONNECTION LIMIT 0");
      await reconnect(stage);
    },
    end: async ({ admin }) => void (await admin.query("ALTER ROLE shop CONNECTION LIMIT -1")),
  },
  {
    claim: "every try of it meets a serialization failure",
    code: "conflict-retry",
    isDefinite: true,
    begin: raisingAlways("40001"),
    end: ({ admin }) => raisingNoMore(admin),
  },
  {
    claim: "every try of it meets a deadlock",
    code: "conflict-retry",
    isDefinite: true,
    begin: raisingAlways("40P01"),
    end: ({ admin }) => raisingNoMore(admin),
  },
  {
    claim: "the server is restarted in the midst of it",
    code: "store-unreachable",
    isDefinite: false,
    begin: holdWriteLock,
    during: async (stage) => {
      await isWaiting(stage);
      await stage.server.stop("keep");
    },
    end: async ({ server }) => server.start(),
  },
  {
    claim: "the server is not there",
    code: "store-unreachable",
    isDefinite: true,
    begin: async ({ server }) => server.stop("keep"),
    end: async ({ server }) => server.start(),
  },
];

describe("an enqueue", { skip: noServer }, () => {
  for (const { claim, code, isDefinite, begin, during = nothing, end } of faults) {
    it(`is told ${code}, ${isDefinite ? "definite" : "in doubt"}, when ${claim}; and the same call again stores it once`, async () => {
      await using staged = await stage();
      const { work, stage: at } = staged;
      await work.enqueue(charge.with({ account: "a" }));
      await begin(at);
      const [error] = await Promise.all([failing(work.enqueue(charge.with({ account: "b" }))), during(at)]);
      assert.deepEqual([error.code, error.isDefinite], [code, isDefinite], error.message);
      await end(at);
      const admin = await connected(at.server.url);
      const stored = { ...at, admin };
      if (isDefinite) assert.equal(await jobs(stored), 1);
      const { id } = await again(error);
      assert.equal((await work.find(id))?.state, "ready");
      assert.equal(await jobs(stored), 2);
      await admin.end();
    });
  }

  it("that meets a serialization failure now and then is stored, once, and nobody is told", async () => {
    await using staged = await stage();
    const { work, stage: at } = staged;
    await work.enqueue(charge.with({ account: "a" }));
    await at.admin.query("CREATE SEQUENCE tries; GRANT USAGE ON SEQUENCE tries TO shop");
    await raising(at.admin, "40001", "WHEN (nextval('tries') < 4)");
    await work.enqueue(charge.with({ account: "b" }));
    await raisingNoMore(at.admin);
    assert.equal(await jobs(at), 2);
  });
});

describe("a transaction of the app's", { skip: noServer }, () => {
  it("that promises more names than the server has locks for is told store-busy, definite, and what to do; smaller ones are stored", async () => {
    await using server = await PrivateServer.start({
      isDurable: false,
      settings: { max_locks_per_transaction: 10, max_connections: 10, max_prepared_transactions: 0 },
    });
    const work = broker(server.url, { charge, plain });
    await work.open();
    const app = await connected(server.url);
    const some = (first: number, count: number): Promise<unknown> =>
      work.within(app).enqueue(Array.from({ length: count }, (_, n) => plain.with({ account: "a" }, { id: `id-${first + n}` })));
    await app.query("BEGIN");
    const error = await failing(
      (async () => {
        for (let first = 0; first < 20_000; first += 500) await some(first, 500);
      })(),
    );
    await app.query("ROLLBACK");
    assert.deepEqual([error.code, error.isDefinite], ["store-busy", true], error.message);
    assert.match(error.message, /in smaller transactions, or raise max_locks_per_transaction/);
    assert.equal(await total(work), 0);
    for (let first = 0; first < 1_000; first += 100) {
      await app.query("BEGIN");
      await some(first, 100);
      await app.query("COMMIT");
    }
    assert.equal(await total(work), 1_000);
    await app.end();
    await work.close();
  });
});

describe("an enqueue on a full disk", { skip: noServer || tmpfsMissing() }, () => {
  let folder = "";
  let server: PrivateServer;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "errand-full-"));
    server = await PrivateServer.start({ isDurable: false });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "none", folder]);
    const account = accountToRunAs();
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
  });
  after(async () => {
    await server.stop();
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });

  for (const kind of [plain, charge]) {
    it(`is told store-full, definite: nothing of it is there, ${kind.name === "plain" ? "of a plain job" : "of one in order"}; with room again, the same call stores it once`, async () => {
      const admin = await connected(server.url);
      const name = `full_${kind.name}`;
      await admin.query("DROP TABLESPACE IF EXISTS small");
      await admin.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
      await admin.query(`CREATE DATABASE ${name} TABLESPACE small`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      const app = await connected(url.href);
      await app.query("CREATE TABLE filler AS SELECT repeat(md5(n::text), 200) AS text FROM generate_series(1, 1500) n");
      await app.query("ALTER TABLE filler ALTER text SET STORAGE EXTERNAL");
      const work = broker(url.href, { plain, charge });
      await work.open();
      let stored = 0;
      let error: ErrandError | undefined;
      while (error === undefined && stored < 2_000) {
        // What cannot be compressed: else it takes no room.
        const text = Array.from({ length: 3_000 }, (_, n) => ((stored * 3_000 + n) * 2_654_435_761).toString(36)).join("");
        error = await work.enqueue(kind.with({ account: "a", text })).then(
          () => undefined,
          (thrown: unknown) => (ErrandError.is(thrown) ? thrown : assert.fail(String(thrown))),
        );
        if (error === undefined) stored += 1;
      }
      assert.ok(error !== undefined && stored > 0);
      assert.deepEqual([error.code, error.isDefinite], ["store-full", true], error.message);
      assert.equal(await total(work), stored);
      await app.query("DROP TABLE filler");
      await again(error);
      assert.equal(await total(work), stored + 1);
      await work.close();
      await app.end();
      await admin.query(`DROP DATABASE ${name}`);
      await admin.query("DROP TABLESPACE small");
      await admin.end();
    });
  }
});

interface Staged extends AsyncDisposable {
  readonly work: Broker;
  readonly stage: Stage;
}

async function stage(): Promise<Staged> {
  const server = await PrivateServer.start({ isDurable: false, settings: { max_connections: 20 } });
  const admin = await connected(server.url);
  await admin.query("CREATE ROLE shop LOGIN; CREATE SCHEMA errand AUTHORIZATION shop");
  const url = new URL(server.url);
  url.username = "shop";
  const proxy = await Proxy.before(url.href);
  const work = broker(postgres(proxy.url, { poolSize: 1 }), { charge, plain });
  await work.open();
  return {
    work,
    stage: { server, admin, url: url.href, proxy },
    [Symbol.asyncDispose]: async () => {
      await work.close();
      await proxy[Symbol.asyncDispose]();
      await admin.end().catch(() => undefined);
      await server.stop();
    },
  };
}

async function failing(call: Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!ErrandError.is(error)) assert.fail(`no ErrandError was thrown, but ${String(error)}`);
  return error;
}

async function again(error: ErrandError): Promise<{ readonly id: string }> {
  return (await error.again()) as { readonly id: string };
}

async function total(work: Broker): Promise<number> {
  return Object.values(await work.count()).reduce((sum, n) => sum + n, 0);
}

async function jobs({ admin }: Pick<Stage, "admin">): Promise<number> {
  return Number((await admin.query<{ n: string }>("SELECT count(*) AS n FROM errand.jobs")).rows[0]?.n);
}

async function isWaiting({ admin }: Stage): Promise<void> {
  await until(async () => (await admin.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).rowCount === 1);
}

/** Its next connection finds the role as it is now. */
async function reconnect({ admin }: Stage): Promise<void> {
  await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'");
  await until(async () => (await admin.query("SELECT FROM pg_stat_activity WHERE usename = 'shop'")).rowCount === 0);
  // What was broken is heard of by the pool, with a turn of the event loop.
  await admin.query("SELECT pg_sleep(0.05)");
}

function raisingAlways(state: string): ({ admin }: Stage) => Promise<void> {
  return ({ admin }) => raising(admin, state, "");
}

async function raising(admin: pg.Client, state: string, when: string): Promise<void> {
  await admin.query(`CREATE FUNCTION raising() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '${state}'; END $$`);
  await admin.query(`CREATE TRIGGER raising BEFORE INSERT ON errand.jobs FOR EACH ROW ${when} EXECUTE FUNCTION raising()`);
}

async function raisingNoMore(admin: pg.Client): Promise<void> {
  await admin.query("DROP TRIGGER raising ON errand.jobs; DROP FUNCTION raising()");
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 20_000; !(await holds());) assert.ok(performance.now() < deadline, "it did not come to that within 20 s");
}

/** A file system of a size can be made by root alone. */
function tmpfsMissing(): string | false {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return false;
  } catch {
    return "a full disk was not tested: this user may mount no tmpfs";
  } finally {
    rmSync(folder, { recursive: true });
  }
}
