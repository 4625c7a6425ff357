/** What is opened is errand's, or nothing: a server that is unfit, a value that is somebody else's and a name that would reach beyond its own are refused, and nothing is overwritten. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { inRoot, root } from "../../scripts/root.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { connectionOf } from "../../src/redis/client.ts";
import { loadDriver } from "../../src/redis/driver.ts";
import { redis } from "../../src/redis/index.ts";
import { keyTypes } from "../../src/redis/keyTypes.ts";
import { rehearsal } from "../../src/redis/permissions.ts";
import { job } from "../port/stage.ts";
import { freshPlace } from "./places.ts";
import { PrivateServer } from "./privateServer.ts";
import { Rewriter } from "./rewriter.ts";
import { noServer, redisMissing } from "./server.ts";
import { opened } from "./stage.ts";

const home = "{errand:0}";

describe("a Redis server that is unfit", { skip: noServer ?? false }, () => {
  it("since it is older than 6.2 is refused", async () => {
    await using server = await PrivateServer.start();
    await using older = await Rewriter.before(
      server.url,
      /redis_version:\d+\.\d+/,
      (said) => `redis_version:${"6.1".padEnd(said.length - "redis_version:".length, "0")}`,
    );
    await refused("store-unsafe", /Redis 6\.1.*errand needs 6\.2 or later, or Valkey/, () => opened(older.url));
    assert.equal(await server.ask("dbsize"), 0);
  });

  it("since it is a replica is refused, and the message names the primary", async () => {
    await using primary = await PrivateServer.start();
    await using replica = await primary.replica();
    await refused("store-readonly", new RegExp(`connect to the primary, 127\\.0\\.0\\.1:${primary.port}`), () => opened(replica.url));
  });

  for (const policy of ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"]) {
    it(`since it evicts (${policy}) is refused, and the message says what to set; also to a user who may not read CONFIG`, async () => {
      await using server = await PrivateServer.start({ settings: { "maxmemory-policy": policy } });
      const says = new RegExp(`maxmemory-policy is ${policy}.*CONFIG SET maxmemory-policy noeviction`);
      await refused("store-unsafe", says, () => opened(server.url));
      await server.ask("acl", "setuser", "app", "on", ">secret", "~*", "&*", "+@all", "-config");
      await refused("store-unsafe", says, () => opened(server.url.replace("//", "//app:secret@")));
      assert.equal(await server.ask("dbsize"), 0);
    });
  }

  it("is fit for a user who may read neither INFO nor CONFIG: what cannot be known is said", async () => {
    await using server = await PrivateServer.start({ settings: { appendonly: "yes" } });
    await server.ask("acl", "setuser", "app", "on", ">secret", "~{errand:*", "resetchannels", "&{errand:*", "+@all", "-@dangerous", "-@admin");
    await using open = await opened(server.url.replace("//", "//app:secret@"));
    assert.match(open.engine.guarantees().durability, /may not read INFO/);
    const [[stored] = []] = (await open.engine.enqueue([{ works: [job("a")] }], {})) as { readonly id: string }[][];
    assert.equal(stored?.id, "a");
  });
});

describe("a user", { skip: noServer ?? false }, () => {
  for (const [command] of rehearsal) {
    it(`who may not ${command} is refused when it is opened, with what to grant, before anything is stored`, async () => {
      await using server = await PrivateServer.start();
      await server.ask("acl", "setuser", "app", "on", ">secret", "~*", "resetchannels", "&*", "+@all", `-${command.toLowerCase()}`);
      await refused("store-denied", /NOPERM|ACL SETUSER/, () => opened(server.url.replace("//", "//app:secret@")));
      assert.equal(((await server.ask("keys", "*:m")) as unknown[]).length, 0);
    });
  }

  it("who may use the keys, but not the channel, is refused, too", async () => {
    await using server = await PrivateServer.start();
    await server.ask("acl", "setuser", "app", "on", ">secret", "~*", "resetchannels", "+@all");
    await refused("store-denied", /PUBLISH.*&\{errand:\*/, () => opened(server.url.replace("//", "//app:secret@")));
  });
});

