/** Each way in which a server refuses or vanishes, really produced: told by its code, by whether anything may have been stored, and survived. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrandError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { connectionOf } from "../../src/redis/client.ts";
import type { Connection } from "../../src/redis/client.ts";
import type { Script } from "../../src/redis/fragment.ts";
import { freePort } from "../postgres/privateServer.ts";
import { Proxy } from "../postgres/proxy.ts";
import { clients } from "./clients.ts";
import type { ClientUnderTest } from "./clients.ts";
import { PrivateServer } from "./privateServer.ts";
import type { Settings } from "./privateServer.ts";
import { noServer } from "./server.ts";

interface Stage {
  readonly connection: Connection;
  readonly server: PrivateServer;
}

interface Row {
  readonly claim: string;
  readonly code: ErrorCode;
  readonly isDefinite: boolean;
  /** The word of the server's answer. */
  readonly answer?: string;
  readonly settings?: Settings;
  /** Brings the server into that state. */
  readonly before?: (stage: Stage) => Promise<unknown>;
  /** Else a script that writes. */
  readonly provoke?: (stage: Stage) => Promise<unknown>;
  /** What an administrator does about it; then a script that writes must succeed. Absent: nothing needs to be done. */
  readonly cure?: ((stage: Stage) => Promise<unknown>) | "none";
}

const key = "{errand:0}:x";
const writing: Script = { name: "writing", text: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[1] .. ':n')" };
const write = ({ connection }: Stage): Promise<unknown> => connection.run(writing, key, ["é"]);
const asked =
  (...command: readonly [string, ...string[]]) =>
  ({ connection }: Stage): Promise<unknown> =>
    connection.ask(...command);
const told =
  (...command: readonly string[]) =>
  ({ server }: Stage): Promise<unknown> =>
    server.ask(...command);

const rows: readonly Row[] = [
  {
    claim: "a replica",
    answer: "READONLY",
    code: "store-readonly",
    isDefinite: true,
    before: told("replicaof", "127.0.0.1", "1"),
    cure: told("replicaof", "no", "one"),
  },
  {
    claim: "a replica without its primary, that tells nothing old",
    answer: "MASTERDOWN",
    code: "store-readonly",
    isDefinite: true,
    settings: { "replica-serve-stale-data": "no" },
    before: told("replicaof", "127.0.0.1", "1"),
    cure: told("replicaof", "no", "one"),
  },
  {
    claim: "a server at its maxmemory",
    answer: "OOM",
    code: "store-full",
    isDefinite: true,
    before: told("config", "set", "maxmemory", "1"),
    cure: told("config", "set", "maxmemory", "0"),
  },
  {
    claim: "a server that cannot write its snapshot",
    answer: "MISCONF",
    code: "store-full",
    isDefinite: true,
    settings: { save: "3600 1" },
    before: brokenDisk,
    cure: told("config", "set", "stop-writes-on-bgsave-error", "no"),
  },
  {
    claim: "a server with fewer replicas than it needs",
    answer: "NOREPLICAS",
    code: "store-unreachable",
    isDefinite: true,
    before: told("config", "set", "min-replicas-to-write", "1"),
    cure: told("config", "set", "min-replicas-to-write", "0"),
  },
  {
    claim: "a server that is kept by somebody's script",
    answer: "BUSY",
    code: "store-busy",
    isDefinite: true,
    settings: { "lua-time-limit": 20 },
    before: keptBusy,
    cure: ended,
  },
  {
    claim: "a user who may not write those keys",
    answer: "NOPERM",
    code: "store-denied",
    isDefinite: true,
    before: told("acl", "setuser", "default", "resetkeys", "~other:*"),
    cure: told("acl", "setuser", "default", "allkeys"),
  },
  {
    claim: "a user who may run no script",
    answer: "NOPERM",
    code: "store-denied",
    isDefinite: true,
    before: told("acl", "setuser", "default", "-@scripting"),
    cure: told("acl", "setuser", "default", "+@all"),
  },
  {
    claim: "a value of another type under a key",
    answer: "WRONGTYPE",
    code: "store-foreign",
    isDefinite: false,
    before: told("rpush", `${key}:n`, "foreign"),
    cure: told("del", `${key}:n`),
  },
  {
    claim: "an answer that errand does not know",
    answer: "STRANGE",
    code: "store-failed",
    isDefinite: false,
    provoke: asked("eval", "return redis.error_reply('STRANGE thing')", "0"),
  },
  { claim: "a script that fails", answer: "ERR", code: "store-failed", isDefinite: false, provoke: asked("eval", "return nothing.there", "0") },
  { claim: "a connection that is ended in the midst of a command", code: "store-unreachable", isDefinite: false, provoke: killed },
];

