/** Two schemas of a PostgreSQL database, errand's and the shop's own: where DATABASE_URL says, else on this machine, else on a server started for the run. */
import pg from "pg";
import { postgresMissing, serverUrl } from "../../test/postgres/server.ts";
import type { Stores } from "./engines.ts";

let made = 0;

export async function freshStores(): Promise<Stores> {
  if (postgresMissing !== undefined)
    throw new Error("--engine postgres: nothing answers on 127.0.0.1:5432, and no server is installed here; set DATABASE_URL, or npm ci brings a server");
  const url = await serverUrl();
  const name = `errand_shop_${process.pid}_${++made}`;
  const own = `${name}_orders`;
  await ask(url, `CREATE SCHEMA ${own}`);
  return {
    store: withSchema(url, name),
    database: withSchema(url, own),
    remove: () => ask(url, `DROP SCHEMA IF EXISTS ${name} CASCADE; DROP SCHEMA IF EXISTS ${own} CASCADE`),
  };
}

function withSchema(url: string, schema: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}schema=${schema}`;
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
