/** The tables of what belongs together, comes after another, or is limited. Jobs that do none of it have no row in them. */
import { setAsideTables } from "./setAside.ts";

export const compositionTables: string = `
-- state: 0 staged, 1 waiting, 2 open, 3 closed, 4 removed. ended: 0 open, 1 well, 2 badly. purge_at is null while something holds it back.
CREATE TABLE @.joins (
  seq bigint PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, name text NOT NULL, content text NOT NULL, state smallint NOT NULL, ended smallint NOT NULL DEFAULT 0,
  parent bigint, size int, given int NOT NULL DEFAULT 0, members int NOT NULL DEFAULT 0, live int NOT NULL DEFAULT 0,
  succeeded int NOT NULL DEFAULT 0, failed int NOT NULL DEFAULT 0, is_cancelled boolean NOT NULL DEFAULT false, fate text, reason text, after jsonb,
  stored_at bigint NOT NULL, touched_at bigint NOT NULL, closed_at bigint, remember_until bigint, purge_at bigint,
  -- The last of its changes that its counts hold.
  folded bigint NOT NULL DEFAULT 0
);
CREATE INDEX joins_parent ON @.joins (parent, seq);
CREATE INDEX joins_staged ON @.joins (touched_at, seq) WHERE state = 0;
CREATE INDEX joins_purge ON @.joins (purge_at, seq) WHERE purge_at IS NOT NULL;
-- Changes of how many members a join has: appended by each verb, summed up by its row's readers, folded into the row when they are many. No hot row.
CREATE TABLE @.join_changes (
  joined bigint NOT NULL, n bigint GENERATED ALWAYS AS IDENTITY, members int NOT NULL, live int NOT NULL, succeeded int NOT NULL, failed int NOT NULL,
  given int NOT NULL, PRIMARY KEY (joined, n)
);
-- Which jobs are members of which joins; nth 0: of its own. is_kept: its time is over, but the join has not closed.
CREATE TABLE @.joined (joined bigint NOT NULL, seq bigint NOT NULL, nth int NOT NULL, is_kept boolean NOT NULL DEFAULT false, PRIMARY KEY (joined, seq));
CREATE INDEX joined_seq ON @.joined (seq, nth);
CREATE INDEX joined_kept ON @.joined (joined, seq) WHERE is_kept;
-- What comes after what: numbers of jobs or joins, which have one sequence. wanted: 1 well, 2 badly, 3 ended.
CREATE TABLE @.after (node bigint NOT NULL, at int NOT NULL, before bigint NOT NULL, wanted smallint NOT NULL, is_live boolean NOT NULL, PRIMARY KEY (node, at));
CREATE INDEX after_before ON @.after (before, node);
CREATE INDEX after_live ON @.after (before, node) WHERE is_live;
-- Passes that were too much for one commit: tidy goes on behind the cursor. kind: 1 members, 2 children, 3 kept, 4 followers, 5 look.
CREATE TABLE @.passes (kind smallint NOT NULL, node bigint NOT NULL, cursor bigint NOT NULL, PRIMARY KEY (kind, node));

-- Keys that bound their jobs: how much is held now. free_at: when room may come back to those that wait, by the passing of time alone.
CREATE TABLE @.keys (key text COLLATE "C" PRIMARY KEY, used int NOT NULL, free_at bigint);
CREATE INDEX keys_free ON @.keys (free_at) WHERE free_at IS NOT NULL;
-- One for each start that counts.
CREATE TABLE @.key_starts (key text COLLATE "C" NOT NULL, until bigint NOT NULL, seq bigint NOT NULL, fence bigint NOT NULL, PRIMARY KEY (key, until, seq, fence));
CREATE INDEX key_starts_until ON @.key_starts (until);
CREATE TABLE @.key_waits (seq bigint PRIMARY KEY, key text COLLATE "C" NOT NULL, urgency bigint NOT NULL);
CREATE INDEX key_waits_line ON @.key_waits (key, urgency, seq);

-- Gates and needs under which jobs were handed out, and how many of these jobs run; starts under a limit's name, by rounded time.
CREATE TABLE @.terms (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, terms jsonb NOT NULL UNIQUE, running int NOT NULL DEFAULT 0);
CREATE INDEX terms_running ON @.terms (id) WHERE running > 0;
CREATE TABLE @.gate_starts (name text COLLATE "C" NOT NULL, at bigint NOT NULL, starts int NOT NULL, PRIMARY KEY (name, at));
${setAsideTables}`;
