/** The tables of what belongs together, comes after another, or is limited. Jobs that do none of it have no row in them. */
import { readyPlaceOf } from "./readyPlace.ts";

export const compositionTables: string = `
-- state: see join.ts. ended: 1 well, 2 badly. The counts are written once per commit. purge_at is null while something holds it back.
CREATE TABLE errand_joins (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, content TEXT NOT NULL, state INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0,
  parent INTEGER, size INTEGER, given INTEGER NOT NULL DEFAULT 0, members INTEGER NOT NULL DEFAULT 0, live INTEGER NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, is_cancelled INTEGER NOT NULL DEFAULT 0, fate TEXT, reason TEXT, after TEXT,
  stored_at INTEGER NOT NULL, touched_at INTEGER NOT NULL, closed_at INTEGER, remember_until INTEGER, purge_at INTEGER
);
CREATE INDEX errand_joins_parent ON errand_joins (parent, seq);
CREATE INDEX errand_joins_staged ON errand_joins (touched_at, seq) WHERE state = 0;
CREATE INDEX errand_joins_purge ON errand_joins (purge_at, seq) WHERE purge_at IS NOT NULL;
-- Which jobs are members of which joins; nth 0: of its own. is_kept: its time is over, but the join has not closed.
CREATE TABLE errand_joined (
  joined INTEGER NOT NULL, seq INTEGER NOT NULL, nth INTEGER NOT NULL, is_kept INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (joined, seq)
) WITHOUT ROWID;
CREATE INDEX errand_joined_seq ON errand_joined (seq, nth);
CREATE INDEX errand_joined_kept ON errand_joined (joined, seq) WHERE is_kept = 1;
-- What comes after what: numbers of jobs or joins, which have one sequence. wanted: 1 well, 2 badly, 3 ended.
CREATE TABLE errand_after (
  node INTEGER NOT NULL, at INTEGER NOT NULL, before INTEGER NOT NULL, wanted INTEGER NOT NULL, is_live INTEGER NOT NULL, PRIMARY KEY (node, at)
) WITHOUT ROWID;
CREATE INDEX errand_after_before ON errand_after (before, node);
CREATE INDEX errand_after_live ON errand_after (before, node) WHERE is_live = 1;
-- Passes that were too much for one commit: tidy goes on behind the cursor. kind: see aftermath.ts.
CREATE TABLE errand_passes (kind INTEGER NOT NULL, node INTEGER NOT NULL, cursor INTEGER NOT NULL, PRIMARY KEY (kind, node)) WITHOUT ROWID;

-- Keys that bound their jobs: how much is held now. free_at: when room may come back to those that wait, by the passing of time alone.
CREATE TABLE errand_keys (key TEXT PRIMARY KEY, used INTEGER NOT NULL, free_at INTEGER) WITHOUT ROWID;
CREATE INDEX errand_keys_free ON errand_keys (free_at) WHERE free_at IS NOT NULL;
-- One for each start that counts.
CREATE TABLE errand_key_starts (
  key TEXT NOT NULL, until INTEGER NOT NULL, seq INTEGER NOT NULL, fence INTEGER NOT NULL, PRIMARY KEY (key, until, seq, fence)
) WITHOUT ROWID;
CREATE INDEX errand_key_starts_until ON errand_key_starts (until);
CREATE TABLE errand_key_waits (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, urgency INTEGER NOT NULL);
CREATE INDEX errand_key_waits_line ON errand_key_waits (key, urgency, seq);

-- Gates and needs under which jobs were handed out, and how many of these jobs run; starts under a limit's name, by rounded time.
CREATE TABLE errand_terms (id INTEGER PRIMARY KEY, terms TEXT NOT NULL UNIQUE, running INTEGER NOT NULL DEFAULT 0);
CREATE INDEX errand_terms_running ON errand_terms (id) WHERE running > 0;
CREATE TABLE errand_gate_starts (name TEXT NOT NULL, at INTEGER NOT NULL, starts INTEGER NOT NULL, PRIMARY KEY (name, at)) WITHOUT ROWID;
`;

/** New since version 3: members that run in a row may be one row. */
export const rowTables: string = `
-- Members of lanes that run in a row behind another: see laneRow.ts.
CREATE TABLE errand_rows (
  lane TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, jobs INTEGER NOT NULL, line INTEGER NOT NULL, keep INTEGER NOT NULL,
  process INTEGER NOT NULL, fence INTEGER NOT NULL, claim TEXT NOT NULL, started_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX errand_rows_fence ON errand_rows (fence);
`;

/** From version 1. Blocked members of lanes are told by errand_members from now on. */
export const fromVersion1: string = `
ALTER TABLE errand_ready ADD COLUMN since INTEGER;
ALTER TABLE errand_running ADD COLUMN terms INTEGER;
ALTER TABLE errand_running ADD COLUMN lane TEXT;
UPDATE errand_running SET lane = (SELECT j.lane FROM errand_jobs j WHERE j.seq = errand_running.seq);
UPDATE errand_jobs SET state = 0 WHERE state = 2;
INSERT INTO errand_numbers (line, what, value) VALUES (0, 4, 0);
${compositionTables}`;

/** From version 2. Ready jobs that were tried before stand apart. */
export const fromVersion2: string = `
UPDATE errand_ready SET line = (SELECT ${readyPlaceOf("j")} FROM errand_jobs j WHERE j.seq = errand_ready.seq);`;
