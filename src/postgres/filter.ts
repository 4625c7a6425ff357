/** Which jobs a filter means, found by the index that fits it best. */
import { runningOf } from "./claims.ts";
import { completionOf } from "./completions.ts";
import { countsPlace, floorOf } from "./floors.ts";
import { codeOf } from "./numbers.ts";
import { triedFrom } from "./readyPlace.ts";

/** Above that many, ready jobs and members of lanes are not sorted into the order of enqueue but found by walking it. */
const readySortMax = 20_000;

export const filterFunctions: string = `
-- In order, at most _limit of them; _next: where to go on, if the page or the walk was full. _walk_max: how many candidates are looked at, below 0 as many as
-- there are. _only: one condition more, on j, r, d, m and l. The statements are made for each call: their joins stand in the order in which they run, and jobs are looked at one by one (OFFSET 0).
CREATE FUNCTION @.find_seqs(_where jsonb, _after bigint, _limit int, _newest_first boolean, _walk_max int, _only text DEFAULT NULL,
  OUT _seqs bigint[], OUT _next bigint) LANGUAGE plpgsql SET join_collapse_limit = 1 AS $$
DECLARE
  _direction text := CASE WHEN _newest_first THEN ' DESC' ELSE ' ASC' END;
  _from bigint := coalesce(_after, CASE WHEN _newest_first THEN 9223372036854775807 ELSE 0 END);
  _candidates text := @.candidates_of(_where, _from, _newest_first, _walk_max) || ' ORDER BY 1' || _direction
    || CASE WHEN _walk_max < 0 THEN '' ELSE ' LIMIT ' || _walk_max END;
BEGIN
  EXECUTE 'SELECT ARRAY(SELECT c.seq FROM (' || _candidates || ') c CROSS JOIN LATERAL (SELECT j.* FROM @.jobs j WHERE j.seq = c.seq OFFSET 0) j ${runningOf}
      ${completionOf("j.seq", "j.state = 0 AND r.seq IS NULL")} LEFT JOIN LATERAL (SELECT m.seq FROM @.members m WHERE m.lane = j.lane AND m.place = 0 AND m.seq = j.seq OFFSET 0) m ON true JOIN @.lines l ON l.id = j.line
      WHERE ' || @.conditions_of(_where) || coalesce(' AND ' || _only, '') || ' ORDER BY c.seq' || _direction || ' LIMIT ' || _limit + 1 || ')' INTO _seqs;
  IF cardinality(_seqs) > _limit THEN
    _seqs := _seqs[1:_limit];
    _next := _seqs[_limit];
  ELSIF _walk_max >= 0 THEN
    -- The last candidate, if there may be more behind it.
    EXECUTE 'SELECT c.seq FROM (' || _candidates || ') c OFFSET ' || _walk_max - 1 INTO _next;
  END IF;
END $$;

-- By jobs_unique, jobs_lane, what belongs together, or the states; else by the primary key of jobs.
CREATE FUNCTION @.candidates_of(_where jsonb, _from bigint, _newest_first boolean, _walk_max int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _beyond text := CASE WHEN _newest_first THEN 'seq < ' ELSE 'seq > ' END || _from;
  _tied text;
  _arms text[];
BEGIN
  IF _where ? 'unique' THEN RETURN 'SELECT seq FROM @.jobs WHERE unique_key = ' || quote_literal(_where ->> 'unique') || ' AND ' || _beyond; END IF;
  IF _where ? 'lane' THEN RETURN 'SELECT seq FROM @.jobs WHERE lane = ' || quote_literal(_where ->> 'lane') || ' AND ' || _beyond; END IF;
  _tied := @.tied_candidates(_where, _from, _newest_first);
  IF _tied IS NOT NULL THEN RETURN _tied; END IF;
  IF _where ? 'states' THEN
    _arms := ARRAY(SELECT @.arm_of(s.state, _where, _beyond, _walk_max) FROM (SELECT DISTINCT jsonb_array_elements_text(_where -> 'states')) s (state));
    IF cardinality(_arms) = 0 THEN RETURN 'SELECT seq FROM @.jobs WHERE false'; END IF;
    IF array_position(_arms, NULL) IS NULL THEN RETURN array_to_string(_arms, ' UNION '); END IF;
  END IF;
  RETURN 'SELECT seq FROM @.jobs WHERE ' || _beyond;
END $$;

-- By the primary keys of the narrow tables, or jobs_state; null where walking jobs is better.
CREATE FUNCTION @.arm_of(_state text, _where jsonb, _beyond text, _walk_max int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _in_state text := 'SELECT seq FROM @.jobs WHERE state > 0 AND state = ' || @.code_of(_state) || ' AND ' || _beyond;
  _lines int[];
BEGIN
  IF _state = 'running' THEN
    RETURN 'SELECT seq FROM @.running WHERE ' || _beyond || ' UNION SELECT u.seq FROM @.claims c CROSS JOIN LATERAL unnest(c.seqs) u (seq) WHERE u.' || _beyond;
  END IF;
  IF _state = 'completed' THEN RETURN @.completed_beyond(_beyond, _walk_max); END IF;
  IF _state = 'blocked' THEN
    IF _walk_max >= 0 AND @.counted_in(NULL, '{${codeOf("blocked")}, ${codeOf("parked")}}') > ${readySortMax} THEN RETURN NULL; END IF;
    -- One that runs in a row is among the members: UNION, so that it is met once.
    RETURN _in_state || ' UNION SELECT seq FROM @.members WHERE place = 0 AND ' || _beyond;
  END IF;
  IF _state <> 'ready' THEN RETURN _in_state; END IF;
  _lines := @.lines_named(_where);
  IF _walk_max >= 0 AND @.counted_in(_lines, '{${codeOf("ready")}}') > ${readySortMax} THEN RETURN NULL; END IF;
  RETURN 'SELECT seq FROM @.ready WHERE line = ANY ('
    || quote_literal(ARRAY(SELECT p.place FROM unnest(_lines) i (id), LATERAL (VALUES (i.id), (-i.id), (i.id + ${triedFrom})) p (place))::text) || ') AND ' || _beyond;
END $$;

-- All lines: there are few.
CREATE FUNCTION @.lines_named(_where jsonb) RETURNS int[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT ARRAY(SELECT l.id FROM @.lines l WHERE l.queue = coalesce(_where ->> 'queue', l.queue) AND l.task = coalesce(_where ->> 'task', l.task) ORDER BY l.id));
END $$;

-- How many jobs these lines (null: all) have in these states. All counts: they are summed up by tidy.
CREATE FUNCTION @.counted_in(_lines int[], _states int[]) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(sum(c.jobs), 0) FROM @.counts c WHERE c.n >= ${floorOf(countsPlace)} AND c.state = ANY (_states) AND (_lines IS NULL OR c.line = ANY (_lines)));
END $$;

-- On j, r, d and m.
CREATE FUNCTION @.conditions_of(_where jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _conditions text[] := '{true}';
  _tied text := @.tied_conditions(_where);
BEGIN
  IF _where ? 'states' THEN
    _conditions := _conditions || coalesce((SELECT '(' || string_agg(@.is_in_state(s.state), ' OR ') || ')' FROM jsonb_array_elements_text(_where -> 'states') s (state)), 'false');
  END IF;
  IF _where ? 'queue' OR _where ? 'task' THEN _conditions := _conditions || ('j.line = ANY (' || quote_literal(@.lines_named(_where)::text) || ')'); END IF;
  IF _where ? 'lane' THEN _conditions := _conditions || ('j.lane = ' || quote_literal(_where ->> 'lane')); END IF;
  IF _where ? 'unique' THEN _conditions := _conditions || ('j.unique_key = ' || quote_literal(_where ->> 'unique')); END IF;
  RETURN array_to_string(_conditions || _tied, ' AND ');
END $$;

CREATE FUNCTION @.is_in_state(_state text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE _state
    WHEN 'running' THEN '(j.state = 0 AND r.seq IS NOT NULL)'
    WHEN 'completed' THEN '(j.state = 0 AND d.seq IS NOT NULL)'
    WHEN 'ready' THEN '(j.state = 0 AND r.seq IS NULL AND d.seq IS NULL AND m.seq IS NULL)'
    WHEN 'blocked' THEN '(j.state = ${codeOf("blocked")} OR (j.state = 0 AND r.seq IS NULL AND d.seq IS NULL AND m.seq IS NOT NULL))'
    ELSE 'j.state = ' || @.code_of(_state)
  END
$$;
`;
