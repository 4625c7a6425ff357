/** Brings a schema to a version: all of it, or nothing. One process at a time; short locks, or none. */
import { postgresMigrateLockMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Database, Session } from "./client.ts";
import { inSchema, quoted } from "./quoting.ts";

export interface Plan {
  readonly version: number;
  /** From version 1 to 2, from 2 to 3, … */
  readonly steps: readonly string[];
  /** Makes all of it where there is nothing. */
  readonly making: string;
  readonly functions: string;
  /** The functions, even of a schema that is at this version: somebody may have changed them. */
  readonly isWrittenAnew: boolean;
}

/** The version that was there: 0 is none. Throws `store-newer`, `store-foreign`, `store-busy`. */
export async function bringSchema(database: Database, schema: string, plan: Plan): Promise<number> {
  const reserved = await database.reserve();
  let state: "usable" | "broken" = "broken";
  try {
    const was = await inTransaction(reserved, () => bring(reserved, schema, plan));
    state = "usable";
    return was;
  } catch (error) {
    throw isNameTaken(error) ? foreign(schema, "something by the name of what errand has to make there", error) : error;
  } finally {
    reserved.release(state);
  }
}

/** 0: there is nothing. Throws `store-foreign`, `store-newer`. */
export async function versionOf(session: Session, schema: string, known: number): Promise<number> {
  const [row] = await session.query(
    "SELECT to_regclass($1) IS NOT NULL AS is, (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname !~ '^outbox') AS holds",
    [`${quoted(schema)}.meta`, schema],
  );
  if (row?.["is"] !== true) {
    if (Number(row?.["holds"] ?? 0) === 0) return 0;
    throw foreign(schema, "something else than errand's tables");
  }
  const version = Number(await schemaOf(session, schema));
  if (!Number.isInteger(version) || version < 1) throw foreign(schema, 'a table "meta" that is not errand\'s');
  if (version > known) {
    throw new ErrandError("store-newer", `schema ${schema} was written by a newer errand (schema ${version}, known here: ${known}); update errand`);
  }
  return version;
}

async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query("BEGIN ISOLATION LEVEL READ COMMITTED", []);
  try {
    const answer = await work();
    await session.query("COMMIT", []);
    return answer;
  } catch (error) {
    await session.query("ROLLBACK", []).catch(() => undefined);
    throw error;
  }
}

async function bring(session: Session, schema: string, plan: Plan): Promise<number> {
  // Whoever comes second finds it done.
  await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 713))", [schema]);
  // Who waits for a table's lock stops all who come after; errand's own calls go on instead.
  await session.query(
    "SELECT set_config('check_function_bodies', 'off', true), set_config('lock_timeout', $1, true), set_config('synchronous_commit', 'on', true)",
    [`${postgresMigrateLockMs}ms`],
  );
  const was = await versionOf(session, schema, plan.version);
  if (was === 0) await make(session, schema, plan.making);
  else if (was < plan.version || plan.isWrittenAnew) await update(session, schema, was, plan);
  return was;
}

/** `CREATE SCHEMA IF NOT EXISTS` asks for the right to make one even where it is there. */
async function make(session: Session, schema: string, making: string): Promise<void> {
  const [row] = await session.query("SELECT to_regnamespace($1) IS NOT NULL AS is", [quoted(schema)]);
  if (row?.["is"] !== true) await session.query(`CREATE SCHEMA ${quoted(schema)}`, []);
  await execute(session, making);
}

/** Under the write lock: no verb runs with functions of both versions. */
async function update(session: Session, schema: string, was: number, { version, steps, functions }: Plan): Promise<void> {
  await session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 714))", [schema]);
  for (const step of steps.slice(was - 1, version - 1)) await execute(session, inSchema(step, schema));
  await execute(session, replacing(schema, functions));
  await session.query(`UPDATE ${quoted(schema)}.meta SET value = $1 WHERE key = 'schema' AND value <> $1`, [String(version)]);
}

/** Those that something of the app's depends on stay, and get their new bodies. */
export function replacing(schema: string, functions: string): string {
  const names = [...functions.matchAll(/^CREATE FUNCTION @\.(\w+)/gm)].map(([, name]) => `'${name}'`);
  return inSchema(
    `DO $errand_drop$
DECLARE
  _one record;
BEGIN
  FOR _one IN SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) AS drop
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace = @schema::regnamespace AND p.pronamespace = c.relnamespace AND NOT t.tgisinternal LOOP
    EXECUTE _one.drop;
  END LOOP;
  FOR _one IN SELECT format('DROP FUNCTION %s', p.oid::regprocedure) AS drop FROM pg_proc p
    WHERE p.pronamespace = @schema::regnamespace AND p.proname IN (${[...new Set(names)].join(", ")}) LOOP
    BEGIN
      EXECUTE _one.drop;
    EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
    END;
  END LOOP;
END $errand_drop$;
${functions.replaceAll(/^CREATE FUNCTION /gm, "CREATE OR REPLACE FUNCTION ").replaceAll(/^CREATE TYPE [^;]*;/gm, unlessThere)}`.replaceAll(
      "@schema::regnamespace",
      "(SELECT n.oid FROM pg_namespace n WHERE n.nspname = @schema)",
    ),
    schema,
  );
}

/** A type that looks otherwise than before is a step's. */
function unlessThere(making: string): string {
  return `DO $errand_type$ BEGIN ${making} EXCEPTION WHEN duplicate_object THEN NULL; END $errand_type$;`;
}

/** Several statements in one round trip. */
async function execute(session: Session, sql: string): Promise<void> {
  await session.query(`DO $errand_do$ BEGIN EXECUTE $errand_all$ ${sql} $errand_all$; END $errand_do$`, []);
}

async function schemaOf(session: Session, schema: string): Promise<unknown> {
  try {
    const [meta] = await session.query(`SELECT value FROM ${quoted(schema)}.meta WHERE key = 'schema'`, []);
    return meta?.["value"];
  } catch (error) {
    // It has no such columns.
    if (sqlStateOf(error) === "42703") return undefined;
    throw error;
  }
}

function foreign(schema: string, what: string, cause?: unknown): ErrandError {
  return new ErrandError("store-foreign", `schema ${schema} holds ${what}; name another one: { schema: "…" }`, { cause });
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isNameTaken(error: unknown): boolean {
  return ["42710", "42723", "42P07"].includes(sqlStateOf(error) ?? "");
}

function sqlStateOf(error: unknown): string | undefined {
  return ErrandError.is(error) ? (error.details as { readonly sqlState?: string } | undefined)?.sqlState : undefined;
}
