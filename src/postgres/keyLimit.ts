/** What jobs hold of the keys that bound them (G9): counts. Who gets room is decided in limitPasses.ts. */
import { flags } from "./flags.ts";

export const keyLimitFunctions: string = `
-- How much is held now. What counts no more is forgotten: its line may go on. By keys_pkey, key_starts_pkey.
CREATE FUNCTION @.use_key(_key text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _used int := (SELECT k.used FROM @.keys k WHERE k.key = _key);
  _over int;
BEGIN
  IF coalesce(_used, 0) <= 0 THEN RETURN coalesce(_used, 0); END IF;
  DELETE FROM @.key_starts s WHERE s.key = _key AND s.until <= @.now();
  GET DIAGNOSTICS _over = ROW_COUNT;
  IF _over > 0 THEN
    UPDATE @.keys k SET used = k.used - _over WHERE k.key = _key;
    IF _used = _over THEN PERFORM @.forget_key(_key); END IF;
    PERFORM @.gather('key_changes', _key);
  END IF;
  RETURN _used - _over;
END $$;

-- Where nothing is held, and nobody waits.
CREATE FUNCTION @.forget_key(_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.keys k WHERE k.key = _key AND k.used = 0 AND k.free_at IS NULL;
END $$;

-- Lines may go on where something was given back.
CREATE FUNCTION @.add_to_key(_key text, _amount int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.keys AS k (key, used) VALUES (_key, _amount) ON CONFLICT (key) DO UPDATE SET used = k.used + excluded.used;
  IF _amount < 0 THEN PERFORM @.gather('key_changes', _key); END IF;
END $$;

CREATE FUNCTION @.limits_of(_job @.job) RETURNS TABLE (key text, running bigint, starts bigint, every_ms bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF _job.flags & ${flags.hasKeyLimits} = 0 THEN RETURN; END IF;
  RETURN QUERY SELECT l ->> 'key', (l -> 'is' ->> 'running')::bigint, (l -> 'is' ->> 'starts')::bigint, @.ms(l -> 'is', 'everyMs')
  FROM jsonb_array_elements(_job.extra -> 'keyLimits') l;
END $$;

-- When a key has room again by the passing of time alone, with somebody who waits for it. By keys_free: the first.
CREATE FUNCTION @.first_free_at() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT k.free_at FROM @.keys k WHERE k.free_at IS NOT NULL ORDER BY k.free_at LIMIT 1);
END $$;

-- By key_starts_until: the first.
CREATE FUNCTION @.is_any_start_over() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((SELECT s.until FROM @.key_starts s ORDER BY s.until LIMIT 1) <= @.now(), false);
END $$;

-- Lines that may go on because time has passed. By keys_free.
CREATE FUNCTION @.note_freed(_limit int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(@.first_free_at() > @.now(), true) THEN RETURN; END IF;
  PERFORM @.gather_all('key_changes', ARRAY(SELECT k.key FROM @.keys k WHERE k.free_at IS NOT NULL AND k.free_at <= @.now() ORDER BY k.free_at LIMIT _limit));
END $$;

-- Starts that count no more are forgotten, also of keys that nobody asks for. Answers whether there may be more. By key_starts_until.
CREATE FUNCTION @.forget_ended_starts(_limit int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _key text;
BEGIN
  IF NOT @.is_any_start_over() THEN RETURN false; END IF;
  FOREACH _key IN ARRAY ARRAY(
    SELECT DISTINCT q.key FROM (SELECT s.key FROM @.key_starts s WHERE s.until <= @.now() ORDER BY s.until LIMIT _limit) q
  ) LOOP
    PERFORM @.use_key(_key);
  END LOOP;
  RETURN @.is_any_start_over();
END $$;

-- It became ready.
CREATE FUNCTION @.take_keys(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.keys AS k (key, used) SELECT l.key, count(*) FROM @.limits_of(_job) l GROUP BY l.key
  ON CONFLICT (key) DO UPDATE SET used = k.used + excluded.used;
END $$;

-- Before it leaves its state: what it held is given back, but for starts, which last. By key_waits_pkey.
CREATE FUNCTION @.leave_keys(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _key text;
BEGIN
  IF _job.state IN ('ready', 'running') THEN
    PERFORM @.add_to_key(l.key, -1) FROM @.limits_of(_job) l WHERE _job.state = 'ready' OR l.running IS NOT NULL;
  ELSIF _job.flags & ${flags.isLimited} <> 0 THEN
    PERFORM @.ungather('key_arrivals', _job.seq::text);
    DELETE FROM @.key_waits w WHERE w.seq = _job.seq RETURNING w.key INTO _key;
    IF _key IS NOT NULL THEN PERFORM @.gather('key_changes', _key); END IF;
  END IF;
END $$;

-- Its urgency has changed: so has its place in the line where it waits. By key_waits_pkey.
CREATE FUNCTION @.stand_anew(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _key text;
BEGIN
  UPDATE @.key_waits w SET urgency = _job.urgency WHERE w.seq = _job.seq RETURNING w.key INTO _key;
  IF _key IS NOT NULL THEN PERFORM @.gather('key_changes', _key); END IF;
END $$;

-- Of running jobs that ended. By jobs_pkey, into keys_pkey.
CREATE FUNCTION @.give_back_keys(_seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _keys text[];
BEGIN
  WITH back AS (
    INSERT INTO @.keys AS k (key, used)
    SELECT l ->> 'key', -count(*) FROM @.jobs j, jsonb_array_elements(j.extra -> 'keyLimits') l
    WHERE j.seq = ANY (_seqs) AND j.flags & ${flags.hasKeyLimits} <> 0 AND l -> 'is' -> 'running' IS NOT NULL GROUP BY 1
    ON CONFLICT (key) DO UPDATE SET used = k.used + excluded.used RETURNING key
  )
  SELECT array_agg(b.key) INTO _keys FROM back b;
  PERFORM @.gather_all('key_changes', _keys);
END $$;

-- They are handed out: what they held while they were ready counts from now on. By jobs_pkey.
CREATE FUNCTION @.count_starts(_seqs bigint[], _fence bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _keys text[];
BEGIN
  WITH started AS (
    INSERT INTO @.key_starts (key, until, seq, fence)
    SELECT l ->> 'key', @.now() + @.ms(l -> 'is', 'everyMs'), j.seq, _fence FROM @.jobs j, jsonb_array_elements(j.extra -> 'keyLimits') l
    WHERE j.seq = ANY (_seqs) AND j.flags & ${flags.hasKeyLimits} <> 0 AND l -> 'is' -> 'running' IS NULL RETURNING key
  )
  SELECT array_agg(s.key) INTO _keys FROM started s;
  PERFORM @.gather_all('key_changes', _keys);
END $$;

-- It is handed back, as if it had never been handed out. By key_starts_pkey.
CREATE FUNCTION @.take_starts_back(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _limit record;
BEGIN
  IF _job.flags & ${flags.hasKeyLimits} = 0 OR _job.started_at IS NULL OR _job.fence IS NULL THEN RETURN; END IF;
  FOR _limit IN SELECT l.key, l.every_ms FROM @.limits_of(_job) l WHERE l.running IS NULL LOOP
    DELETE FROM @.key_starts s WHERE s.key = _limit.key AND s.until = _job.started_at + _limit.every_ms AND s.seq = _job.seq AND s.fence = _job.fence;
    IF FOUND THEN PERFORM @.add_to_key(_limit.key, -1); END IF;
  END LOOP;
END $$;
`;
