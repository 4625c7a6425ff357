/**
 * What keeps vacuum from taking dead rows away, in every table of the database: an old snapshot, and what stands for one. Asked by workers once a minute, by metrics
 * and by the doctor, in one statement: 6.5 ms beside 60 sessions. Reads what every role may read, and answers what this role is shown.
 */
import type { Pin } from "../core/engine.ts";
import type { Ms } from "../core/runtime.ts";
import type { Row, Session } from "./client.ts";
import { literal } from "./quoting.ts";

/** Of each kind. */
const pinsMax = 20;
/** Where no age is told: fewer transactions begun since then leave few dead rows. */
const transactionsLeast = 10_000;

/**
 * Snapshots of vacuum itself do not count. Of sessions of other roles only the snapshot is shown to a role without pg_read_all_stats, not since when; so it is with what
 * a standby sends (hot_standby_feedback). A hidden one that is no older than the oldest open write waits for that, and is not named for it.
 */
const sessions = `
SELECT CASE WHEN a.backend_type = 'walsender' THEN 'standby' ELSE 'session' END AS by, a.pid::text AS name, a.application_name AS application, a.usename::text AS role,
  a.state, to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "queryStart", a.client_addr::text AS address, NULL AS type,
  coalesce(a.backend_xmin, a.backend_xid)::text AS xid, (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint AS "ageMs",
  greatest(age(a.backend_xmin), age(a.backend_xid)) AS transactions
FROM pg_stat_activity a
WHERE coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL AND a.pid <> pg_backend_pid() AND (a.datname = current_database() OR a.backend_type = 'walsender')
  AND a.usename IS NOT NULL AND coalesce(a.query, '') !~* '^\\s*vacuum' AND NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = a.pid)
  AND CASE WHEN a.xact_start IS NOT NULL THEN a.xact_start < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
    ELSE greatest(age(a.backend_xmin), age(a.backend_xid)) >= $2::int
      AND NOT EXISTS (SELECT 1 FROM pg_stat_activity o WHERE o.pid <> a.pid AND age(o.backend_xid) >= age(a.backend_xmin)) END
ORDER BY "ageMs" DESC NULLS LAST, transactions DESC LIMIT ${pinsMax}`;

const prepared = `
SELECT 'prepared-transaction' AS by, p.gid AS name, NULL AS application, p.owner::text AS role, NULL AS state, NULL AS "queryStart", NULL AS address, NULL AS type,
  p.transaction::text AS xid, (extract(epoch FROM clock_timestamp() - p.prepared) * 1000)::bigint AS "ageMs", age(p.transaction) AS transactions
FROM pg_prepared_xacts p
WHERE p.database = current_database() AND p.prepared < clock_timestamp() - make_interval(secs => $1::float8 / 1000) ORDER BY p.prepared LIMIT ${pinsMax}`;

/** One that is read moves on by itself; since when nobody reads one, PostgreSQL 17 is the first to tell. */
const slots = `
SELECT 'replication-slot' AS by, s.slot_name::text AS name, NULL AS application, NULL AS role, CASE WHEN s.active THEN 'read' ELSE 'unread' END AS state,
  NULL AS "queryStart", NULL AS address, s.slot_type AS type, coalesce(s.xmin, s.catalog_xmin)::text AS xid,
  (extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz) * 1000)::bigint AS "ageMs",
  greatest(age(s.xmin), age(s.catalog_xmin)) AS transactions
FROM pg_replication_slots s
WHERE (s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL) AND (s.database IS NULL OR s.database = current_database())
  AND (NOT s.active OR greatest(age(s.xmin), age(s.catalog_xmin)) >= $2::int)
  AND coalesce((to_jsonb(s) ->> 'inactive_since')::timestamptz < clock_timestamp() - make_interval(secs => $1::float8 / 1000), true)
ORDER BY transactions DESC LIMIT ${pinsMax}`;

const all = [sessions, prepared, slots].map((each) => `(${each})`).join(" UNION ALL ");

/** Pins of at least that age, and those of unknown age. `least`: of transactions, where no age is told. */
export async function pinsOf(session: Session, afterMs: Ms, least: number = transactionsLeast): Promise<readonly Pin[]> {
  const rows = await session.query(all, [afterMs, least]);
  return rows.map(pinOf);
}

/** A role that may not see the sessions of others is told neither their age nor what they do. */
export async function seesAllSessions(session: Session): Promise<boolean> {
  const [row] = await session.query("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees", []);
  return row?.["sees"] === true;
}

function pinOf(row: Row): Pin {
  const by = row["by"] as Pin["by"];
  const name = String(row["name"]);
  const ageMs = row["ageMs"] === null ? undefined : Number(row["ageMs"]);
  const transactions = Number(row["transactions"]);
  const shown = ["application", "role", "state", "queryStart", "address", "type", "xid"].flatMap((key) => (row[key] === null ? [] : [[key, row[key]]]));
  const since = ageMs === undefined ? `through ${transactions.toLocaleString("en-US")} transactions` : `for ${ageOf(ageMs)}`;
  return {
    key: `${by} ${name} ${String(row["xid"])}`,
    by,
    ageMs,
    transactions,
    details: {
      by,
      [by === "session" || by === "standby" ? "pid" : "name"]: name,
      ...Object.fromEntries(shown),
      ...(ageMs !== undefined && { ageMs }),
      transactions,
    },
    ...said(by, name, since, row),
  };
}

function said(by: Pin["by"], name: string, since: string, row: Row): Pick<Pin, "what" | "repair"> {
  const application = row["application"];
  const named = typeof application === "string" && application !== "" ? `application ${application}` : "no application_name";
  const role = `role ${String(row["role"])}`;
  switch (by) {
    case "session": {
      const state = row["state"] as string | null;
      const doing = state === null ? "what it does is not shown to this role" : `${state}, query begun ${String(row["queryStart"])}`;
      return { what: `session ${name} (${named}, ${role}, ${doing}) has had a transaction open ${since}`, repair: `SELECT pg_terminate_backend(${name});` };
    }
    case "standby":
      return {
        what: `the standby behind session ${name} (${named}, ${role}, address ${(row["address"] as string | null) ?? "local"}) runs a query ${since}, and hot_standby_feedback holds the horizon for it; end that query there`,
      };
    case "prepared-transaction":
      return {
        what: `the prepared transaction ${name} of ${String(row["role"])} waits for its end ${since}`,
        repair: `ROLLBACK PREPARED ${literal(name)}; -- or COMMIT PREPARED`,
      };
    default:
      return slotSaid(name, since, row);
  }
}

function slotSaid(name: string, since: string, row: Row): Pick<Pin, "what" | "repair"> {
  const slot = `the ${String(row["type"])} replication slot ${name}`;
  const holds = `holds the horizon at transaction ${String(row["xid"])} ${since}, and WAL besides`;
  if (row["state"] === "read") return { what: `the reader of ${slot} does not move it on: it ${holds}; look at that reader` };
  return { what: `nobody reads ${slot}, which ${holds}`, repair: `SELECT pg_drop_replication_slot(${literal(name)}); -- if its reader will not come back` };
}

/** As PostgreSQL prints an interval. */
function ageOf(ms: Ms): string {
  const seconds = Math.floor(ms / 1_000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${two(seconds / 3_600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}
