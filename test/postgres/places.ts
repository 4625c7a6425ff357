/**
 * Empty places for tests: a schema each, in a database of this process. A place that a test is done with is emptied and given to another one, since an
 * engine's tables and functions cost more to make than a test takes.
 */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import pg from "pg";
import { PgBouncer, pgBouncerMissing } from "./pgbouncer.ts";
import { isAlive } from "./privateServer.ts";
import { serverUrl } from "./server.ts";

export interface Place {
  /** Of a database that only this process uses. */
  readonly url: string;
  /** Empty, or not there yet. */
  readonly schema: string;
  /** All places of a process share it; do not end it. */
  readonly pool: pg.Pool;
  /** For transactions that the app keeps open: the same one, or behind a pooler one that leaves errand its connections. */
  readonly apps: pg.Pool;
  /** Likewise. */
  readonly appsUrl: string;
  /** Gives the place back. Whatever is connected to it is closed by then. */
  done(): Promise<void>;
}

/** Empties a schema that an engine has filled. */
export type Emptying = (pool: pg.Pool, schema: string) => Promise<void>;

type Database = Pick<Place, "url" | "pool" | "apps" | "appsUrl">;

/** `npm test -- --pgbouncer`: all connections to the places of a process go through one. */
export const isPooled: boolean = process.env["ERRAND_TEST_PGBOUNCER"] !== undefined;
/** Why a test is left out through a pooler, which has sessions of its own. */
export function notPooled(why: string): string | false {
  return isPooled && `left out through PgBouncer: ${why}`;
}

/** Settings that a session begins with, where there is one. */
export function beginningWith(options: string): { readonly options?: string } {
  return isPooled ? {} : { options };
}

/** Laws keep several transactions of the app open, each with a connection. */
const poolSize = 12;
/** Processes of other machines may use the same server: whether they live cannot be told from here. */
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
const prefix = `errand_test_${machine}_`;
const idle: string[] = [];
let database: Promise<Database> | undefined;
let made = 0;
let emptyOut: Emptying = dropSchema;

export async function freshPlace(): Promise<Place> {
  const { url, pool, apps, appsUrl } = await (database ??= makeDatabase());
  const used = idle.pop();
  if (used !== undefined) await empty(pool, used);
  const schema = used ?? `errand_${++made}`;
  return { url, schema, pool, apps, appsUrl, done: () => Promise.resolve(void idle.push(schema)) };
}

/** An engine's own way to empty its schema, which leaves tables and functions as they are. */
export function emptyBy(emptying: Emptying): void {
  emptyOut = emptying;
}

/** A test may have left anything there: what cannot be emptied is made anew. */
async function empty(pool: pg.Pool, schema: string): Promise<void> {
  await emptyOut(pool, schema).catch(() => dropSchema(pool, schema));
}

async function dropSchema(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(`DROP SCHEMA IF EXISTS ${pg.escapeIdentifier(schema)} CASCADE`);
}

async function makeDatabase(): Promise<Database> {
  const name = `${prefix}${process.pid}`;
  await withServer(async (server) => {
    await dropLeftovers(server);
    await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await server.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  });
  const url = new URL(await serverUrl());
  url.pathname = `/${name}`;
  process.once("beforeExit", () => void drop(name));
  if (!isPooled) {
    const pool = poolOf(url.href);
    return { url: url.href, pool, apps: pool, appsUrl: url.href };
  }
  if (pgBouncerMissing !== undefined) throw new Error(pgBouncerMissing);
  const pooler = await PgBouncer.before(url.href);
  pooler.unref();
  return { url: pooler.url, pool: poolOf(pooler.url), apps: poolOf(pooler.appsUrl), appsUrl: pooler.appsUrl };
}

function poolOf(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: poolSize, allowExitOnIdle: true, application_name: "errand tests" });
  // A test may end every connection there is; the next query says so.
  pool.on("error", () => undefined);
  return pool;
}

/** What cannot be dropped now, the next run drops. */
async function drop(name: string): Promise<void> {
  await withServer((server) => server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)).catch(() => undefined);
}

async function dropLeftovers(server: pg.Client): Promise<void> {
  const { rows } = await server.query<{ datname: string }>("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [prefix]);
  for (const { datname } of rows) {
    if (!isAlive(Number(datname.slice(prefix.length)))) await server.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  }
}

async function withServer(work: (server: pg.Client) => Promise<unknown>): Promise<void> {
  const server = new pg.Client({ connectionString: await serverUrl() });
  await server.connect();
  try {
    await work(server);
  } finally {
    await server.end();
  }
}
