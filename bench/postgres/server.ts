/** The server that is measured: the one that DATABASE_URL names, else the one of this machine. Each answer has a database of its own there. */
import { randomBytes } from "node:crypto";
import pg from "pg";

const usualUrl = "postgres://postgres@127.0.0.1:5432/postgres";
const connectMs = 2_000;

/** In a line, for the report; undefined and a complaint if nothing can be measured there. */
export async function serverFacts(): Promise<string | undefined> {
  try {
    return await onServer(async (client) => {
      const shown = async (setting: string): Promise<string> => (await client.query<Record<string, string>>(`SHOW ${setting}`)).rows[0]?.[setting] ?? "";
      // Without it, a commit is a note in memory, and who commits more often would not be seen to.
      if ((await shown("fsync")) !== "on") throw new Error("its fsync is off");
      const version = (await shown("server_version")).split(" ")[0];
      return `PostgreSQL ${version}, fsync on, synchronous_commit ${await shown("synchronous_commit")}, shared_buffers ${await shown("shared_buffers")}`;
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
    console.error(`PostgreSQL is not measured: ${reason}; name another server in DATABASE_URL`);
    return undefined;
  }
}

/** Those of runs that were killed: nobody is connected to them. */
export function dropLeftovers(): Promise<void> {
  return onServer(async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT datname AS name FROM pg_database d WHERE datname ~ '^errand_bench_[0-9]+_[0-9a-f]{8}$' AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)",
    );
    for (const { name } of rows) await client.query(`DROP DATABASE IF EXISTS ${name}`);
  });
}

/** In a new database, which is dropped whatever happens. */
export async function inDatabase<T>(use: (url: string) => Promise<T>): Promise<T> {
  const name = `errand_bench_${process.pid}_${randomBytes(4).toString("hex")}`;
  const drop = (): Promise<unknown> =>
    onServer(async (client) => {
      // A pool that has ended still closes its last connections: one that is ended for it would be an error of its process.
      const isUsed = async (): Promise<boolean> => (await client.query("SELECT 1 FROM pg_stat_activity WHERE datname = $1", [name])).rowCount !== 0;
      for (const until = performance.now() + connectMs; performance.now() < until && (await isUsed());) await new Promise((resolve) => setTimeout(resolve, 10));
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void drop().finally(() => process.exit(1)));
  await onServer(async (client) => {
    await client.query(`CREATE DATABASE ${name}`);
    // What the peers are written for: at any other level two of their processes meet with serialization failures. Stronger than what the role or the server says.
    await client.query(`ALTER ROLE CURRENT_USER IN DATABASE ${name} SET default_transaction_isolation = 'read committed'`);
  });
  try {
    return await use(urlOf(name));
  } finally {
    await drop();
  }
}

async function onServer<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: serverUrl(), connectionTimeoutMillis: connectMs });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  return process.env["DATABASE_URL"] ?? usualUrl;
}

function urlOf(database: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${database}`;
  return url.href;
}
