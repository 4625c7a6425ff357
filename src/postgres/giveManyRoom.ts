/** The common cases of giving room, for many jobs at once: limits that have room for all that arrived, and lines of jobs with one limit alone. */
import { flags } from "./flags.ts";
import { readyPlaceOf } from "./readyPlace.ts";

export const giveManyRoomFunctions: string = `
-- Where one of the lines that may go on is more than common, all is left to be asked in order: its first may ask for other limits too.
-- _left: those that arrived and have to be asked one by one.
CREATE FUNCTION @.give_many_room(_arrived bigint[], _changed text[], _most int, OUT _left bigint[], OUT _is_changed_done boolean) LANGUAGE plpgsql AS $$
DECLARE
  -- By jobs_pkey.
  _named text[] := ARRAY(SELECT DISTINCT l ->> 'key' FROM @.jobs j, jsonb_array_elements(j.extra -> 'keyLimits') l WHERE j.seq = ANY (_arrived));
  _firsts record := @.firsts_with_room(_changed, _named, _most);
  _roomy bigint[];
BEGIN
  _left := _arrived;
  _is_changed_done := cardinality(_firsts._done) = cardinality(_changed);
  IF NOT _is_changed_done THEN RETURN; END IF;
  PERFORM @.take_their_places(_firsts._seqs), @.tell_nobody_waits_for_time(_changed);
  IF cardinality(_arrived) = 0 THEN RETURN; END IF;
  _roomy := @.arrived_with_room(_arrived);
  PERFORM @.take_their_places(_roomy);
  _left := ARRAY(SELECT e.seq FROM unnest(_arrived) e (seq) EXCEPT SELECT e.seq FROM unnest(_roomy) e (seq));
END $$;

-- Of those that arrived, the ones whose limits all have room for every one that arrived, with nobody in line: their order decides nothing.
-- By jobs_pkey, keys_pkey, key_waits_line.
CREATE FUNCTION @.arrived_with_room(_arrived bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _full text[];
BEGIN
  _full := ARRAY(
    SELECT n.key FROM (
      SELECT l ->> 'key' AS key, count(*) AS jobs, min(coalesce((l -> 'is' ->> 'running')::bigint, (l -> 'is' ->> 'starts')::bigint)) AS most
      FROM @.jobs j, jsonb_array_elements(j.extra -> 'keyLimits') l WHERE j.seq = ANY (_arrived) GROUP BY 1
    ) n WHERE EXISTS (SELECT 1 FROM @.key_waits w WHERE w.key = n.key OFFSET 0) OR @.use_key(n.key) + n.jobs > n.most);
  RETURN ARRAY(SELECT j.seq FROM @.jobs j WHERE j.seq = ANY (_arrived) AND j.start_by IS NULL
    AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(j.extra -> 'keyLimits') l WHERE l ->> 'key' = ANY (_full)));
END $$;

-- Of lines that may go on, and that nobody who arrived asks for (_named): their first, as many as have room, where these and the next have that limit alone, with
-- one number, and it bounds what runs.
-- _done: lines of which no more need be looked at; none if there were more than _most. By key_waits_line, then primary keys.
CREATE FUNCTION @.firsts_with_room(_keys text[], _named text[], _most int, OUT _seqs bigint[], OUT _done text[]) LANGUAGE plpgsql AS $$
BEGIN
  WITH lines AS (
    SELECT e.key, w.seqs FROM unnest(_keys) e (key)
      LEFT JOIN LATERAL (
        SELECT j.extra -> 'keyLimits' AS limits
        FROM (SELECT w.seq FROM @.key_waits w WHERE w.key = e.key ORDER BY w.urgency, w.seq LIMIT 1) w
          CROSS JOIN LATERAL (SELECT j.extra FROM @.jobs j WHERE j.seq = w.seq OFFSET 0) j
      ) f ON true
      CROSS JOIN LATERAL (SELECT CASE WHEN f.limits IS NULL THEN 0 ELSE greatest(0, (f.limits -> 0 -> 'is' ->> 'running')::bigint - @.use_key(e.key)) END AS room OFFSET 0) u
      CROSS JOIN LATERAL (
        SELECT (array_agg(w.seq ORDER BY w.urgency, w.seq))[:u.room] AS seqs, coalesce(bool_and(j.start_by IS NULL AND j.extra -> 'keyLimits' = f.limits), true) AS is_alike
        FROM (SELECT w.seq, w.urgency FROM @.key_waits w WHERE w.key = e.key ORDER BY w.urgency, w.seq LIMIT u.room + 1) w
          CROSS JOIN LATERAL (SELECT j.extra, j.start_by FROM @.jobs j WHERE j.seq = w.seq OFFSET 0) j
      ) w
    WHERE f.limits IS NULL OR (e.key <> ALL (_named) AND jsonb_array_length(f.limits) = 1 AND f.limits -> 0 -> 'is' -> 'running' IS NOT NULL AND w.is_alike
      AND NOT EXISTS (SELECT 1 FROM @.key_starts s WHERE s.key = e.key))
  )
  SELECT ARRAY(SELECT s.seq FROM lines l, unnest(l.seqs) s (seq)), ARRAY(SELECT l.key FROM lines l) INTO _seqs, _done;
  IF cardinality(_seqs) > _most THEN
    _seqs := '{}';
    _done := '{}';
  END IF;
END $$;

-- They take their place among the ready; one that had to wait, as of now. None of them may be late. By primary keys.
CREATE FUNCTION @.take_their_places(_seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _lines int[];
BEGIN
  IF cardinality(_seqs) = 0 THEN RETURN; END IF;
  WITH told AS (
    UPDATE @.jobs j SET state = 0, flags = j.flags & ~${flags.isLimited | flags.isHeld}, since = _now,
      urgency = CASE WHEN coalesce(j.since, j.enqueued_at) < _now THEN _now - j.head_start ELSE j.urgency END
    WHERE j.seq = ANY (_seqs) RETURNING j.seq, j.line, ${readyPlaceOf("j")} AS ready_place, j.urgency, j.flags, j.extra
  ), come AS (
    INSERT INTO @.ready (line, urgency, seq, flags) SELECT t.ready_place, t.urgency, t.seq, t.flags FROM told t
  ), held AS (
    INSERT INTO @.keys AS k (key, used) SELECT l ->> 'key', count(*) FROM told t, jsonb_array_elements(t.extra -> 'keyLimits') l GROUP BY 1
    ON CONFLICT (key) DO UPDATE SET used = k.used + excluded.used
  )
  SELECT array_agg(t.line) INTO _lines FROM told t;
  DELETE FROM @.key_waits w WHERE w.seq = ANY (_seqs);
  PERFORM @.count_moved(q.line, 'blocked', 'ready', q.jobs) FROM (SELECT e.line, count(*)::int AS jobs FROM unnest(_lines) e (line) GROUP BY e.line) q;
  PERFORM @.tally('given', cardinality(_lines)), @.tell_readied();
END $$;
`;
