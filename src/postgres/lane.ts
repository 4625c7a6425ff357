/** A lane: jobs with one key, admitted `width` at a time in the order of enqueue (G7). Here its rows; what happens to the jobs is in lanePasses.ts. */
import { claimMax } from "../core/defaults.ts";

/**
 * Where a live member stands. A `head` died with "block": while there is one, nobody is admitted. One that runs in a row behind another stays at `blocked`,
 * so that starting it costs its lane no write; while it is the first there, nobody is admitted either.
 */
export const places = { blocked: 0, admitted: 1, parked: 2, head: 3 } as const;

const allPlaces = `(VALUES (${places.admitted}), (${places.blocked}), (${places.parked}), (${places.head})) p (place)`;

/** All by members_pkey and lanes_pkey, then by running_pkey. */
export const laneFunctions: string = `
-- A new or redriven member takes its place. Answers what it is now.
CREATE FUNCTION @.arrive(_lane text, _seq bigint, _width int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _place text := 'blocked';
  _found record;
BEGIN
  -- Mostly somebody waits before it already, and nothing more need be asked.
  IF NOT coalesce((SELECT m.seq < _seq FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT 1), false)
    OR EXISTS (SELECT 1 FROM @.lanes l WHERE l.lane = _lane) THEN
    _found := @.standing_before(_lane, _seq);
    IF _found._is_closed THEN
      _place := 'parked';
    ELSIF (_found._first IS NULL OR _seq < _found._first) AND NOT _found._has_head AND _found._admitted < _width THEN
      _place := 'admitted';
    END IF;
  END IF;
  INSERT INTO @.members (lane, place, seq, width)
  VALUES (_lane, CASE _place WHEN 'parked' THEN ${places.parked} WHEN 'admitted' THEN ${places.admitted} ELSE ${places.blocked} END, _seq, _width);
  RETURN _place;
END $$;

-- One that was let go stands in line; who is admitted is seen when all have come.
CREATE FUNCTION @.join_line(_lane text, _seq bigint, _width int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _found record := @.standing_before(_lane, _seq);
BEGIN
  INSERT INTO @.members (lane, place, seq, width)
  VALUES (_lane, CASE WHEN _found._is_closed THEN ${places.parked} ELSE ${places.blocked} END, _seq, _width);
  PERFORM @.gather('lanes', _lane);
  RETURN CASE WHEN _found._is_closed THEN 'parked' ELSE 'blocked' END;
END $$;

-- The member to be admitted now, or null. Those that were parked and are not sorted back yet keep their order.
CREATE FUNCTION @.next_of(_lane text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _found record := @.standing_of(_lane);
  _width int;
BEGIN
  IF _found._first IS NULL OR _found._is_closed OR _found._has_head OR _found._is_first_running THEN RETURN NULL; END IF;
  IF _found._admitted = 0 THEN RETURN _found._first; END IF;
  SELECT m.width INTO _width FROM @.members m WHERE m.ctid = @.member_row(_lane, _found._first);
  RETURN CASE WHEN _found._admitted < _width THEN _found._first END;
END $$;

-- Those that run in a row behind others must not be overtaken by one that comes before them now.
CREATE FUNCTION @.standing_before(_lane text, _seq bigint, OUT _is_closed boolean, OUT _admitted int, OUT _has_head boolean, OUT _first bigint,
    OUT _is_first_running boolean) LANGUAGE plpgsql AS $$
DECLARE
  _found record := @.standing_of(_lane);
BEGIN
  IF _found._is_first_running AND _seq < _found._first THEN
    PERFORM @.admit_followers(_lane);
    _found := @.standing_of(_lane);
  END IF;
  _is_closed := _found._is_closed;
  _admitted := _found._admitted;
  _has_head := _found._has_head;
  _first := _found._first;
  _is_first_running := _found._is_first_running;
END $$;

-- All that decides who is next. _first: of those that wait. _is_first_running: in a row behind one that has ended.
-- Counts no more than a lane's width. (min(seq) may read the whole lane.) A lane without members is forgotten, whenever that is found.
CREATE FUNCTION @.standing_of(_lane text, OUT _is_closed boolean, OUT _admitted int, OUT _has_head boolean, OUT _first bigint, OUT _is_first_running boolean)
LANGUAGE plpgsql AS $$
DECLARE
  _is_known boolean;
  _blocked bigint;
  _parked bigint;
BEGIN
  SELECT (SELECT count(*) FROM @.members m WHERE m.lane = _lane AND m.place = ${places.admitted}),
      EXISTS (SELECT 1 FROM @.members m WHERE m.lane = _lane AND m.place = ${places.head}),
      (SELECT m.seq FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT 1),
      (SELECT m.seq FROM @.members m WHERE m.lane = _lane AND m.place = ${places.parked} ORDER BY m.seq LIMIT 1),
      EXISTS (SELECT 1 FROM @.lanes l WHERE l.lane = _lane), EXISTS (SELECT 1 FROM @.lanes l WHERE l.lane = _lane AND l.closed_at IS NOT NULL)
    INTO _admitted, _has_head, _blocked, _parked, _is_known, _is_closed;
  _first := least(_blocked, _parked);
  _is_first_running := _first = _blocked AND EXISTS (SELECT 1 FROM @.running r WHERE r.seq = _blocked);
  _is_first_running := coalesce(_is_first_running, false);
  IF _is_known AND _admitted = 0 AND NOT _has_head AND _first IS NULL THEN
    DELETE FROM @.lanes l WHERE l.lane = _lane;
    _is_closed := false;
  END IF;
END $$;

-- Those that run in a row behind others count as admitted from here on. They are the first of those at place 0, as many as a row may be long at most.
CREATE FUNCTION @.admit_followers(_lane text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _rows tid[];
BEGIN
  IF NOT @.is_row_first(_lane) THEN RETURN; END IF;
  _rows := ARRAY(SELECT q.row FROM (
      SELECT m.ctid AS row, m.seq FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT ${claimMax}
    ) q CROSS JOIN LATERAL (SELECT 1 FROM @.running r WHERE r.seq = q.seq OFFSET 0) r);
  UPDATE @.members m SET place = ${places.admitted} WHERE m.ctid = ANY (_rows);
END $$;

-- A row stands at the beginning of those at place 0.
CREATE FUNCTION @.is_row_first(_lane text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  _first bigint := (SELECT m.seq FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT 1);
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.running r WHERE r.seq = _first);
END $$;

-- One of those that run in a row comes back: the others are a row no more.
CREATE FUNCTION @.break_row(_lane text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.admit_followers(_lane);
END $$;

-- Whether a member that was enqueued before it lives.
CREATE FUNCTION @.is_any_before(_lane text, _seq bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM ${allPlaces} CROSS JOIN LATERAL (
    SELECT 1 FROM @.members m WHERE m.lane = _lane AND m.place = p.place AND m.seq < _seq LIMIT 1) m);
END $$;

-- Whether a member that was enqueued before it is admitted, or runs in a row. No more of those at place 0 are looked at than a row may be long.
CREATE FUNCTION @.is_any_admitted_before(_lane text, _seq bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.members m WHERE m.lane = _lane AND m.place = ${places.admitted} AND m.seq < _seq)
    OR EXISTS (SELECT 1 FROM (
        SELECT m.seq FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} AND m.seq < _seq ORDER BY m.seq LIMIT ${claimMax}
      ) q WHERE EXISTS (SELECT 1 FROM @.running r WHERE r.seq = q.seq OFFSET 0));
END $$;

-- Where its row is. Place by place: asked for all of them at once, the server may walk the whole lane.
CREATE FUNCTION @.member_row(_lane text, _seq bigint) RETURNS tid LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT m.row FROM ${allPlaces} CROSS JOIN LATERAL (
    SELECT m.ctid AS row FROM @.members m WHERE m.lane = _lane AND m.place = p.place AND m.seq = _seq OFFSET 0) m LIMIT 1);
END $$;

CREATE FUNCTION @.put_member(_lane text, _seq bigint, _place int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE @.members m SET place = _place WHERE m.ctid = @.member_row(_lane, _seq) AND m.place <> _place;
END $$;

-- It ended: its lane may have room now, or have nobody left.
CREATE FUNCTION @.leave_lane(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _job.lane IS NULL THEN RETURN; END IF;
  DELETE FROM @.members m WHERE m.ctid = @.member_row(_job.lane, _job.seq);
  PERFORM @.gather('lanes', _job.lane);
END $$;

-- Members of many lanes that ran, and have ended: admitted, or of a row at place 0. Those without a lane are passed over.
CREATE FUNCTION @.leave_lanes(_lanes text[], _seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _rows tid[];
BEGIN
  _rows := ARRAY(SELECT (SELECT m.row FROM ${allPlaces} CROSS JOIN LATERAL (
    SELECT m.ctid AS row FROM @.members m WHERE m.lane = e.lane AND m.place = p.place AND m.seq = e.seq OFFSET 0) m LIMIT 1
  ) FROM unnest(_lanes, _seqs) e (lane, seq) WHERE e.lane IS NOT NULL);
  DELETE FROM @.members m WHERE m.ctid = ANY (_rows);
  PERFORM @.gather_all('lanes', array_remove(_lanes, NULL));
END $$;

CREATE FUNCTION @.first_member(_lane text, _place int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT m.seq FROM @.members m WHERE m.lane = _lane AND m.place = _place ORDER BY m.seq LIMIT 1);
END $$;

CREATE FUNCTION @.members_at(_lane text, _place int, _limit int) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(SELECT m.seq FROM @.members m WHERE m.lane = _lane AND m.place = _place ORDER BY m.seq LIMIT _limit);
END $$;

-- It is the head of its lane.
CREATE FUNCTION @.is_held_by(_job @.job) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.members m WHERE m.lane = _job.lane AND m.place = ${places.head} AND m.seq = _job.seq);
END $$;

-- Both null: it is open.
CREATE FUNCTION @.closed_by(_lane text, OUT _by text, OUT _at bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT l.closed_by, l.closed_at INTO _by, _at FROM @.lanes l WHERE l.lane = _lane AND l.closed_at IS NOT NULL;
END $$;

CREATE FUNCTION @.is_closed(_lane text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.lanes l WHERE l.lane = _lane AND l.closed_at IS NOT NULL);
END $$;

-- One that is closed already stays closed by the first.
CREATE FUNCTION @.close_lane(_lane text, _by text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.lanes AS l (lane, closed_by, closed_at, is_marked) VALUES (_lane, _by, @.now(), true)
  ON CONFLICT (lane) DO UPDATE SET closed_by = coalesce(l.closed_by, excluded.closed_by), closed_at = coalesce(l.closed_at, excluded.closed_at), is_marked = true;
END $$;

CREATE FUNCTION @.open_lane(_lane text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE @.lanes l SET closed_by = NULL, closed_at = NULL, is_marked = true WHERE l.lane = _lane;
  PERFORM @.gather('lanes', _lane);
END $$;

-- Tidy has work with it.
CREATE FUNCTION @.mark_lane(_lane text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.lanes (lane, is_marked) VALUES (_lane, true) ON CONFLICT (lane) DO UPDATE SET is_marked = true;
END $$;

CREATE FUNCTION @.unmark_lane(_lane text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.lanes l WHERE l.lane = _lane AND l.closed_at IS NULL;
  UPDATE @.lanes l SET is_marked = false WHERE l.lane = _lane;
END $$;
`;
