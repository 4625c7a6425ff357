/** Looks at a store on PostgreSQL, and changes nothing. */
import type { Examination, Finding } from "../../core/examination.ts";
import { ErrandError } from "../../core/errors.ts";
import type { Ms } from "../../core/runtime.ts";
import { databaseOf } from "../client.ts";
import type { Session } from "../client.ts";
import { schemaVersion } from "../install.ts";
import { versionOf } from "../migrate.ts";
import { seesAllSessions } from "../horizon.ts";
import { checkSchema } from "../schemaName.ts";
import { horizonFindings } from "./horizon.ts";
import { privilegeFindings } from "./privileges.ts";
import { setAsideFindings } from "./setAside.ts";
import { settingFindings } from "./settings.ts";
import { shapeFindings } from "./shape.ts";
import { vacuumFindings } from "./vacuum.ts";

/** Throws `option-invalid`, `store-unreachable`, `store-denied`. */
export async function examine(url: string, schema: string, pinnedAfterMs?: Ms): Promise<Examination> {
  checkSchema(schema);
  const database = databaseOf(url, 1);
  try {
    const session = await database.reserve();
    try {
      await session.query("BEGIN ISOLATION LEVEL READ COMMITTED", []);
      return { of: `${database.name}, schema ${schema}`, ...(await look(session, schema, pinnedAfterMs)) };
    } finally {
      // What was made for comparing goes with it.
      session.release("broken");
    }
  } finally {
    await database.close();
  }
}

type Looked = Pick<Examination, "lookedAt" | "findings">;

async function look(session: Session, schema: string, pinnedAfterMs: Ms | undefined): Promise<Looked> {
  const [row] = await session.query(
    'SELECT pg_is_in_recovery() AS "isReplica", has_database_privilege(current_database(), \'TEMPORARY\') AS "mayCompare", quote_ident(current_database()) AS database, quote_ident(current_user) AS role',
    [],
  );
  const { isReplica, mayCompare, database, role } = row as unknown as Place;
  const general = await lookAtServer(session, isReplica, pinnedAfterMs);
  const schemas = await lookAtSchema(session, schema);
  if (!schemas.isThere) return { lookedAt: [...general.lookedAt, "whether the schema is there"], findings: [...general.findings, ...schemas.findings] };
  const own = [...(await privilegeFindings(session, schema)), ...(await vacuumFindings(session, schema)), ...(await setAsideFindings(session, schema))];
  const lookedAt = [...general.lookedAt, "the schema's version", `privileges of role ${role}`, "dead rows of its tables", "what was set aside"];
  const findings = [...general.findings, ...schemas.findings, ...own];
  if (isReplica || !schemas.isCurrent) return { lookedAt, findings };
  if (!mayCompare) return { lookedAt, findings: [...findings, mayNotCompare(database, role)] };
  return {
    lookedAt: [...lookedAt, "its tables, columns, indexes, functions and triggers"],
    findings: [...findings, ...(await shapeFindings(session, schema))],
  };
}

interface Place {
  readonly isReplica: boolean;
  readonly mayCompare: boolean;
  readonly database: string;
  readonly role: string;
}

async function lookAtServer(session: Session, isReplica: boolean, pinnedAfterMs: Ms | undefined): Promise<Looked> {
  const sees = await seesAllSessions(session);
  const replica: readonly Finding[] = isReplica
    ? [{ about: "settings", what: "the server is a replica, which cannot be written; connect to the primary" }]
    : [];
  return {
    lookedAt: [
      "the server's settings",
      sees
        ? "sessions, prepared transactions, replication slots"
        : "sessions of this role (pg_read_all_stats shows all), prepared transactions, replication slots",
    ],
    findings: [...replica, ...(await settingFindings(session)), ...(await horizonFindings(session, pinnedAfterMs))],
  };
}

interface Schema {
  readonly isThere: boolean;
  readonly isCurrent: boolean;
  readonly findings: readonly Finding[];
}

async function lookAtSchema(session: Session, schema: string): Promise<Schema> {
  await session.query("SAVEPOINT looking", []);
  try {
    const version = await versionOf(session, schema, schemaVersion);
    if (version === schemaVersion) return { isThere: true, isCurrent: true, findings: [] };
    const what =
      version === 0
        ? `there is no schema ${schema}; errand migrate makes it`
        : `schema ${schema} is at version ${version}, not ${schemaVersion}; errand migrate updates it`;
    return { isThere: version > 0, isCurrent: false, findings: [{ about: "schema", what }] };
  } catch (error) {
    await session.query("ROLLBACK TO looking", []);
    // Which privileges are lacking, is told by themselves.
    if (ErrandError.is(error, "store-denied")) return { isThere: true, isCurrent: false, findings: [] };
    if (!ErrandError.is(error) || !["store-foreign", "store-newer"].includes(error.code)) throw error;
    return { isThere: false, isCurrent: false, findings: [{ about: "schema", what: error.message }] };
  }
}

function mayNotCompare(database: string, role: string): Finding {
  return {
    about: "privileges",
    what: `tables and functions were not compared: role ${role} may make no temporary ones to compare with`,
    repair: `GRANT TEMPORARY ON DATABASE ${database} TO ${role};`,
  };
}
