/** Reads a page. */
import { pageMax } from "../core/defaults.ts";
import { verbSettings } from "./transaction.ts";

/** How many rows are looked at for one page. The page may be short then, with a `next`. */
const walkMax = 20_000;

export const findFunctions: string = `
-- Its answer is json: rows are not read again on their way.
CREATE FUNCTION @.verb_find(_query jsonb, _stated bigint) RETURNS json ${verbSettings} AS $$
DECLARE
  _limit int := least((_query ->> 'limit')::int, ${pageMax});
  _rows json;
  _next text;
BEGIN
  IF NOT @.see_inbox(_stated) THEN RETURN '{"isReadied": true}'; END IF;
  PERFORM @.begin_look(_stated);
  IF _query ->> 'of' = 'gates' THEN
    _rows := @.gate_rows(ARRAY(SELECT jsonb_array_elements_text(_query -> 'names')));
  ELSIF _query ->> 'of' = 'joins' AND _query ? 'ids' THEN
    _rows := @.joins_with_ids(@.ids_in(_query));
  ELSIF _query ->> 'of' = 'jobs' AND _query ? 'ids' THEN
    _rows := @.jobs_with_ids(@.ids_in(_query));
  ELSIF _query ->> 'of' = 'jobs' THEN
    SELECT f._rows, f._next INTO _rows, _next FROM @.jobs_where(_query, _limit) f;
  ELSE
    SELECT coalesce(json_agg(q.found ORDER BY q.n) FILTER (WHERE q.n <= _limit), '[]'), max(q.place) FILTER (WHERE q.n = _limit AND q.all_found > _limit)
      INTO _rows, _next
      FROM (SELECT p.found, p.place, row_number() OVER () AS n, count(*) OVER () AS all_found FROM @.placed_rows(_query, _limit + 1) p) q;
  END IF;
  RETURN json_build_object('answer', CASE WHEN _next IS NULL THEN json_build_object('rows', _rows, 'now', @.now())
    ELSE json_build_object('rows', _rows, 'now', @.now(), 'next', _next) END, 'isReadied', false);
END $$;

CREATE FUNCTION @.ids_in(_query jsonb) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT ARRAY(SELECT i.id FROM jsonb_array_elements_text(_query -> 'ids') WITH ORDINALITY i (id, n) ORDER BY i.n LIMIT ${pageMax})
$$;

-- In the order of asking. By jobs_id.
CREATE FUNCTION @.jobs_with_ids(_ids text[]) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT @.job_rows(ARRAY(
    SELECT j.seq FROM unnest(_ids) WITH ORDINALITY i (id, n) CROSS JOIN LATERAL (SELECT j.seq FROM @.jobs j WHERE j.id = i.id OFFSET 0) j ORDER BY i.n)));
END $$;

-- Null where none is named; what is no place of ours is before all.
CREATE FUNCTION @.place_named(_after text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _after ~ '^[0-9]{1,18}$' THEN _after::bigint WHEN _after IS NOT NULL THEN 0 END
$$;

CREATE FUNCTION @.jobs_where(_query jsonb, _limit int, OUT _rows json, OUT _next text) LANGUAGE plpgsql AS $$
DECLARE
  _found record := @.find_seqs(_query -> 'where', @.place_named(_query ->> 'after'), _limit, coalesce((_query ->> 'newestFirst')::boolean, false), ${walkMax});
BEGIN
  _rows := @.job_rows(_found._seqs);
  _next := _found._next;
END $$;

-- In order; place is what a page's next names.
CREATE FUNCTION @.placed_rows(_query jsonb, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _of text := _query ->> 'of';
  _after text := coalesce(_query ->> 'after', '');
BEGIN
  CASE _of
    WHEN 'joins' THEN RETURN QUERY SELECT j.place, j.found FROM @.joins_within(_query, _limit) j;
    WHEN 'events' THEN RETURN QUERY SELECT * FROM @.event_rows(_query ->> 'name', _after, _limit);
    WHEN 'notes' THEN RETURN QUERY SELECT * FROM @.note_rows(_query ->> 'prefix', _after, _limit);
    WHEN 'processes' THEN RETURN QUERY SELECT * FROM @.process_rows(_after, _limit);
    WHEN 'lanes' THEN RETURN QUERY SELECT * FROM @.lane_rows(_after, _limit);
    WHEN 'locks' THEN RETURN QUERY SELECT * FROM @.lock_rows(_after, _limit);
  END CASE;
END $$;

-- By primary key, or events_name.
CREATE FUNCTION @.event_rows(_name text, _after text, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
  _from bigint := @.place_named(_after);
BEGIN
  IF _name IS NULL THEN
    RETURN QUERY SELECT e.seq::text, @.event_row(e) FROM @.events e WHERE e.seq > _from ORDER BY e.seq LIMIT _limit;
  ELSE
    RETURN QUERY SELECT e.seq::text, @.event_row(e) FROM @.events e WHERE e.name = _name AND e.seq > _from ORDER BY e.seq LIMIT _limit;
  END IF;
END $$;

CREATE FUNCTION @.event_row(_event @.events) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN jsonb_strip_nulls(jsonb_build_object('id', _event.id, 'name', _event.name, 'payload', _event.payload, 'publishedAt', _event.published_at,
    'orderedBy', _event.ordered_by));
END $$;

-- By primary key; up to what is above all keys that begin with _prefix.
CREATE FUNCTION @.note_rows(_prefix text, _after text, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
  _end text := CASE WHEN right(_prefix, 1) = '/' THEN left(_prefix, -1) || '0' ELSE _prefix || chr(1114111) END;
BEGIN
  RETURN QUERY SELECT n.key, @.note_row(n) FROM @.notes n WHERE n.key >= _prefix AND n.key < _end AND n.key > _after ORDER BY n.key LIMIT _limit;
END $$;

-- By UNIQUE (process); their jobs are counted by running_process.
CREATE FUNCTION @.process_rows(_after text, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT p.process, jsonb_build_object('process', p.process, 'leaseUntil', p.lease_until, 'since', p.since,
      'running', (SELECT count(*) FROM @.running r WHERE r.process = p.id AND NOT r.is_settled) + (SELECT coalesce(sum(cardinality(c.seqs)), 0) FROM @.claims c WHERE c.process = p.id))
    FROM @.processes p WHERE p.process > _after AND NOT p.is_lost ORDER BY p.process LIMIT _limit;
END $$;

-- By lanes_closed.
CREATE FUNCTION @.lane_rows(_after text, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT l.lane, jsonb_build_object('lane', l.lane, 'closedBy', l.closed_by, 'closedAt', l.closed_at)
    FROM @.lanes l WHERE l.closed_at IS NOT NULL AND l.lane > _after ORDER BY l.lane LIMIT _limit;
END $$;

-- By primary keys.
CREATE FUNCTION @.lock_rows(_after text, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT t.place::text, jsonb_build_object('name', t.name, 'mode', t.mode, 'ticket', t.ticket, 'process', p.process,
      'fence', coalesce(t.fence, 0), 'isGranted', t.fence IS NOT NULL)
    FROM @.tickets t CROSS JOIN LATERAL (SELECT p.process FROM @.processes p WHERE p.id = t.process OFFSET 0) p WHERE t.place > @.place_named(_after) ORDER BY t.place LIMIT _limit;
END $$;
`;
