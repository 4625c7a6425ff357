/** The two servers, as trials need them: fresh stores, an engine through a way and one beside it, and who is connected. */
import type pg from "pg";
import { Redis } from "ioredis";
import type { Engine } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { emptyStore } from "../../test/postgres/emptying.ts";
import { emptyBy, freshPlace, isPooled } from "../../test/postgres/places.ts";
import { postgresMissing } from "../../test/postgres/server.ts";
import { freshPlace as freshPrefix } from "../../test/redis/places.ts";
import { PrivateServer } from "../../test/redis/privateServer.ts";
import { noServer, redisMissing, serverUrl as redisUrl } from "../../test/redis/server.ts";
import { postgresLength, redisLength } from "./frames.ts";
import type { LengthOf } from "./frames.ts";

export interface Store {
  readonly url: string;
  /** Through there, with one connection for its verbs. */
  through(url: string): Engine;
  /** Connected to the server itself. */
  readonly beside: Engine;
  done(): Promise<void>;
}

export interface ServerUnderTest {
  readonly name: string;
  /** What it is beside that, for people. */
  readonly which?: string;
  readonly missing: string | undefined;
  /** The first call of a kind is another exchange than those after it. */
  readonly learns?: boolean;
  readonly lengthOf: LengthOf;
  fresh(): Promise<Store>;
  /** Just before the call. */
  set?(): Promise<void>;
  /** Ends the connection that comes from that port of this machine. */
  end(port: number): Promise<void>;
  has(port: number): Promise<boolean>;
  close(): Promise<void>;
}

emptyBy(emptyStore);
const endsWithinMs = 20_000;

let admin: pg.Pool | undefined;

export const onPostgres: ServerUnderTest = {
  name: "postgres",
  missing: isPooled ? "through PgBouncer its own connections are those that break" : postgresMissing,
  lengthOf: postgresLength,
  fresh: async () => {
    const { url, pool, schema, done } = await freshPlace();
    admin = pool;
    return { url, through: (way) => postgres(way, { schema, poolSize: 1 }), beside: postgres(pool, { schema }), done };
  },
  end: async (port) => void (await admin?.query("SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity WHERE client_port = $1", [port, endsWithinMs])),
  has: async (port) => (await admin?.query("SELECT FROM pg_stat_activity WHERE client_port = $1", [port]))?.rowCount !== 0,
  close: async () => undefined,
};

let client: Redis | undefined;
let own: Promise<PrivateServer> | undefined;

export const onRedis: ServerUnderTest = {
  name: "redis",
  missing: redisMissing,
  learns: true,
  lengthOf: redisLength,
  fresh: async () => {
    const { url, prefix, done } = await freshPrefix();
    client ??= new Redis(await redisUrl());
    return { url, through: (way) => redis(way, { prefix }), beside: redis(url, { prefix }), done };
  },
  // One that has gone by itself is no client any more.
  end: async (port) => void (await client?.call("client", "kill", "addr", `127.0.0.1:${port}`, "skipme", "yes")),
  has: async (port) => String(await client?.call("client", "list")).includes(`addr=127.0.0.1:${port} `),
  close: async () => client?.disconnect(),
};

/** Each call meets a server that was started anew: the script is unknown, and told with a second request. */
export const onForgetfulRedis: ServerUnderTest = {
  ...onRedis,
  which: "redis that knows no script",
  missing: noServer,
  learns: false,
  fresh: async () => {
    const { url } = await (own ??= PrivateServer.start());
    client ??= new Redis(url);
    await client.flushall();
    return { url, through: (way) => redis(way), beside: redis(url), done: async () => undefined };
  },
  set: async () => void (await client?.call("script", "flush")),
  close: async () => {
    await onRedis.close();
    await (await own)?.stop();
  },
};
