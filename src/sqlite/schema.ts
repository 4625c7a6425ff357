/**
 * The tables. All names begin with `errand_`, so that they may live in the app's own file.
 *
 * A job's wide row is written at enqueue and, if its life is plain, never again: that it is ready, running or completed is told by a small row
 * in `errand_ready`, `errand_running` or `errand_done` (`state` 0). A member that its lane blocks is told by `errand_members` (`state` 0, place 0), so that
 * it can be started in a row without a write to its wide row, and mostly without one of its own in `errand_running`: see laneRow.ts. Every other state stands in
 * the wide row.
 */
import { ErrandError } from "../core/errors.ts";
import { compositionTables, fromVersion1, fromVersion2, rowTables } from "./compositionTables.ts";
import { numbers } from "./numbers.ts";
import type { Statements } from "./statements.ts";

export const schemaVersion = 4;

const tables = `
CREATE TABLE errand_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Line 0 holds the store's own numbers (see numbers.ts), the others how many jobs they have in each state. One table, so that a commit dirties one page for both.
CREATE TABLE errand_numbers (line INTEGER NOT NULL, what INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (line, what)) WITHOUT ROWID;

CREATE TABLE errand_lines (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, task TEXT NOT NULL, UNIQUE (queue, task));
CREATE TABLE errand_keeps (id INTEGER PRIMARY KEY, keep TEXT NOT NULL UNIQUE);

CREATE TABLE errand_jobs (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, line INTEGER NOT NULL, keep INTEGER NOT NULL, flags INTEGER NOT NULL,
  payload TEXT NOT NULL, content TEXT NOT NULL, enqueued_at INTEGER NOT NULL, urgency INTEGER NOT NULL, head_start INTEGER NOT NULL,
  due_at INTEGER NOT NULL, remember_until INTEGER, extra TEXT,
  state INTEGER NOT NULL DEFAULT 0, start_by INTEGER, lane TEXT, lane_width INTEGER, if_dead TEXT, unique_key TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, suspects INTEGER NOT NULL DEFAULT 0, has_died INTEGER NOT NULL DEFAULT 0,
  since INTEGER, delayed_by TEXT, checkpoint TEXT, result TEXT, history TEXT, reason TEXT, ended_at INTEGER, is_poison INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX errand_jobs_id ON errand_jobs (id);
CREATE INDEX errand_jobs_state ON errand_jobs (state, seq) WHERE state > 0;
CREATE INDEX errand_jobs_lane ON errand_jobs (lane, seq) WHERE lane IS NOT NULL;
CREATE INDEX errand_jobs_unique ON errand_jobs (unique_key, seq) WHERE unique_key IS NOT NULL;

-- line: see readyPlace.ts. since: of those that many lanes admitted at once, whose wide rows are not written for it.
CREATE TABLE errand_ready (
  line INTEGER NOT NULL, urgency INTEGER NOT NULL, seq INTEGER NOT NULL, flags INTEGER NOT NULL, since INTEGER, PRIMARY KEY (line, urgency, seq)
) WITHOUT ROWID;
CREATE TABLE errand_scheduled (due_at INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (due_at, seq)) WITHOUT ROWID;
CREATE TABLE errand_running (
  seq INTEGER PRIMARY KEY, line INTEGER NOT NULL, keep INTEGER NOT NULL, flags INTEGER NOT NULL, process INTEGER NOT NULL,
  fence INTEGER NOT NULL, claim TEXT NOT NULL, started_at INTEGER NOT NULL, is_cancelling INTEGER NOT NULL DEFAULT 0, terms INTEGER, lane TEXT
);
CREATE INDEX errand_running_cancelling ON errand_running (process, seq) WHERE is_cancelling = 1;
CREATE TABLE errand_done (seq INTEGER PRIMARY KEY, ended_at INTEGER NOT NULL);
-- Ready and scheduled jobs that never started and must do so in time.
CREATE TABLE errand_deadlines (start_by INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (start_by, seq)) WITHOUT ROWID;
-- When to look at ended jobs again: hints, one row for all that a commit ended with the same time; seqs is a JSON list.
CREATE TABLE errand_purges (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, seqs TEXT NOT NULL);
CREATE INDEX errand_purges_at ON errand_purges (at, id);

-- Live members of lanes; place: see lane.ts.
CREATE TABLE errand_members (lane TEXT NOT NULL, place INTEGER NOT NULL, seq INTEGER NOT NULL, width INTEGER NOT NULL, PRIMARY KEY (lane, place, seq)) WITHOUT ROWID;
-- Only lanes that are closed, or that tidy has work with.
CREATE TABLE errand_lanes (lane TEXT PRIMARY KEY, closed_by TEXT, closed_at INTEGER, is_marked INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX errand_lanes_marked ON errand_lanes (lane) WHERE is_marked = 1;
CREATE INDEX errand_lanes_closed ON errand_lanes (lane) WHERE closed_at IS NOT NULL;
-- Live jobs by unique key; and keys that outlive their job.
CREATE TABLE errand_uniques (key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID;
CREATE TABLE errand_windows (key TEXT PRIMARY KEY, job_id TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX errand_windows_until ON errand_windows (until);

CREATE TABLE errand_processes (id INTEGER PRIMARY KEY, process TEXT NOT NULL UNIQUE, since INTEGER NOT NULL, lease_until INTEGER NOT NULL, is_lost INTEGER NOT NULL DEFAULT 0);
CREATE INDEX errand_processes_lease ON errand_processes (is_lost, lease_until);

CREATE TABLE errand_events (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, payload TEXT NOT NULL, content TEXT NOT NULL,
  published_at INTEGER NOT NULL, purge_at INTEGER NOT NULL, ordered_by TEXT
);
CREATE INDEX errand_events_name ON errand_events (name, seq);
CREATE INDEX errand_events_purge ON errand_events (purge_at);
CREATE TABLE errand_notes (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL, written_at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE errand_tickets (
  place INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, ticket TEXT NOT NULL, process INTEGER NOT NULL, mode TEXT NOT NULL, permits INTEGER NOT NULL, fence INTEGER,
  UNIQUE (name, ticket)
);
CREATE INDEX errand_tickets_process ON errand_tickets (process);
${compositionTables}${rowTables}`;

