/** Whether the role that asks may do what errand does. */
import type { Finding } from "../../core/examination.ts";
import type { Session } from "../client.ts";

const missing = `
SELECT 'USAGE' AS privilege, 'SCHEMA ' || quote_ident($1) AS "on" WHERE NOT has_schema_privilege($1, 'USAGE')
UNION ALL
SELECT string_agg(p.privilege, ', '), 'TABLE ' || quote_ident($1) || '.' || quote_ident(c.relname)
FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p (privilege)
WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1) AND c.relkind = 'r' AND NOT has_table_privilege(c.oid, p.privilege) GROUP BY c.relname
UNION ALL
SELECT string_agg(p.privilege, ', '), 'SEQUENCE ' || quote_ident($1) || '.' || quote_ident(c.relname)
FROM pg_class c CROSS JOIN unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p (privilege)
WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1) AND c.relname IN ('clock', 'fence', 'seqs') AND c.relkind = 'S'
  AND NOT has_sequence_privilege(c.oid, p.privilege) GROUP BY c.relname
UNION ALL
SELECT 'EXECUTE', 'FUNCTION ' || p.oid::regprocedure
FROM pg_proc p WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1) AND NOT has_function_privilege(p.oid, 'EXECUTE')`;

export async function privilegeFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  const [who] = await session.query("SELECT quote_ident(current_user) AS role", []);
  const role = String(who?.["role"]);
  return (await session.query(missing, [schema])).map(({ privilege, on }) => ({
    about: "privileges",
    what: `role ${role} lacks ${String(privilege)} on ${String(on).replace(/^[A-Z]+/, (kind) => kind.toLowerCase())}`,
    repair: `GRANT ${String(privilege)} ON ${String(on)} TO ${role};`,
  }));
}
