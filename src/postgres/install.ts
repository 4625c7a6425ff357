/** What a schema holds, as SQL; and its making, or a refusal where it is not errand's or a newer errand's. Several processes may begin at once. */
import { ErrandError } from "../core/errors.ts";
import type { Database, Session } from "./client.ts";
import { functions } from "./functions.ts";
import { bringSchema, versionOf } from "./migrate.ts";
import { inSchema, literal } from "./quoting.ts";
import { tables, types } from "./schema.ts";

/** Another one with each release that changes tables or functions. */
export const schemaVersion = 1;

/** From each version to the next one: what is to be done to its tables. The functions are written anew after them. */
export const steps: readonly string[] = [];

/** Below it the planner and TRUNCATE behave otherwise; it is out of support besides. */
const serverVersionMin = 140_000;

/** Everything that a schema holds, as SQL. `era`: an expression. */
export function installation(schema: string, era = "gen_random_uuid()::text"): string {
  return inSchema(
    `${types}\n${tables}\n${functions}
INSERT INTO @.meta (key, value) VALUES ('schema', '${schemaVersion}'), ('era', ${era}), ('history', @.history()::text), ('notes_version', '0');`,
    schema,
  );
}

/** Makes the schema if it is not there, brings an older one up to this version, and leaves one that fits as it is. */
export async function install(database: Database, schema: string, era: () => string): Promise<void> {
  await refuseUnfit(database);
  if ((await versionOf(database, schema, schemaVersion)) === schemaVersion) return;
  await bringSchema(database, schema, { version: schemaVersion, steps, making: installation(schema, literal(era())), functions, isWrittenAnew: false });
}

/** Throws `store-unsafe`, `store-readonly`. */
export async function refuseUnfit(session: Session): Promise<void> {
  const [row] = await session.query(
    `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS "isReplica", current_setting('server_encoding') AS encoding,
      current_setting('transaction_isolation') AS isolation`,
    [],
  );
  const { version = 0, isReplica = false, encoding = "", isolation = "" } = (row ?? {}) as Partial<Server>;
  if (version < serverVersionMin) {
    throw new ErrandError("store-unsafe", `the server is PostgreSQL ${Math.floor(version / 10_000)}; errand needs 14 or later: upgrade it`);
  }
  if (isReplica) throw new ErrandError("store-readonly", "the server is a replica, which cannot be written; connect to the primary");
  if (encoding !== "UTF8") {
    throw new ErrandError("store-unsafe", `the database's encoding is ${encoding}, which cannot hold every text; use a database with ENCODING 'UTF8'`);
  }
  // A verb waits for the write lock and must see then what was committed meanwhile.
  if (isolation !== "read committed") {
    throw new ErrandError(
      "store-unsafe",
      `connections begin at isolation level ${isolation}, where errand would not see what others have just done; ALTER ROLE … SET default_transaction_isolation = 'read committed'`,
    );
  }
}

interface Server {
  readonly version: number;
  readonly isReplica: boolean;
  readonly encoding: string;
  readonly isolation: string;
}
