/** Gives the room of key limits, at the end of each verb: to the most urgent first, of all that arrived and of all lines that may go on. */
export const limitPassFunctions: string = `
-- At most _limit in a verb; the rest is left to tidy. Those that just arrived stand in order, as do the firsts of lines: the most urgent of both is next.
CREATE FUNCTION @.give_room(_limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  -- Lines that were looked at: their time to come free may be another.
  _lines text[] := '{}';
  _keys text[] := '{}';
  _urgencies bigint[] := '{}';
  _seqs bigint[] := '{}';
  _arrived bigint[];
  _arrived_urgencies bigint[];
  _changed text[];
  _many record;
  _at int := 1;
  _line int;
  _key text;
  _urgency bigint;
  _seq bigint;
  _asked record;
BEGIN
  IF NOT @.is_gathered('key_arrivals') AND NOT @.is_gathered('key_changes') THEN RETURN; END IF;
  _arrived := @.take_gathered('key_arrivals')::bigint[];
  _changed := @.take_gathered('key_changes');
  _many := @.give_many_room(_arrived, _changed, _limit - @.tallied('given'));
  IF _many._is_changed_done THEN _changed := '{}'; END IF;
  -- By jobs_pkey.
  SELECT array_agg(j.seq ORDER BY j.urgency, j.seq), array_agg(j.urgency ORDER BY j.urgency, j.seq) INTO _arrived, _arrived_urgencies
    FROM @.jobs j WHERE j.seq = ANY (_many._left);
  FOREACH _key IN ARRAY _changed LOOP
    SELECT f._urgency, f._seq INTO _urgency, _seq FROM @.first_waiting(_key) f;
    IF _seq IS NOT NULL THEN
      _keys := _keys || _key;
      _urgencies := _urgencies || _urgency;
      _seqs := _seqs || _seq;
    END IF;
    _lines := _lines || _key;
  END LOOP;
  LOOP
    IF _line IS NULL THEN
      SELECT e.nth INTO _line FROM unnest(_urgencies, _seqs) WITH ORDINALITY e (urgency, seq, nth) WHERE e.seq IS NOT NULL ORDER BY e.urgency, e.seq LIMIT 1;
    END IF;
    IF _arrived[_at] IS NOT NULL AND (_line IS NULL OR (_arrived_urgencies[_at], _arrived[_at]) < (_urgencies[_line], _seqs[_line])) THEN
      _asked := @.ask_for_room(_arrived[_at], NULL);
      _lines := _lines || _asked._stands_behind;
      _at := _at + 1;
    ELSIF _line IS NULL THEN
      EXIT;
    ELSE
      _key := _keys[_line];
      _seq := NULL;
      IF @.tallied('given') < _limit THEN
        _asked := @.ask_for_room(_seqs[_line], _key);
        _lines := _lines || _asked._stands_behind;
        IF NOT _asked._stays THEN SELECT f._urgency, f._seq INTO _urgency, _seq FROM @.first_waiting(_key) f; END IF;
      END IF;
      _urgencies[_line] := _urgency;
      _seqs[_line] := _seq;
      _line := NULL;
    END IF;
  END LOOP;
  FOREACH _key IN ARRAY ARRAY(SELECT DISTINCT l.key FROM unnest(_lines) l (key) WHERE l.key IS NOT NULL) LOOP
    PERFORM @.tell_free_at(_key, @.key_free_at(_key));
  END LOOP;
END $$;

-- _key: of the line that it is the first of; null: it just arrived. _stays: its line cannot go on. _stands_behind: the limit in whose line it stands now.
CREATE FUNCTION @.ask_for_room(_seq bigint, _key text, OUT _stays boolean, OUT _stands_behind text) LANGUAGE plpgsql AS $$
DECLARE
  _urgency bigint;
  _limit record;
BEGIN
  _stays := false;
  SELECT j.urgency INTO _urgency FROM @.jobs j WHERE j.seq = _seq;
  -- Whether the others have room is asked when its own line has.
  FOR _limit IN
    SELECT l.key, coalesce(l.running, l.starts) AS most FROM @.jobs j, jsonb_array_elements(j.extra -> 'keyLimits') WITH ORDINALITY e (value, nth)
      CROSS JOIN LATERAL (SELECT e.value ->> 'key', (e.value -> 'is' ->> 'running')::bigint, (e.value -> 'is' ->> 'starts')::bigint) l (key, running, starts)
    WHERE j.seq = _seq ORDER BY (l.key = _key) IS NOT TRUE, e.nth
  LOOP
    CONTINUE WHEN @.has_key_room(_limit.key, _limit.most, _urgency, _seq);
    IF _limit.key = _key THEN
      _stays := true;
      RETURN;
    END IF;
    INSERT INTO @.key_waits (seq, key, urgency) VALUES (_seq, _limit.key, _urgency)
    ON CONFLICT (seq) DO UPDATE SET key = excluded.key, urgency = excluded.urgency;
    _stands_behind := _limit.key;
    RETURN;
  END LOOP;
  PERFORM @.take_its_place(@.job_at(_seq));
  -- Its line is gone on with by the caller.
  IF _key IS NOT NULL THEN PERFORM @.ungather('key_changes', _key); END IF;
END $$;

-- It passes a limit where nobody is ahead of it and its own number leaves room. By key_waits_line.
CREATE FUNCTION @.has_key_room(_key text, _most bigint, _urgency bigint, _seq bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN @.use_key(_key) < _most
    AND NOT EXISTS (SELECT 1 FROM @.key_waits w WHERE w.key = _key AND (w.urgency, w.seq) < (_urgency, _seq));
END $$;

-- One that had to wait takes its place among the ready as of now, so that many keys take turns.
CREATE FUNCTION @.take_its_place(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.tally('given');
  IF @.is_late(_job) THEN
    PERFORM @.skip_late(_job);
  ELSIF coalesce(_job.since, _job.enqueued_at) < @.now() THEN
    PERFORM @.place_job(_job, 'ready', jsonb_build_object('urgency', @.now() - _job.head_start));
  ELSE
    PERFORM @.place_job(_job, 'ready');
  END IF;
END $$;

-- When the first in the line may go on by the passing of time alone; at once where there was too much for one verb. By key_starts_pkey.
CREATE FUNCTION @.key_free_at(_key text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _first record := @.first_waiting(_key);
  _most bigint;
  _over bigint;
BEGIN
  SELECT coalesce((l -> 'is' ->> 'running')::bigint, (l -> 'is' ->> 'starts')::bigint) INTO _most
    FROM @.jobs j, jsonb_array_elements(j.extra -> 'keyLimits') l WHERE j.seq = _first._seq AND l ->> 'key' = _key LIMIT 1;
  IF _most IS NULL THEN RETURN NULL; END IF;
  _over := @.use_key(_key) - _most;
  IF _over < 0 THEN RETURN @.now(); END IF;
  RETURN (SELECT s.until FROM @.key_starts s WHERE s.key = _key ORDER BY s.until LIMIT 1 OFFSET _over);
END $$;

-- By keys_pkey; asked whether free_at IS NOT NULL, the server may walk keys_free instead.
CREATE FUNCTION @.tell_nobody_waits_for_time(_keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.keys k WHERE k.key = ANY (_keys) AND k.used = 0;
  UPDATE @.keys k SET free_at = NULL WHERE k.key = ANY (_keys) AND coalesce(k.free_at, -1) <> -1;
END $$;

CREATE FUNCTION @.tell_free_at(_key text, _at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _at IS NULL THEN
    UPDATE @.keys k SET free_at = NULL WHERE k.key = _key AND coalesce(k.free_at, -1) <> -1;
    PERFORM @.forget_key(_key);
  ELSE
    INSERT INTO @.keys AS k (key, used, free_at) VALUES (_key, 0, _at)
    ON CONFLICT (key) DO UPDATE SET free_at = excluded.free_at WHERE k.free_at IS DISTINCT FROM excluded.free_at;
  END IF;
END $$;

-- By key_waits_line. Both null: nobody waits.
CREATE FUNCTION @.first_waiting(_key text, OUT _urgency bigint, OUT _seq bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT w.urgency, w.seq INTO _urgency, _seq FROM @.key_waits w WHERE w.key = _key ORDER BY w.urgency, w.seq LIMIT 1;
END $$;
`;
