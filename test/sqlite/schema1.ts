import { start } from "./bench.ts";

/** The tables as version 1 made them: what a file may be that was written before joins and limits. Never changed. */
export const schema1 = `
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

-- A job that must run alone stands under its line's negative.
CREATE TABLE errand_ready (line INTEGER NOT NULL, urgency INTEGER NOT NULL, seq INTEGER NOT NULL, flags INTEGER NOT NULL, PRIMARY KEY (line, urgency, seq)) WITHOUT ROWID;
CREATE TABLE errand_scheduled (due_at INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (due_at, seq)) WITHOUT ROWID;
CREATE TABLE errand_running (
  seq INTEGER PRIMARY KEY, line INTEGER NOT NULL, keep INTEGER NOT NULL, flags INTEGER NOT NULL, process INTEGER NOT NULL,
  fence INTEGER NOT NULL, claim TEXT NOT NULL, started_at INTEGER NOT NULL, is_cancelling INTEGER NOT NULL DEFAULT 0
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

INSERT INTO errand_meta (key, value) VALUES ('schema', '1'), ('era', 'an era');
INSERT INTO errand_numbers (line, what, value) VALUES (0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 3, 0);
`;

/** One job in each state that version 1 stored in its own way; those of lane k in their order: running, blocked, blocked. */
export const content1 = `
INSERT INTO errand_lines (id, queue, task) VALUES (1, 'mail', 'send');
INSERT INTO errand_keeps (id, keep) VALUES (1, '[1000,1000,1000,1000]');
INSERT INTO errand_numbers (line, what, value) VALUES (1, 1, 1), (1, 2, 2), (1, 3, 2), (1, 4, 1), (1, 6, 1);
INSERT INTO errand_jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, state, lane, lane_width, if_dead) VALUES
  (1, 'k1', 1, 1, 1, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, 'k', 1, 'park'), (2, 'k2', 1, 1, 1, '{}', 'c', ${start}, ${start}, 0, ${start}, 2, 'k', 1, 'park'),
  (3, 'k3', 1, 1, 1, '{}', 'c', ${start}, ${start}, 0, ${start}, 2, 'k', 1, 'park'), (4, 'ready', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, NULL, NULL, NULL),
  (5, 'later', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start + 9}, 1, NULL, NULL, NULL), (6, 'done', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, NULL, NULL, NULL),
  (7, 'again', 1, 1, 0, '{}', 'c', ${start}, ${start}, 0, ${start}, 0, NULL, NULL, NULL);
UPDATE errand_jobs SET attempts = 1 WHERE id = 'again';
INSERT INTO errand_ready (line, urgency, seq, flags) VALUES (1, ${start}, 4, 0), (1, ${start}, 7, 0);
INSERT INTO errand_scheduled (due_at, seq) VALUES (${start + 9}, 5);
INSERT INTO errand_done (seq, ended_at) VALUES (6, ${start});
INSERT INTO errand_processes (id, process, since, lease_until) VALUES (1, 'p1', ${start}, ${start + 8_000});
INSERT INTO errand_running (seq, line, keep, flags, process, fence, claim, started_at) VALUES (1, 1, 1, 1, 1, 7, 'c0', ${start});
INSERT INTO errand_members (lane, place, seq, width) VALUES ('k', 1, 1, 1), ('k', 0, 2, 1), ('k', 0, 3, 1);
`;