describe("Redis", { skip: noServer ?? false }, () => {
  for (const client of clients) {
    describe(`by ${client.name}`, () => {
      for (const row of rows)
        it(`${row.claim} is ${row.code}, ${row.isDefinite ? "definite" : "indefinite"}, and then the next call has its answer`, () => holds(row, client));

      it("a server that is not there is store-unreachable, definite, and at once", async () => {
        await using opened = client.open(`redis://127.0.0.1:${await freePort()}`);
        await fails("store-unreachable", true, () => opened.connection.ask("ping"));
      });

      it("a password that is missing, or wrong, is store-denied, definite; and no message holds it", async () => {
        await using server = await PrivateServer.start({ settings: { requirepass: "right" } });
        for (const [url, answer] of [
          [server.url, "NOAUTH"],
          [server.url.replace("//", "//:wrong@"), "WRONGPASS"],
        ] as const) {
          await using opened = client.open(url);
          const error = await fails("store-denied", true, () => write({ server, connection: opened.connection }), answer);
          assert.doesNotMatch(error.message, /wrong@/);
        }
        await using opened = client.open(server.url.replace("//", "//:right@"));
        assert.equal(await write({ server, connection: opened.connection }), 1);
      });

      it("a database that is not there is store-denied, definite, and nothing is stored in another one", async () => {
        await using server = await PrivateServer.start();
        await using opened = client.open(`${server.url}/99`);
        await fails("store-denied", true, () => write({ server, connection: opened.connection }));
        assert.equal(await server.ask("dbsize"), 0);
      });

      it("a server that has forgotten the scripts is told them again, and each call is made once", async () => {
        await using server = await PrivateServer.start();
        await using opened = client.open(server.url);
        const stage = { server, connection: opened.connection };
        assert.equal(await write(stage), 1);
        await server.ask("script", "flush");
        assert.deepEqual((await Promise.all([write(stage), write(stage), write(stage)])).toSorted(), [2, 3, 4]);
      });

      it("a server that still loads is store-unreachable, definite; then it answers", async () => {
        await using server = await PrivateServer.start({ settings: { save: "3600 1", rdbcompression: "no" } });
        // While it loads it answers after each two MiB.
        await server.ask("eval", "for i = 1, 2000 do redis.call('SET', 'k' .. i, string.rep('x', 10000)) end", "0");
        await server.stop("keep");
        await server.start({ "key-load-delay": 500 });
        await using opened = client.open(server.url);
        const stage = { server, connection: opened.connection };
        await fails("store-unreachable", true, () => write(stage), "LOADING");
        assert.equal(await until(() => write(stage)), 1);
      });

      it("a network that breaks in the midst of a call is store-unreachable, indefinite; then the next call has its answer", async () => {
        await using server = await PrivateServer.start();
        await using proxy = await Proxy.before(server.url);
        await using opened = client.open(proxy.url);
        const call = fails("store-unreachable", false, () => opened.connection.ask("blpop", "never", "0"));
        await blocked(server);
        proxy.cut();
        await call;
        assert.equal(await opened.connection.ask("ping"), "PONG");
      });

      for (const how of ["freeze", "muffle"] as const) {
        it(`a connection on which nothing comes back (${how}) is given up, indefinite; then the next call has its answer`, async () => {
          await using server = await PrivateServer.start();
          await using proxy = await Proxy.before(server.url);
          await using opened = client.open(proxy.url, { answerMs: 200 });
          const stage = { server, connection: opened.connection };
          assert.equal(await write(stage), 1);
          proxy[how]();
          const [one, other] = await Promise.all([
            fails("store-unreachable", false, () => write(stage)),
            fails("store-unreachable", false, () => write(stage)),
          ]);
          assert.match(one.message + other.message, /timed out/);
          assert.equal(await write(stage), how === "freeze" ? 2 : 4);
        });
      }

      it("a server that is killed is store-unreachable: indefinite in the midst of a call, definite while it is away; then it answers", async () => {
        await using server = await PrivateServer.start();
        await using opened = client.open(server.url);
        const call = fails("store-unreachable", false, () => opened.connection.ask("blpop", "never", "0"));
        await blocked(server);
        await server.kill();
        await call;
        await fails("store-unreachable", true, () => write({ server, connection: opened.connection }));
        await server.start();
        assert.equal(await write({ server, connection: opened.connection }), 1);
      });

      it("a server without a connection left is store-unreachable, definite", async () => {
        await using server = await PrivateServer.start({ settings: { maxclients: 1 } });
        await using first = client.open(server.url);
        await until(() => first.connection.ask("ping"));
        await using opened = client.open(server.url);
        await fails("store-unreachable", true, () => opened.connection.ask("ping"));
      });
    });
  }

  it("an error carries neither what was asked nor any payload, for it goes into logs", async () => {
    await using server = await PrivateServer.start({ settings: { maxmemory: 1 } });
    const { connection } = connectionOf(server.url);
    const { cause } = await fails("store-full", true, () => connection.run(writing, key, ["a payload"]));
    await connection.close();
    assert.equal(JSON.stringify(Object.entries(cause as object)).includes("a payload"), false);
  });
});

