/** Whether a job that is held waits, over whatever, for a join to close: as a member it would wait for itself for ever. */
import { beforeJoined, endedOf } from "./after.ts";
import { flags } from "./flags.ts";
import { joinStates } from "./join.ts";

/** How many things are looked at; beyond, it counts as waiting. */
const searchMax = 1_000;

export const waitsForFunctions: string = `
-- A wish is what must happen: 'end 7', a job or a join must end; or 'open 7', a join must open.
CREATE FUNCTION @.waits_for(_seq bigint, _join bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  _targets bigint[] := @.joins_around(_join);
  _wishes text[] := ARRAY['end ' || _seq];
  _at int := 1;
  _known jsonb := '{}';
  _found int := 0;
  _before text;
BEGIN
  WHILE _at <= cardinality(_wishes) LOOP
    IF starts_with(_wishes[_at], 'end ') AND split_part(_wishes[_at], ' ', 2)::bigint = ANY (_targets) THEN RETURN true; END IF;
    FOREACH _before IN ARRAY @.what_must_before(split_part(_wishes[_at], ' ', 2)::bigint, split_part(_wishes[_at], ' ', 1)) LOOP
      CONTINUE WHEN _known ? _before;
      IF _found >= ${searchMax} THEN RETURN true; END IF;
      _found := _found + 1;
      _known := _known || jsonb_build_object(_before, true);
      _wishes := _wishes || _before;
    END LOOP;
    _at := _at + 1;
  END LOOP;
  RETURN false;
END $$;

-- The join, and those it is within: they close after it. By primary key.
CREATE FUNCTION @.joins_around(_join bigint) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  _around bigint[] := '{}';
BEGIN
  WHILE _join IS NOT NULL LOOP
    _around := _around || _join;
    _join := (SELECT n.parent FROM @.joins n WHERE n.seq = _join);
  END LOOP;
  RETURN _around;
END $$;

-- By primary keys, joins_parent and joined_seq.
CREATE FUNCTION @.what_must_before(_node bigint, _is text) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  _join record;
BEGIN
  SELECT n.seq, n.state, n.parent INTO _join FROM @.joins n WHERE n.seq = _node;
  IF _join.seq IS NULL THEN
    IF NOT EXISTS (SELECT 1 FROM @.jobs j WHERE j.seq = _node AND j.flags & ${flags.isHeld} <> 0) THEN RETURN '{}'; END IF;
    RETURN @.open_before(_node) || @.to_open((SELECT m.joined FROM @.joined m WHERE m.seq = _node AND m.nth = 0 LIMIT 1));
  END IF;
  IF _is = 'end' THEN
    RETURN ARRAY['open ' || _node] || ARRAY(SELECT 'end ' || m.seq FROM @.joined m WHERE m.joined = _node ORDER BY m.seq LIMIT ${searchMax + 1})
      || ARRAY(SELECT 'end ' || n.seq FROM @.joins n WHERE n.parent = _node AND n.state < ${joinStates.closed} ORDER BY n.seq LIMIT ${searchMax + 1});
  END IF;
  IF _join.state = ${joinStates.open} THEN RETURN '{}'; END IF;
  RETURN @.open_before(_node) || @.to_open(_join.parent);
END $$;

CREATE FUNCTION @.to_open(_join bigint) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN _join IS NULL THEN '{}'::text[] ELSE ARRAY['open ' || _join] END;
END $$;

-- Those that have not ended. By primary keys.
CREATE FUNCTION @.open_before(_node bigint) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(SELECT 'end ' || q.before FROM (SELECT a.at, a.before, ${endedOf} AS ended FROM @.after a ${beforeJoined} WHERE a.node = _node) q
    WHERE q.ended = 0 ORDER BY q.at);
END $$;
`;
