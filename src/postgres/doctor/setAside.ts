/** What was handed in and could not be taken in. */
import type { Finding } from "../../core/examination.ts";
import type { Session } from "../client.ts";
import { quoted } from "../quoting.ts";

const shownMax = 20;

/** No row: it is missing, which is told by itself; as is a privilege. */
const mayLook = `
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS look
FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid WHERE n.nspname = $1 AND c.relname = 'set_aside'`;

export async function setAsideFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  const table = `${quoted(schema)}.set_aside`;
  const [may] = await session.query(mayLook, [schema]);
  if (may?.["look"] !== true) return [];
  const rows = await session.query(
    `SELECT s.n, s.kind, s.error, date_trunc('second', s.at AT TIME ZONE 'UTC')::text AS at, left(s.body::text, 200) AS body
    FROM ${table} s ORDER BY s.n LIMIT ${shownMax}`,
    [],
  );
  return rows.map(({ n, kind, error, at, body }) => ({
    about: "integrity",
    what: `what a transaction handed in (${String(kind)} ${String(n)}) could not be taken in, and was set aside at ${String(at)} UTC: ${String(error)}; it is ${String(body)}`,
    repair: `SELECT ${quoted(schema)}.take_in_again(${String(n)}); -- when what was in its way is gone`,
  }));
}
