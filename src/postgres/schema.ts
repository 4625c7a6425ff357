/**
 * The tables, in a schema of their own. `@.` stands for that schema (see install.ts).
 *
 * A job's wide row is written at enqueue and, if its life is plain, never again: that it is ready is told by a narrow row of `ready`, that it runs by `claims` or
 * `running`, that it completed by `completions`, both many to a row (`state` 0). A member that its lane blocks is told by `members` (`state` 0, place 0). Every other
 * state stands in the wide row.
 */
import { compositionTables } from "./compositionTables.ts";

export const tables: string = `
CREATE TABLE @.meta (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE @.lines (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, queue text COLLATE "C" NOT NULL, task text COLLATE "C" NOT NULL, UNIQUE (queue, task));
CREATE TABLE @.keeps (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, completed bigint NOT NULL, skipped bigint NOT NULL, cancelled bigint NOT NULL, dead bigint NOT NULL,
  UNIQUE (completed, skipped, cancelled, dead)
);
-- Changes of how many jobs a line has in a state: appended, summed up by tidy. No hot row.
CREATE TABLE @.counts (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line int NOT NULL, state smallint NOT NULL, jobs bigint NOT NULL);

-- Numbers that only grow. Not the transaction's: they leave no dead rows, and what was rolled back is not given again.
CREATE SEQUENCE @.clock MINVALUE 0 START 0;
CREATE SEQUENCE @.fence MINVALUE 0 START 0;
CREATE SEQUENCE @.seqs;

CREATE TABLE @.jobs (
  seq bigint PRIMARY KEY, id text COLLATE "C" NOT NULL, line int NOT NULL, keep int NOT NULL, flags int NOT NULL,
  payload text NOT NULL, content text NOT NULL, enqueued_at bigint NOT NULL, urgency bigint NOT NULL, head_start bigint NOT NULL,
  due_at bigint NOT NULL, remember_until bigint, extra jsonb,
  state smallint NOT NULL DEFAULT 0, start_by bigint, lane text COLLATE "C", lane_width int, if_dead text, unique_key text COLLATE "C",
  attempts int NOT NULL DEFAULT 0, starts int NOT NULL DEFAULT 0, suspects int NOT NULL DEFAULT 0, has_died boolean NOT NULL DEFAULT false,
  since bigint, delayed_by text, checkpoint text, result text, history jsonb, reason text, ended_at bigint, is_poison boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX jobs_id ON @.jobs (id);
CREATE INDEX jobs_state ON @.jobs (state, seq) WHERE state > 0;
CREATE INDEX jobs_lane ON @.jobs (lane, seq) WHERE lane IS NOT NULL;
CREATE INDEX jobs_unique ON @.jobs (unique_key, seq) WHERE unique_key IS NOT NULL;

-- A job that must run alone stands under its line's negative. since: of those that many lanes admitted at once, whose wide rows are not written for it.
CREATE TABLE @.ready (line int NOT NULL, urgency bigint NOT NULL, seq bigint NOT NULL, flags int NOT NULL, since bigint, PRIMARY KEY (line, urgency, seq));
-- Below what nobody stands: see floors.ts.
CREATE TABLE @.floors (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place int NOT NULL, low bigint NOT NULL, is_raised boolean NOT NULL);
CREATE INDEX floors_n ON @.floors (place, n);
CREATE INDEX floors_raised ON @.floors (place, n) WHERE is_raised;
CREATE TABLE @.scheduled (due_at bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (due_at, seq));
-- What was handed out and has no more to it than its completion: one row for all jobs of a claim with the same line and keep. seqs: those that run still, in order.
-- What happens to one of them alone takes it out into a row of running: see claims.ts.
CREATE TABLE @.claims (
  fence bigint NOT NULL, line int NOT NULL, keep int NOT NULL, process int NOT NULL, claim text NOT NULL, started_at bigint NOT NULL, terms int,
  low bigint NOT NULL, beyond bigint NOT NULL, seqs bigint[] NOT NULL, is_mixed boolean NOT NULL DEFAULT false, PRIMARY KEY (fence, line, keep)
) WITH (toast_tuple_target = 8160);
ALTER TABLE @.claims ALTER COLUMN seqs SET STORAGE MAIN;
CREATE INDEX claims_process ON @.claims (process, fence);
CREATE INDEX claims_span ON @.claims USING gist (int8range(low, beyond));
CREATE TABLE @.running (
  seq bigint PRIMARY KEY, line int NOT NULL, keep int NOT NULL, flags int NOT NULL, process int NOT NULL,
  fence bigint NOT NULL, claim text NOT NULL, started_at bigint NOT NULL, is_cancelling boolean NOT NULL DEFAULT false, terms int, lane text COLLATE "C",
  -- Settled in a caller's transaction that has committed; what follows from it stands in the inbox.
  is_settled boolean NOT NULL DEFAULT false
);
CREATE INDEX running_cancelling ON @.running (process, seq) WHERE is_cancelling;
CREATE INDEX running_process ON @.running (process, seq);
CREATE INDEX running_settled ON @.running (fence) WHERE is_settled;
-- Completed jobs, many to a row: those of a block, which is their number >> 8, by their places in it. purge_at: when to look whether they may go; null: others see to it.
-- Without a key, and so refused its deletes where the app publishes all tables of its database, but for its identity.
CREATE TABLE @.completions (block bigint NOT NULL, ended_at bigint NOT NULL, purge_at bigint, places smallint[] NOT NULL);
ALTER TABLE @.completions REPLICA IDENTITY FULL;
CREATE INDEX completions_block ON @.completions (block, (places[1]));
CREATE INDEX completions_purge ON @.completions (purge_at) WHERE purge_at IS NOT NULL;
-- Ready and scheduled jobs that never started and must do so in time.
CREATE TABLE @.deadlines (start_by bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (start_by, seq));
-- When to look at ended jobs again: hints, one row for all that a verb ended with the same time.
CREATE TABLE @.purges (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL, seqs bigint[] NOT NULL);
CREATE INDEX purges_at ON @.purges (at, id);

-- Live members of lanes; place: 0 blocked, 1 admitted, 2 parked, 3 head (died with "block").
CREATE TABLE @.members (lane text COLLATE "C" NOT NULL, place smallint NOT NULL, seq bigint NOT NULL, width int NOT NULL, PRIMARY KEY (lane, place, seq));
-- Only lanes that are closed, or that tidy has work with.
CREATE TABLE @.lanes (lane text COLLATE "C" PRIMARY KEY, closed_by text, closed_at bigint, is_marked boolean NOT NULL);
CREATE INDEX lanes_marked ON @.lanes (lane) WHERE is_marked;
CREATE INDEX lanes_closed ON @.lanes (lane) WHERE closed_at IS NOT NULL;
-- Live jobs by unique key; and keys that outlive their job.
CREATE TABLE @.uniques (key text COLLATE "C" NOT NULL, seq bigint NOT NULL, PRIMARY KEY (key, seq));
CREATE TABLE @.windows (key text COLLATE "C" PRIMARY KEY, job_id text NOT NULL, until bigint NOT NULL);
CREATE INDEX windows_until ON @.windows (until);

CREATE TABLE @.processes (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, process text COLLATE "C" NOT NULL UNIQUE, since bigint NOT NULL, lease_until bigint NOT NULL,
  is_lost boolean NOT NULL DEFAULT false
);
CREATE INDEX processes_lease ON @.processes (is_lost, lease_until);

CREATE TABLE @.events (
  seq bigint PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, name text COLLATE "C" NOT NULL, payload text NOT NULL, content text NOT NULL,
  published_at bigint NOT NULL, purge_at bigint NOT NULL, ordered_by jsonb
);
CREATE INDEX events_name ON @.events (name, seq);
CREATE INDEX events_purge ON @.events (purge_at);
-- event: what a subscription hears.
CREATE TABLE @.notes (key text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, value text NOT NULL, written_at bigint NOT NULL, event text COLLATE "C");
CREATE INDEX notes_event ON @.notes (event, key) WHERE event IS NOT NULL;

CREATE TABLE @.tickets (
  place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL, ticket text COLLATE "C" NOT NULL, process int NOT NULL,
  mode text NOT NULL, permits int NOT NULL, fence bigint, UNIQUE (name, ticket)
);
CREATE INDEX tickets_process ON @.tickets (process);

-- What callers' own transactions have committed: taken in by the next verb, in order. kind: 'atom', 'outcome', or 'cancel' of a job that one of them holds.
CREATE TABLE @.inbox (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, body jsonb NOT NULL);
-- Names that what is in the inbox will have: "job <id>", "unique <key>", …
CREATE TABLE @.promised (name text COLLATE "C" PRIMARY KEY, id text NOT NULL, n bigint NOT NULL);
CREATE INDEX promised_n ON @.promised (n);
${compositionTables}`;

/** Of a job, as the functions work on it: its wide row, with what its narrow rows say. Only `move` changes its state. */
export const types: string = `
CREATE TYPE @.job AS (
  seq bigint, id text, line int, keep int, enqueued_at bigint, remember_until bigint, lane text, lane_width int, if_dead text, unique_key text,
  extra jsonb, state text, flags int, urgency bigint, head_start bigint, due_at bigint, start_by bigint, attempts int, starts int, suspects int,
  has_died boolean, delayed_by text, checkpoint text, result text, history jsonb, reason text, is_poison boolean, ended_at bigint, since bigint,
  process int, claim text, fence bigint, started_at bigint, is_cancelling boolean, running_flags int, terms int
);`;
