/** What keeps vacuum from taking dead rows away, in every table of the database: an old snapshot, and what stands for one. */
import { pinnedAfterMs } from "../../core/defaults.ts";
import type { Finding } from "../../core/examination.ts";
import type { Ms } from "../../core/runtime.ts";
import type { Session } from "../client.ts";
import { literal } from "../quoting.ts";

/** Snapshots of vacuum itself do not count. */
const sessions = `
SELECT a.pid, a.application_name AS application, a.usename AS role, a.state, to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "queryStart",
  date_trunc('second', clock_timestamp() - a.xact_start)::text AS age
FROM pg_stat_activity a
WHERE coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL AND (a.datname = current_database() OR a.backend_type = 'walsender') AND a.pid <> pg_backend_pid()
  AND a.backend_type <> 'autovacuum worker' AND a.query !~* '^\\s*vacuum' AND a.xact_start < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
ORDER BY a.xact_start LIMIT 20`;

const prepared = `
SELECT p.gid, p.owner::text AS owner, date_trunc('second', clock_timestamp() - p.prepared)::text AS age FROM pg_prepared_xacts p
WHERE p.database = current_database() AND p.prepared < clock_timestamp() - make_interval(secs => $1::float8 / 1000) ORDER BY p.prepared LIMIT 20`;

const slots = `
SELECT s.slot_name::text AS slot, s.slot_type AS type, coalesce(s.xmin, s.catalog_xmin)::text AS xmin FROM pg_replication_slots s
WHERE NOT s.active AND (s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL) ORDER BY age(coalesce(s.xmin, s.catalog_xmin)) DESC LIMIT 20`;

export async function horizonFindings(session: Session, afterMs: Ms = pinnedAfterMs): Promise<readonly Finding[]> {
  const pinned = "vacuum can take away no row that died since";
  return [
    ...(await session.query(sessions, [afterMs])).map(({ pid, application, role, state, queryStart, age }) => ({
      about: "horizon" as const,
      what: `session ${String(pid)} (${named(application)}, role ${String(role)}, ${String(state)}, query begun ${String(queryStart)}) has had a transaction open for ${String(age)}: ${pinned}`,
      repair: `SELECT pg_terminate_backend(${String(pid)});`,
    })),
    ...(await session.query(prepared, [afterMs])).map(({ gid, owner, age }) => ({
      about: "horizon" as const,
      what: `the prepared transaction ${String(gid)} of ${String(owner)} waits for its end since ${String(age)}: ${pinned}`,
      repair: `ROLLBACK PREPARED ${literal(String(gid))}; -- or COMMIT PREPARED`,
    })),
    ...(await session.query(slots, [])).map(({ slot, type, xmin }) => ({
      about: "horizon" as const,
      what: `nobody reads the ${String(type)} replication slot ${String(slot)}, which holds the horizon at transaction ${String(xmin)}, and WAL besides`,
      repair: `SELECT pg_drop_replication_slot(${literal(String(slot))}); -- if its reader will not come back`,
    })),
  ];
}

/** A role that may not see the sessions of others finds none of theirs. */
export async function seesAllSessions(session: Session): Promise<boolean> {
  const [row] = await session.query("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees", []);
  return row?.["sees"] === true;
}

function named(application: unknown): string {
  return typeof application === "string" && application !== "" ? `application ${application}` : "no application_name";
}
