/** The ways in which an app can hand its database to errand. */
import pg from "pg";
import postgres from "postgres";
import { databaseOf } from "../../src/postgres/client.ts";
import type { Database } from "../../src/postgres/client.ts";

export interface ClientUnderTest {
  readonly name: string;
  open(url: string, size?: number): Opened;
}

export interface Opened extends AsyncDisposable {
  readonly database: Database;
}

export const clients: readonly ClientUnderTest[] = [
  {
    name: "a URL",
    open: (url, size = 4) => {
      const database = databaseOf(url, size);
      return { database, [Symbol.asyncDispose]: () => database.close() };
    },
  },
  {
    name: "a pool of pg",
    open: (url, max = 4) => {
      const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 10_000 });
      pool.on("error", () => undefined);
      return { database: databaseOf(pool), [Symbol.asyncDispose]: () => pool.end() };
    },
  },
  {
    name: "a sql of postgres",
    open: (url, max = 4) => {
      const sql = postgres(url, { max, onnotice: () => undefined, connect_timeout: 10 });
      return { database: databaseOf(sql), [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }) };
    },
  },
];
