/**
 * Which past the store has. A standby that is promoted, a backup that is recovered and a copy of the database go on from an earlier moment, and hold nothing of what
 * was told to clients since. So the store keeps by what it knows its own history: where the server's is another, it begins a new era.
 *
 * The timeline is a server's count of such turns; it stands in the names of its log files. (The control file tells it only after the next checkpoint, minutes later.)
 */

/**
 * What fences leap over with a new era, in µs: a day. The old server gave out fences that this one never heard of, above its own clock if its was ahead; they are
 * below this as long as the two clocks are less than a day apart. 2^53 has room for 80,000 leaps.
 */
const fenceLeap = 86_400_000_000;

export const eraFunctions: string = `
-- Null: the server does not tell, or not this role. 3 µs.
CREATE FUNCTION @.timeline() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN left(pg_walfile_name(pg_current_wal_lsn()), 8);
EXCEPTION WHEN OTHERS THEN
  BEGIN
    RETURN (SELECT lpad(upper(to_hex(c.timeline_id)), 8, '0') FROM pg_control_checkpoint() c);
  EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
  END;
END $$;

-- Null: as above.
CREATE FUNCTION @.server() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT s.system_identifier::text FROM pg_control_system() s);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

-- Timeline, server, database, table: a promotion, a point-in-time recovery, a copy of the database and a dump that was read in change one of them. 21 µs.
CREATE FUNCTION @.history() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY[@.timeline(), @.server(), (SELECT d.oid::text FROM pg_database d WHERE d.datname = current_database()), '@.meta'::regclass::oid::text];
END $$;

-- By primary key.
CREATE FUNCTION @.known_history() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT m.value::text[] FROM @.meta m WHERE m.key = 'history');
END $$;

-- What one of the two does not tell says nothing. A timeline that is smaller is one that the control file has not told yet.
CREATE FUNCTION @.is_other_history() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  _known text[] := @.known_history();
  _is text[] := @.history();
BEGIN
  RETURN coalesce(_is[1] > _known[1], false) OR coalesce(_is[2] <> _known[2], false) OR coalesce(_is[3] <> _known[3], false) OR coalesce(_is[4] <> _known[4], false);
END $$;

-- Under the write lock. All that was told to anybody is void, and told so with the next beat.
CREATE FUNCTION @.begin_era() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE @.meta m SET value = CASE m.key WHEN 'era' THEN gen_random_uuid()::text ELSE @.history()::text END WHERE m.key IN ('era', 'history');
  PERFORM setval('@.fence', greatest((SELECT f.last_value FROM @.fence f), @.now() * 1000) + ${fenceLeap});
END $$;

-- Under the write lock, before a fence is given: by the time that the first beat tells of a new era, others may have claimed. 9 µs.
CREATE FUNCTION @.leap_if_promoted() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF @.timeline() > (@.known_history())[1] THEN PERFORM @.begin_era(); END IF;
END $$;

-- For beats, which wait for no lock: where somebody else has it, he or a later beat begins the new era.
CREATE FUNCTION @.era() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF @.is_other_history() THEN
    IF pg_try_advisory_xact_lock(hashtextextended(@schema, 714)) THEN
      -- Somebody may have begun it just before.
      IF @.is_other_history() THEN PERFORM @.begin_era(); END IF;
    END IF;
  END IF;
  RETURN (SELECT m.value FROM @.meta m WHERE m.key = 'era');
END $$;
`;