async function holds({ code, isDefinite, answer, settings, before, provoke = write, cure }: Row, client: ClientUnderTest): Promise<void> {
  await using server = await PrivateServer.start(settings && { settings });
  await using opened = client.open(server.url);
  const stage = { server, connection: opened.connection };
  await stage.connection.ask("ping");
  await before?.(stage);
  await fails(code, isDefinite, () => provoke(stage), answer);
  if (typeof cure === "function") await cure(stage);
  assert.equal(await write(stage), 1);
}

async function fails(code: ErrorCode, isDefinite: boolean, call: () => Promise<unknown>, answer?: string): Promise<ErrandError> {
  const error = await call().then(
    (value) => assert.fail(`nothing was thrown, but ${String(value)} answered`),
    (thrown: unknown) => thrown,
  );
  if (!ErrandError.is(error)) throw error;
  assert.deepEqual([error.code, error.isDefinite], [code, isDefinite], error.message);
  if (answer !== undefined) assert.equal(error.details["answer"], answer);
  return error;
}

/** A folder where the file should be. */
async function brokenDisk({ server }: Stage): Promise<void> {
  const file = path.join(server.folder, "dump.rdb");
  mkdirSync(file);
  writeFileSync(path.join(file, "occupied"), "");
  await server.ask("bgsave");
  while (!String(await server.ask("info", "persistence")).includes("rdb_last_bgsave_status:err")) await sleep(5);
}

async function keptBusy({ server }: Stage): Promise<void> {
  server.ask("eval", "while true do end", "0").catch(() => undefined);
  while (!(await server.ask("ping").catch((error: unknown) => String(error).includes("BUSY") && "busy"))?.toString().includes("busy")) await sleep(5);
}

async function ended({ server }: Stage): Promise<void> {
  await server.ask("script", "kill");
  await until(() => server.ask("ping"));
}

async function killed({ connection, server }: Stage): Promise<unknown> {
  const id = await connection.ask("client", "id");
  const call = connection.ask("blpop", "never", "0");
  await Promise.all([call, blocked(server).then(() => server.ask("client", "kill", "id", String(id)))]);
  return undefined;
}

async function blocked(server: PrivateServer): Promise<void> {
  while (!String(await server.ask("info", "clients")).includes("blocked_clients:1")) await sleep(5);
}

async function until<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch {
      await sleep(20);
    }
  }
}
