/** Makes the schema, or refuses one that is not errand's or a newer errand's. Several processes may begin at once. */
import { ErrandError } from "../core/errors.ts";
import type { Database, Reserved, Session } from "./client.ts";
import { functions } from "./functions.ts";
import { tables, types } from "./schema.ts";

export const schemaVersion = 1;

/** Below it the planner and TRUNCATE behave otherwise; it is out of support besides. */
const serverVersionMin = 140_000;

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `@.` is the schema, `@schema` its name. */
export function inSchema(sql: string, schema: string): string {
  return sql.replaceAll("@.", `${quoted(schema)}.`).replaceAll("@schema", literal(schema));
}

/** Everything that a schema holds, as SQL. */
export function installation(schema: string, era: string): string {
  return inSchema(
    `${types}\n${tables}\n${functions}
INSERT INTO @.meta (key, value) VALUES ('schema', '${schemaVersion}'), ('era', ${literal(era)}), ('notes_version', '0');`,
    schema,
  );
}

export async function install(database: Database, schema: string, era: () => string): Promise<void> {
  await refuseUnfit(database);
  if (await isInstalled(database, schema)) return;
  const reserved = await database.reserve();
  let state: "usable" | "broken" = "broken";
  try {
    await installOn(reserved, schema, era());
    state = "usable";
  } finally {
    reserved.release(state);
  }
}

async function installOn(session: Reserved, schema: string, era: string): Promise<void> {
  await session.query("BEGIN ISOLATION LEVEL READ COMMITTED", []);
  try {
    // One at a time; whoever comes second finds it done.
    await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 713)), set_config('check_function_bodies', 'off', true)", [schema]);
    if (!(await isInstalled(session, schema))) {
      await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`, []);
      await session.query(`DO $errand_do$ BEGIN EXECUTE $errand_all$ ${installation(schema, era)} $errand_all$; END $errand_do$`, []);
    }
    await session.query("COMMIT", []);
  } catch (error) {
    await session.query("ROLLBACK", []).catch(() => undefined);
    throw error;
  }
}

async function refuseUnfit(session: Session): Promise<void> {
  const [row] = await session.query(
    `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS "isReplica", current_setting('server_encoding') AS encoding`,
    [],
  );
  const { version = 0, isReplica = false, encoding = "" } = (row ?? {}) as { version?: number; isReplica?: boolean; encoding?: string };
  if (version < serverVersionMin) {
    throw new ErrandError("store-unsafe", `the server is PostgreSQL ${Math.floor(version / 10_000)}; errand needs 14 or later: upgrade it`);
  }
  if (isReplica) throw new ErrandError("store-readonly", "the server is a replica, which cannot be written; connect to the primary");
  if (encoding !== "UTF8") {
    throw new ErrandError("store-unsafe", `the database's encoding is ${encoding}, which cannot hold every text; use a database with ENCODING 'UTF8'`);
  }
}

async function isInstalled(session: Session, schema: string): Promise<boolean> {
  const [row] = await session.query("SELECT to_regclass($1) IS NOT NULL AS is, (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2) AS holds", [
    `${quoted(schema)}.meta`,
    schema,
  ]);
  if (row?.["is"] !== true) {
    if (Number(row?.["holds"] ?? 0) === 0) return false;
    throw new ErrandError("store-foreign", `schema ${schema} holds something else than errand's tables; name another one: { schema: "…" }`);
  }
  const [meta] = await session.query(`SELECT value FROM ${quoted(schema)}.meta WHERE key = 'schema'`, []);
  const version = Number(meta?.["value"]);
  if (!Number.isInteger(version) || version < 1) {
    throw new ErrandError("store-foreign", `schema ${schema} holds a table "meta" that is not errand's; name another schema: { schema: "…" }`);
  }
  if (version > schemaVersion) {
    throw new ErrandError("store-newer", `schema ${schema} was written by a newer errand (schema ${version}, known here: ${schemaVersion}); update errand`);
  }
  return true;
}