const writeNumber = "INSERT INTO errand_numbers (line, what, value) VALUES (0, ?, 0)";
const ourTables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB 'errand_*' AND name NOT GLOB 'errand_outbox*'";
const metaTable = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'errand_meta'";
const metaColumns = "SELECT count(*) FROM pragma_table_info('errand_meta') WHERE name IN ('key', 'value')";
const readMeta = "SELECT value FROM errand_meta WHERE key = ?";
const writeMeta = "INSERT INTO errand_meta (key, value) VALUES (?, ?)";
const changeMeta = "UPDATE errand_meta SET value = ? WHERE key = ?";

/** Whether the tables are there and fit as they are; throws if they are somebody else's or a newer errand's. */
export function isSchemaThere(sql: Statements, file: string): boolean {
  return versionOf(sql, file) === schemaVersion;
}

/** Makes what is missing. Within a transaction. */
export function bringSchema(sql: Statements, file: string, era: () => string): void {
  const version = versionOf(sql, file);
  if (version === 0) createSchema(sql, era());
  else if (version < schemaVersion) {
    if (version < 2) sql.exec(fromVersion1);
    if (version < 3) sql.exec(fromVersion2);
    sql.exec(rowTables);
    sql.run(changeMeta, String(schemaVersion), "schema");
  }
}

/** 0: there is none. */
function versionOf(sql: Statements, file: string): number {
  if (sql.value<number>(ourTables) === 0) return 0;
  const version = sql.value<number>(metaTable) === 1 ? Number(metaOf(sql, "schema")) : NaN;
  if (!Number.isInteger(version) || version < 1) {
    throw new ErrandError("store-foreign", `${file} has tables named errand_… that are not errand's; name another file`);
  }
  if (version > schemaVersion) {
    throw new ErrandError("store-newer", `${file} was written by a newer errand (schema ${version}, known here: ${schemaVersion}); update errand`);
  }
  return version;
}

function createSchema(sql: Statements, era: string): void {
  sql.exec(tables);
  sql.run(writeMeta, "schema", String(schemaVersion));
  sql.run(writeMeta, "era", era);
  for (const what of Object.values(numbers)) sql.run(writeNumber, what);
}

export function eraOf(sql: Statements): string {
  return metaOf(sql, "era") ?? "";
}

function metaOf(sql: Statements, key: string): string | undefined {
  return sql.value<number>(metaColumns) === 2 ? sql.value<string>(readMeta, key) : undefined;
}