it("every command that the scripts call is tried when a store is opened", () => {
  const sources = globSync("src/redis/*.ts", { cwd: root, exclude: ["src/redis/{open,permissions}.ts"] }).map((file) => readFileSync(inRoot(file), "utf8"));
  const called = new Set(
    sources.flatMap((source) => Array.from(source.matchAll(/\b(?:call|[a-z]+\.write|try)\(\s*["']([A-Z]+)["']/g), ([, name = ""]) => name)),
  );
  const tried = new Set([...rehearsal.map(([name]) => name), "INFO"]);
  assert.ok(called.size > 15);
  assert.deepEqual(
    [...called].filter((name) => !tried.has(name)),
    [],
  );
});

interface Foreign {
  readonly claim: string;
  readonly code: ErrorCode;
  readonly says: RegExp;
  readonly commands: readonly (readonly string[])[];
}

const foreigners: readonly Foreign[] = [
  {
    claim: "a text where errand keeps its numbers",
    code: "store-foreign",
    says: /a string that is not errand's; choose another prefix/,
    commands: [["set", `${home}:m`, "mine"]],
  },
  { claim: "a text under what errand's keys begin with", code: "store-foreign", says: /\{errand:0\} is a string/, commands: [["set", home, "mine"]] },
  {
    claim: "a hash where errand keeps its numbers",
    code: "store-foreign",
    says: /a hash that is not errand's/,
    commands: [["hset", `${home}:m`, "mine", "1"]],
  },
  { claim: "a format that nobody wrote", code: "store-foreign", says: /a hash that is not errand's/, commands: [["hset", `${home}:m`, "format", "mine"]] },
  { claim: "a newer errand's format", code: "store-newer", says: /format 2, known here: 1\); update errand/, commands: [["hset", `${home}:m`, "format", "2"]] },
  { claim: "a format before the first", code: "store-foreign", says: /format 0, which no errand wrote/, commands: [["hset", `${home}:m`, "format", "0"]] },
  {
    claim: "somebody else's text under a name of errand's",
    code: "store-foreign",
    says: /:notes is a string that is not errand's/,
    commands: [["set", `${home}:notes`, "mine"]],
  },
  { claim: "somebody else's list under a name of errand's", code: "store-foreign", says: /:leases is a list/, commands: [["rpush", `${home}:leases`, "mine"]] },
  {
    claim: "keys of errand's without what says whose they are",
    code: "store-corrupt",
    says: /:jid, but none of what says whose it is/,
    commands: [["hset", `${home}:jid`, "a", "1"]],
  },
];

describe("under errand's prefix", { skip: noServer ?? false }, () => {
  for (const { claim, code, says, commands } of foreigners) {
    it(`${claim} is ${code}, definite, and stays as it is`, async () => {
      await using server = await PrivateServer.start();
      for (const command of commands) await server.ask(...command);
      const before = await everything(server);
      await refused(code, says, () => opened(server.url));
      assert.deepEqual(await everything(server), before);
    });
  }

  it("what somebody else writes there while it is open is told as what it is, and the next call that does not need it is answered", async () => {
    await using server = await PrivateServer.start();
    await using open = await opened(server.url);
    await server.ask("set", `${home}:lock`, "not errand's name");
    await server.ask("set", `${home}:notes`, "mine");
    await refused("store-foreign", /not errand's/, async () => open.engine.readNote("limits/a", {}));
    assert.equal((await open.engine.enqueue([{ works: [job("a")] }], {})).length, 1);
  });

  it("another store of the same name in another database of the server is told of; nothing of it is touched", async () => {
    await using server = await PrivateServer.start();
    await using meant = await opened(`${server.url}/3`);
    assert.deepEqual(meant.runtime.of("warn"), []);
    await using wrong = await opened(`${server.url}/1`);
    assert.match(wrong.runtime.of("warn").join(), /database 3 of this server holds one of the same name; was that one meant\?/);
    await using again = await opened(`${server.url}/1`);
    assert.deepEqual(again.runtime.of("warn"), []);
  });

  it("twenty who open it at once make one store", async () => {
    const { url, prefix, done } = await freshPlace();
    const opens = await Promise.all(Array.from({ length: 20 }, () => opened(url, { prefix })));
    const eras = await Promise.all(opens.map(async ({ engine }) => (await engine.beat("p", 8_000, {})).era));
    assert.equal(new Set(eras).size, 1);
    for (const { engine } of opens) await engine.close();
    await done();
  });
});

describe("a prefix", { skip: redisMissing ?? false }, () => {
  for (const prefix of [
    "{shop}",
    "shop}",
    "sh{op",
    "shop*",
    "sh?p",
    "[shop]",
    "shop\r\nFLUSHALL",
    "shop ",
    "",
    "a\\b",
    "s".repeat(101),
    "\u0000",
    7 as never,
    null as never,
  ]) {
    it(`${JSON.stringify(prefix).slice(0, 30)} is refused before anything is asked of a server`, () => {
      assert.throws(
        () => redis("redis://127.0.0.1:1", { prefix }),
        (error) => ErrandError.is(error, "option-invalid") && /a prefix is made of letters/.test(error.message),
      );
    });
  }

  it("keeps two stores of one database apart, and lies in the braces, so that a cluster keeps a store together", async () => {
    const [one, other] = [await freshPlace(), await freshPlace()];
    await using here = await opened(one.url, { prefix: one.prefix });
    await using there = await opened(`${other.url}?prefix=${other.prefix}`);
    await here.engine.enqueue([{ works: [job("a")] }], {});
    assert.deepEqual([(await here.engine.count({})).length, (await there.engine.count({})).length], [1, 0]);
    const client = new Redis(one.url);
    assert.deepEqual(
      (await client.keys(`*${one.prefix}:*`)).filter((key) => !key.startsWith(`{${one.prefix}:0}:`)),
      [],
    );
    client.disconnect();
    await one.done();
    await other.done();
  });

  it("of the app's client stands before errand's own, unless errand is given one", async () => {
    const client = new Redis("redis://127.0.0.1:1", { keyPrefix: "app:", lazyConnect: true });
    assert.equal(connectionOf(client).prefix, "app:errand");
    client.disconnect();
  });
});

describe("what is no server", () => {
  const given: readonly (readonly [claim: string, given: unknown, says: RegExp])[] = [
    ["a number", 6_379, /give a URL/],
    ["nothing", undefined, /give a URL/],
    ["a client of another driver", { connect: () => undefined, sendCommand: () => undefined }, /a client or a cluster of "ioredis" or "iovalkey"/],
  ];
  for (const [claim, what, says] of given) {
    it(`as ${claim}, is refused when it is opened`, async () => {
      await refused("option-invalid", says, () => opened(what as never));
    });
  }

  it("a driver that is not installed is told, with the way to install it", () => {
    const missing = (): never => {
      throw new Error("Cannot find module");
    };
    assert.throws(
      () => loadDriver(undefined, missing),
      (error) => ErrandError.is(error, "engine-missing") && /npm install ioredis/.test(error.message),
    );
  });

  it("so many replicas as cannot be are refused", () => {
    for (const replicas of [-1, 0.5, 101, Number.NaN, "2" as never]) {
      assert.throws(
        () => redis("redis://127.0.0.1:1", { replicas }),
        (error) => ErrandError.is(error, "option-invalid") && /replicas/.test(error.message),
      );
    }
  });
});

it("every key that the scripts name is known with its type, when a store is opened", () => {
  const sources = globSync("src/redis/*.ts", { cwd: root, exclude: ["src/redis/permissions.ts"] }).map((file) => readFileSync(inRoot(file), "utf8"));
  const named = sources.flatMap((source) => [
    ...Array.from(source.matchAll(/K \.\. ['"]:(\w+)['"]/g), ([, name = ""]) => name),
    ...Array.from(source.matchAll(/rows\.(?:get|put|dirty|remove)\(['"](\w+)['"]/g), ([, name = ""]) => name),
  ]);
  assert.ok(named.length > 50);
  assert.deepEqual([...new Set(named)].filter((name) => name !== "wake" && keyTypes[name] === undefined).toSorted(), []);
  assert.deepEqual(
    Object.keys(keyTypes).filter((name) => !named.includes(name)),
    [],
  );
});

async function refused(code: ErrorCode, says: RegExp, call: () => Promise<unknown>): Promise<void> {
  const error = await call().then(
    () => assert.fail("it was not refused"),
    (thrown: unknown) => thrown,
  );
  if (!ErrandError.is(error)) throw error;
  assert.equal(error.code, code, error.message);
  assert.match(error.message, says);
}

async function everything(server: PrivateServer): Promise<readonly unknown[]> {
  const keys = ((await server.ask("keys", "*")) as string[]).toSorted();
  return Promise.all(keys.map(async (key) => [key, await server.ask("dump", key)]));
}
