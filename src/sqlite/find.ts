/** Reads a page. */
import { pageMax } from "../core/defaults.ts";
import type { EventRow, LaneRow, LockRow, Note, Page, ProcessRow, Query, Row } from "../core/engine.ts";
import { findJobs } from "./filter.ts";
import { endOf } from "./notices.ts";
import { gateRows } from "./gateRow.ts";
import { joinsWithIds, joinsWithin } from "./joinRow.ts";
import { jobRows, rowColumns, rowJoins } from "./row.ts";
import type { RowRecord } from "./row.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_jobs_id, then rowids and a primary key. */
const jobWithId = `SELECT ${rowColumns} FROM errand_jobs j ${rowJoins} WHERE j.id = ?`;
const eventColumns = "seq, id, name, payload, published_at AS publishedAt, ordered_by AS orderedBy";
/** By rowid. */
const events = `SELECT ${eventColumns} FROM errand_events WHERE seq > ? ORDER BY seq LIMIT ?`;
/** By errand_events_name. */
const eventsNamed = `SELECT ${eventColumns} FROM errand_events WHERE name = ? AND seq > ? ORDER BY seq LIMIT ?`;
/** By primary key. */
const notes = "SELECT key, version, value, written_at AS writtenAt FROM errand_notes WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?";
/** By UNIQUE (process); the running jobs are walked once: as many as there are hands. */
const processes = `SELECT p.process, p.lease_until AS leaseUntil, p.since, coalesce(r.running, 0) AS running
  FROM (SELECT * FROM errand_processes WHERE process > ? AND is_lost = 0 ORDER BY process LIMIT ?) p
  LEFT JOIN (SELECT process, sum(jobs) AS running FROM (SELECT process, 1 AS jobs FROM errand_running UNION ALL SELECT process, jobs FROM errand_rows) GROUP BY process) r ON r.process = p.id ORDER BY p.process`;
/** By errand_lanes_closed. */
const lanes = "SELECT lane, closed_by AS closedBy, closed_at AS closedAt FROM errand_lanes WHERE closed_at IS NOT NULL AND lane > ? ORDER BY lane LIMIT ?";
/** By rowids. */
const locks = `SELECT t.place, t.name, t.mode, t.ticket, p.process, t.fence FROM errand_tickets t CROSS JOIN errand_processes p ON p.id = t.process
  WHERE t.place > ? ORDER BY t.place LIMIT ?`;

/** How many rows are looked at for one page: 15 ms. The page may be short then, with a `next`. */
const walkMax = 100_000;

type Found = { readonly rows: readonly Row<Query["of"]>[]; readonly next?: string };
type Placed<Of extends Query["of"]> = readonly [place: string, row: Row<Of>];

export function find<Q extends Query>(look: Transaction, query: Q): Page<Q> {
  const page = { ...rowsOf(look, query), now: look.now };
  return page as Page as Page<Q>;
}

function rowsOf(look: Transaction, query: Query): Found {
  if (query.of === "jobs") return jobs(look, query);
  if (query.of === "gates") return { rows: gateRows(look, query.names) };
  if (query.of === "joins" && "ids" in query) return { rows: joinsWithIds(look, query.ids) };
  const limit = Math.min(query.limit, pageMax);
  const placed = placedRows(look, query, limit + 1);
  const rows = placed.slice(0, limit).map(([, row]) => row);
  const last = placed[limit - 1];
  return placed.length > limit && last ? { rows, next: last[0] } : { rows };
}

function jobs(look: Transaction, query: Extract<Query, { of: "jobs" }>): Found {
  const { sql } = look;
  if ("ids" in query) {
    const records = query.ids.slice(0, pageMax).flatMap((id) => sql.get<RowRecord>(jobWithId, id) ?? []);
    return { rows: jobRows(look, records) };
  }
  const after = query.after === undefined ? undefined : Number(query.after);
  const slice = { after, limit: Math.min(query.limit, pageMax), newestFirst: query.newestFirst === true, walkMax };
  const { records, next } = findJobs(look, query.where, slice);
  return { rows: jobRows(look, records), ...(next !== undefined && { next: String(next) }) };
}

type Paged = Exclude<Query, { of: "jobs" | "gates" } | { of: "joins"; ids: readonly string[] }>;

function placedRows(look: Transaction, query: Paged, limit: number): Placed<Query["of"]>[] {
  const { sql } = look;
  const after = query.after ?? "";
  switch (query.of) {
    case "joins":
      return joinsWithin(look, query, limit);
    case "events":
      return eventRows(sql, query.name, Number(after), limit);
    case "notes":
      return sql.all<Note>(notes, query.prefix, endOfPrefix(query.prefix), after, limit).map((note) => [note.key, { ...note }]);
    case "processes":
      return sql.all<ProcessRow>(processes, after, limit).map((row) => [row.process, { ...row }]);
    case "lanes":
      return sql.all<LaneRow>(lanes, after, limit).map((row) => [row.lane, { ...row }]);
    case "locks":
      return lockRows(sql, Number(after), limit);
  }
}

interface EventRecord extends Omit<EventRow, "orderedBy"> {
  readonly seq: number;
  readonly orderedBy: string | null;
}

function eventRows(sql: Statements, name: string | undefined, after: number, limit: number): Placed<"events">[] {
  const records = name === undefined ? sql.all<EventRecord>(events, after, limit) : sql.all<EventRecord>(eventsNamed, name, after, limit);
  return records.map(({ seq, orderedBy, ...row }) => [String(seq), { ...row, ...(orderedBy !== null && { orderedBy: JSON.parse(orderedBy) as string[] }) }]);
}

interface LockRecord extends Omit<LockRow, "fence" | "isGranted"> {
  readonly place: number;
  readonly fence: number | null;
}

function lockRows(sql: Statements, after: number, limit: number): Placed<"locks">[] {
  return sql.all<LockRecord>(locks, after, limit).map(({ place, fence, ...row }) => [String(place), { ...row, fence: fence ?? 0, isGranted: fence !== null }]);
}

/** Above all keys that begin with it. */
function endOfPrefix(prefix: string): string {
  return prefix.endsWith("/") ? endOf(prefix) : `${prefix}\u{10ffff}`;
}
