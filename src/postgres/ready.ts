/** Ready work, line by line, merged by urgency as far as it is asked for (G8). Where nothing bounds it but how much is asked for, it is chosen at once. */
import { claimMax } from "../core/defaults.ts";
import { standsAt } from "./floors.ts";
import { flags } from "./flags.ts";
import { anyAlone, triedFrom } from "./readyPlace.ts";

/** It may not start any more: of a row r of \`ready\`. By primary key. */
export const isLateHead: string = `(r.flags & ${flags.hasStartBy} <> 0 AND coalesce((SELECT j.start_by < _now FROM @.jobs j WHERE j.seq = r.seq AND j.starts = 0), false))`;

/** Where jobs that run beside others stand, by the places of their queues in the claim. */
export const standing: string = `unnest(_lines || ARRAY(SELECT l.id + ${triedFrom} FROM unnest(_lines) WITH ORDINALITY l (id, nth) ORDER BY l.nth), _queues || _queues)`;

export const readyFunctions: string = `
-- Lines with ready jobs that the claim may take from, with their queues by place in the claim. A paused line is passed over. By UNIQUE (queue, task), then primary keys.
CREATE FUNCTION @.open_lines(_wanted jsonb, OUT _lines int[], OUT _queues int[], OUT _tasks text[]) LANGUAGE plpgsql STABLE AS $$
DECLARE
  _pauses text[] := @.pauses();
  _known text[] := ARRAY(SELECT jsonb_array_elements_text(_wanted -> 'tasks'));
BEGIN
  SELECT coalesce(array_agg(q.id), '{}'), coalesce(array_agg(q.nth), '{}'), coalesce(array_agg(q.task), '{}') INTO _lines, _queues, _tasks FROM (
    SELECT l.id, q.nth::int AS nth, l.task FROM jsonb_array_elements(_wanted -> 'queues') WITH ORDINALITY q (queue, nth)
      CROSS JOIN LATERAL (SELECT l.id, l.queue, l.task FROM @.lines l WHERE l.queue = q.queue ->> 'queue' AND l.task = ANY (_known) OFFSET 0) l
    WHERE (EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt("l.id")} LIMIT 1) OR EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt(`l.id + ${triedFrom}`)} LIMIT 1)
        OR EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt("-l.id")} LIMIT 1))
      AND (_pauses = '{}' OR NOT ('pause/queue/' || l.queue = ANY (_pauses) OR 'pause/task/' || l.task = ANY (_pauses))) ORDER BY q.nth, l.id) q;
END $$;

-- A twice suspect job waits in one of the lines. By primary key.
CREATE FUNCTION @.has_suspects(_lines int[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT ${anyAlone} THEN RETURN false; END IF;
  RETURN (SELECT EXISTS (SELECT 1 FROM unnest(_lines) l (id) WHERE (SELECT r.seq FROM @.ready r WHERE ${standsAt("-l.id")} LIMIT 1) IS NOT NULL));
END $$;

-- The chosen jobs, the most urgent first, those that follow one in a row right behind it; and their rows of ready, which followers have none of: others may come
-- to stand between them at any time. _taken: how many of each task with gates.
CREATE FUNCTION @.choose(_wanted jsonb, _lines int[], _queues int[], _tasks text[], OUT _seqs bigint[], OUT _rows tid[], OUT _taken jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _chosen record;
  _has_terms boolean := coalesce(_wanted -> 'terms' ?| _tasks, false);
  _has_rows boolean := coalesce((_wanted ->> 'inRow')::int, 1) > 1 AND _wanted ->> 'alone' <> 'only';
BEGIN
  IF NOT _has_terms AND (NOT _has_rows OR NOT @.begins_with_lane(_lines)) THEN
    _chosen := @.choose_at_once(_wanted, _lines, _queues);
    _seqs := _chosen._seqs;
    _rows := _chosen._rows;
    -- Behind none of them anybody may follow in a row.
    IF NOT _has_rows OR coalesce(_chosen._all_flags, 0) & ${flags.hasLane} = 0 THEN RETURN; END IF;
  END IF;
  IF NOT _has_terms THEN
    SELECT c.* INTO _seqs, _rows FROM @.choose_in_rows(_wanted, _lines, _queues) c;
    IF _seqs IS NOT NULL THEN RETURN; END IF;
  END IF;
  SELECT c.* INTO _seqs, _rows, _taken FROM @.choose_by_turns(_wanted, _lines, _queues, _tasks) c;
END $$;

-- The first of a line has a lane: then most have. By primary key.
CREATE FUNCTION @.begins_with_lane(_lines int[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM unnest(_lines) l (id)
    WHERE (SELECT r.flags & ${flags.hasLane} FROM @.ready r WHERE ${standsAt("l.id")} ORDER BY r.urgency, r.seq LIMIT 1) > 0);
END $$;

-- A queue is full, or stops before the first job with a lane once its slots are filled, and before a late one, which is beyond what one pass may skip.
-- Of each line a piece is read; a larger one where more of it may come before what was read of others. By primary key.
CREATE FUNCTION @.choose_at_once(_wanted jsonb, _lines int[], _queues int[], OUT _seqs bigint[], OUT _rows tid[], OUT _all_flags int) LANGUAGE plpgsql AS $$
DECLARE
  _is_alone boolean := _wanted ->> 'alone' = 'only';
  _now bigint := @.now();
  -- By queue.
  _slots int[] := ARRAY(SELECT greatest((e.queue ->> 'slots')::int, 0) FROM jsonb_array_elements(_wanted -> 'queues') WITH ORDINALITY e (queue, nth) ORDER BY e.nth);
  _mosts int[] := ARRAY(SELECT CASE WHEN _is_alone THEN least(1, s.slots) ELSE least(s.slots + greatest((_wanted -> 'queues' -> (s.nth - 1)::int ->> 'ahead')::int, 0), ${claimMax}) END
    FROM unnest(_slots) WITH ORDINALITY s (slots, nth) ORDER BY s.nth);
  _pieces int[];
  _is_short boolean;
  _standing int[];
  _of int[] := CASE WHEN _is_alone THEN _queues ELSE _queues || _queues END;
BEGIN
  IF cardinality(_lines) = 1 AND NOT _is_alone AND NOT EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt(`_lines[1] + ${triedFrom}`)} LIMIT 1) THEN
    SELECT array_agg(r.seq), array_agg(r.ctid), bit_or(r.flags) INTO _seqs, _rows, _all_flags
      FROM (SELECT r.seq, r.ctid, r.flags FROM @.ready r WHERE ${standsAt("_lines[1]")} ORDER BY r.urgency, r.seq LIMIT _mosts[_queues[1]]) r;
    IF _all_flags & ${flags.hasStartBy} = 0 AND (_all_flags & ${flags.hasLane} = 0 OR cardinality(_seqs) <= _slots[_queues[1]]) THEN RETURN; END IF;
  END IF;
  _standing := CASE WHEN _is_alone THEN ARRAY(SELECT -l.id FROM unnest(_lines) WITH ORDINALITY l (id, nth) ORDER BY l.nth)
    ELSE _lines || ARRAY(SELECT l.id + ${triedFrom} FROM unnest(_lines) WITH ORDINALITY l (id, nth) ORDER BY l.nth) END;
  _pieces := ARRAY(SELECT 4 + m.most * 3 / 2 / greatest(1, (SELECT count(*)::int FROM unnest(_queues) q (nth) WHERE q.nth = m.nth)) FROM unnest(_mosts) WITH ORDINALITY m (most, nth) ORDER BY m.nth);
  LOOP
    WITH heads AS (
      SELECT s.queue, r.ready_row, r.urgency, r.seq, r.flags, r.is_last, row_number() OVER (PARTITION BY s.queue ORDER BY r.urgency, r.seq) AS nth,
        ${isLateHead} AS is_late
      FROM unnest(_standing, _of) s (place, queue)
        CROSS JOIN LATERAL (SELECT r.urgency, r.seq, r.flags, r.ctid AS ready_row, row_number() OVER (ORDER BY r.urgency, r.seq) = _pieces[s.queue] AS is_last
          FROM @.ready r WHERE ${standsAt("s.place")} ORDER BY r.urgency, r.seq LIMIT least(_mosts[s.queue], _pieces[s.queue])) r
    ), judged AS MATERIALIZED (
      SELECT h.*, min(h.nth) FILTER (WHERE h.is_last) OVER q AS sure_to, min(h.nth) FILTER (WHERE h.is_late OR (h.flags & ${flags.hasLane} <> 0 AND h.nth > _slots[h.queue])) OVER q AS stop
      FROM heads h WHERE h.nth <= _mosts[h.queue] WINDOW q AS (PARTITION BY h.queue)
    ), chosen AS (
      SELECT j.* FROM judged j WHERE j.stop IS NULL OR j.nth < j.stop ORDER BY j.urgency, j.seq LIMIT CASE WHEN _is_alone THEN 1 ELSE ${claimMax} END
    )
    SELECT array_agg(c.seq ORDER BY c.urgency, c.seq), array_agg(c.ready_row ORDER BY c.urgency, c.seq), bit_or(c.flags),
        (SELECT bool_or(j.sure_to < _mosts[j.queue] AND (j.stop IS NULL OR j.stop > j.sure_to)) FROM judged j)
      INTO _seqs, _rows, _all_flags, _is_short FROM chosen c;
    EXIT WHEN _is_short IS NOT TRUE;
    _pieces := ARRAY(SELECT p.piece * 4 FROM unnest(_pieces) WITH ORDINALITY p (piece, nth) ORDER BY p.nth);
  END LOOP;
END $$;
`;
