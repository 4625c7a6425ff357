/** Tables that vacuum has fallen behind with. */
import { deadRowsLeast } from "../../core/defaults.ts";
import type { Finding } from "../../core/examination.ts";
import type { Session } from "../client.ts";
import { quoted } from "../quoting.ts";

const tables = `
SELECT c.relname::text AS name, s.n_dead_tup AS dead, age(c.relfrozenxid) AS age, age(c.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int AS "isOld"
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
LEFT JOIN LATERAL (SELECT max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_threshold') AS threshold,
  max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_scale_factor') AS factor FROM pg_options_to_table(c.reloptions) o) o ON true
WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1) AND c.relkind = 'r' AND (age(c.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int
  OR s.n_dead_tup >= $2::bigint AND s.n_dead_tup > 2 * (coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold'))::float8
    + coalesce(o.factor, current_setting('autovacuum_vacuum_scale_factor'))::float8 * greatest(c.reltuples, 0)))
ORDER BY s.n_dead_tup DESC`;

export async function vacuumFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  return (await session.query(tables, [schema, deadRowsLeast])).map(({ name, dead, age, isOld }) => ({
    about: "vacuum",
    what:
      isOld === true
        ? `table ${String(name)} was not frozen for ${Number(age).toLocaleString("en-US")} transactions`
        : `table ${String(name)} has ${Number(dead).toLocaleString("en-US")} dead rows, twice what autovacuum waits for`,
    repair: `VACUUM (${isOld === true ? "FREEZE, " : ""}ANALYZE) ${quoted(schema)}.${String(name)};`,
  }));
}
