/** The schema by itself, for those who make it before any app opens it. */
import { databaseOf } from "./client.ts";
import type { Database } from "./client.ts";
import { functions } from "./functions.ts";
import { installation, refuseUnfit, schemaVersion, steps } from "./install.ts";
import { bringSchema, versionOf } from "./migrate.ts";
import { checkSchema } from "./schemaName.ts";
import { quoted } from "./quoting.ts";

/** The functions of a schema that is at this version are written anew. */
export async function bringToNow(url: string, schema: string): Promise<{ readonly schema: string; readonly from: number; readonly to: number }> {
  checkSchema(schema);
  return on(url, async (database) => {
    await refuseUnfit(database);
    const plan = { version: schemaVersion, steps, making: installation(schema), functions, isWrittenAnew: true };
    return { schema, from: await bringSchema(database, schema, plan), to: schemaVersion };
  });
}

/** All of it, in one transaction. */
export function printed(schema: string): string {
  checkSchema(schema);
  return `BEGIN;
SET LOCAL check_function_bodies = off;
CREATE SCHEMA IF NOT EXISTS ${quoted(schema)};
${installation(schema).trim()}
COMMIT;`;
}

export function isThere(url: string, schema: string): Promise<boolean> {
  return on(url, async (database) => (await versionOf(database, checkSchema(schema), schemaVersion)) > 0);
}

async function on<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = databaseOf(url, 1);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
