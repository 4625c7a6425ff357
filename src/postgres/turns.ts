/**
 * Ready work where tasks have terms, or where lanes are handed out in rows: the heads of all lines compete, one after the other. A task with fresh turns
 * competes with two heads in each line, of which the one whose turn it is counts.
 */
import { claimMax } from "../core/defaults.ts";
import { flags } from "./flags.ts";
import { triedFrom } from "./readyPlace.ts";

const noEnd = 2_147_483_647;
const everBelow = "9007199254740991";

export const turnFunctions: string = `
-- One that competes: a line as it stands in ready, in a span of urgency. What it hands out next stands at "at" of the heads that were read, which end at "upto".
CREATE TYPE @.contender AS (line int, place int, queue int, task int, is_fresh boolean, below bigint, after_urgency bigint, after_seq bigint, piece int, heads bigint[], rows tid[], at int, is_over boolean);

-- Reads on: urgency, seq and flags of each head. By primary key.
CREATE FUNCTION @.read_on(INOUT _one @.contender) LANGUAGE plpgsql AS $$
BEGIN
  SELECT array_agg(ARRAY[r.urgency, r.seq, r.flags]), array_agg(r.ctid) INTO _one.heads, _one.rows FROM (SELECT r.urgency, r.seq, r.flags, r.ctid FROM @.ready r
    WHERE r.line = _one.place AND (r.urgency, r.seq) > (_one.after_urgency, _one.after_seq) AND r.urgency < _one.below ORDER BY r.urgency, r.seq LIMIT _one.piece) r;
  _one.at := 1;
  _one.is_over := _one.rows IS NULL;
  IF _one.is_over THEN RETURN; END IF;
  _one.after_urgency := _one.heads[cardinality(_one.rows)][1];
  _one.after_seq := _one.heads[cardinality(_one.rows)][2];
  _one.piece := least(_one.piece * 2, ${claimMax});
END $$;

CREATE FUNCTION @.contenders_of(_wanted jsonb, _lines int[], _queues int[], _task_of int[], _totals int[], _slots int[], _fresh_from bigint[]) RETURNS @.contender[] LANGUAGE plpgsql AS $$
DECLARE
  _all @.contender[] := '{}';
  _one @.contender;
  _place int;
  _half boolean;
  -- What has a lane or a gate takes slots only, and others are few where one competes with them.
  _pieces int[] := ARRAY(SELECT least(greatest(1, s.slots + 1), ${claimMax}) FROM unnest(_slots) WITH ORDINALITY s (slots, nth) ORDER BY s.nth);
BEGIN
  FOR _at IN 1 .. cardinality(_lines) LOOP
    CONTINUE WHEN _totals[_queues[_at]] <= 0;
    FOREACH _place IN ARRAY CASE WHEN _wanted ->> 'alone' = 'only' THEN ARRAY[-_lines[_at]] ELSE ARRAY[_lines[_at], _lines[_at] + ${triedFrom}] END LOOP
      FOREACH _half IN ARRAY CASE WHEN _fresh_from[_task_of[_at]] IS NULL THEN ARRAY[NULL::boolean] ELSE ARRAY[true, false] END LOOP
        _one := (_lines[_at], _place, _queues[_at], _task_of[_at], _half, CASE WHEN _half IS FALSE THEN _fresh_from[_task_of[_at]] ELSE ${everBelow} END,
          CASE WHEN _half THEN _fresh_from[_task_of[_at]] - 1 ELSE @.floor_of(_place) - 1 END, CASE WHEN _half THEN ${everBelow} ELSE 0 END,
          _pieces[_queues[_at]], NULL, NULL, 1, false);
        _one := @.read_on(_one);
        IF NOT _one.is_over THEN _all := _all || _one; END IF;
      END LOOP;
    END LOOP;
  END LOOP;
  RETURN _all;
END $$;

-- As choose.
CREATE FUNCTION @.choose_by_turns(_wanted jsonb, _lines int[], _queues int[], _tasks text[], OUT _seqs bigint[], OUT _rows tid[], OUT _taken jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _is_alone boolean := _wanted ->> 'alone' = 'only';
  _in_row int := CASE WHEN _is_alone THEN 1 ELSE coalesce((_wanted ->> 'inRow')::int, 1) END;
  _left int := CASE WHEN _is_alone THEN 1 ELSE ${claimMax} END;
  _slots int[] := ARRAY(SELECT CASE WHEN _is_alone THEN least(1, q.slots) ELSE greatest(0, q.slots) END
    FROM (SELECT (e.queue ->> 'slots')::int AS slots, e.nth FROM jsonb_array_elements(_wanted -> 'queues') WITH ORDINALITY e (queue, nth)) q ORDER BY q.nth);
  _ahead int[] := ARRAY(SELECT CASE WHEN _is_alone THEN 0 ELSE greatest(0, (e.queue ->> 'ahead')::int) END
    FROM jsonb_array_elements(_wanted -> 'queues') WITH ORDINALITY e (queue, nth) ORDER BY e.nth);
  -- By task: each once.
  _names text[] := ARRAY(SELECT DISTINCT t.task FROM unnest(_tasks) t (task) ORDER BY 1);
  _terms jsonb[] := ARRAY(SELECT _wanted -> 'terms' -> n.task FROM unnest(_names) WITH ORDINALITY n (task, nth) ORDER BY n.nth);
  _is_gated boolean[] := ARRAY(SELECT @.is_gated(t.terms) FROM unnest(_terms) WITH ORDINALITY t (terms, nth) ORDER BY t.nth);
  _most int[] := ARRAY(SELECT coalesce((t.terms ->> 'most')::int, ${noEnd}) FROM unnest(_terms) WITH ORDINALITY t (terms, nth) ORDER BY t.nth);
  _retries int[] := ARRAY(SELECT coalesce((t.terms ->> 'retriesMost')::int, ${noEnd}) FROM unnest(_terms) WITH ORDINALITY t (terms, nth) ORDER BY t.nth);
  _fresh_from bigint[] := ARRAY(SELECT (t.terms ->> 'freshFrom')::numeric::bigint FROM unnest(_terms) WITH ORDINALITY t (terms, nth) ORDER BY t.nth);
  _handed_out int[] := array_fill(0, ARRAY[cardinality(_names)]);
  _room jsonb := @.room_under(_wanted -> 'terms', _names);
  _all @.contender[] := @.contenders_of(_wanted, _lines, _queues, ARRAY(SELECT array_position(_names, t.task) FROM unnest(_tasks) WITH ORDINALITY t (task, nth) ORDER BY t.nth),
    ARRAY(SELECT s + a FROM unnest(_slots, _ahead) WITH ORDINALITY t (s, a, nth) ORDER BY t.nth), _slots, _fresh_from);
  _has_turns boolean := EXISTS (SELECT 1 FROM unnest(_fresh_from) f (at) WHERE f.at IS NOT NULL);
  _best int;
  _one @.contender;
  _seq bigint;
  _flagged int;
  _row bigint[];
  _may boolean;
BEGIN
  _seqs := '{}';
  _rows := '{}';
  _all := @.without_spent(_all, _retries);
  WHILE _left > 0 LOOP
    _best := @.first_of(_all, CASE WHEN _has_turns THEN _handed_out END);
    EXIT WHEN _best IS NULL;
    _one := _all[_best];
    _seq := _one.heads[_one.at][2];
    _flagged := _one.heads[_one.at][3];
    _may := _slots[_one.queue] + _ahead[_one.queue] > 0 AND _most[_one.task] >= 1
      AND @.has_room(_room, _terms[_one.task]);
    -- Only jobs without a lane or a gate are held ahead. A late one here is beyond what one pass may skip: the next claim goes on with them.
    IF _may AND ((_slots[_one.queue] = 0 AND (_flagged & ${flags.hasLane} <> 0 OR _is_gated[_one.task]))
        OR (_flagged & ${flags.hasStartBy} <> 0 AND EXISTS (SELECT 1 FROM @.jobs j WHERE j.seq = _seq AND j.starts = 0 AND j.start_by < _now))) THEN
      _may := false;
      _slots[_one.queue] := 0;
      _ahead[_one.queue] := 0;
    END IF;
    IF NOT _may THEN
      FOR _at IN 1 .. cardinality(_all) LOOP
        IF (_all[_at]).place = _one.place THEN _all[_at].is_over := true; END IF;
      END LOOP;
      CONTINUE;
    END IF;
    IF _slots[_one.queue] > 0 THEN _slots[_one.queue] := _slots[_one.queue] - 1; ELSE _ahead[_one.queue] := _ahead[_one.queue] - 1; END IF;
    _row := '{}';
    IF _in_row > 1 AND _flagged & ${flags.hasLane} <> 0 AND NOT _is_gated[_one.task] AND _retries[_one.task] = ${noEnd} THEN
      _row := @.followers_of(_seq, least(_in_row - 1, _ahead[_one.queue], _left - 1, _most[_one.task] - 1));
      _ahead[_one.queue] := _ahead[_one.queue] - cardinality(_row);
    END IF;
    _seqs := _seqs || _seq || _row;
    _rows := _rows || _one.rows[_one.at] || array_fill(NULL::tid, ARRAY[cardinality(_row)]);
    _left := _left - 1 - cardinality(_row);
    _handed_out[_one.task] := _handed_out[_one.task] + 1 + cardinality(_row);
    IF _terms[_one.task] IS NOT NULL THEN
      IF _most[_one.task] <> ${noEnd} THEN _most[_one.task] := _most[_one.task] - 1 - cardinality(_row); END IF;
      IF _one.place > ${triedFrom} AND _retries[_one.task] <> ${noEnd} THEN _retries[_one.task] := _retries[_one.task] - 1; END IF;
      IF _is_gated[_one.task] THEN _room := @.take_room(_room, _terms[_one.task], 1); END IF;
    END IF;
    IF _one.at = cardinality(_one.rows) THEN _all[_best] := @.read_on(_one); ELSE _all[_best].at := _one.at + 1; END IF;
    IF _one.place > ${triedFrom} AND _retries[_one.task] < 1 THEN _all := @.without_spent(_all, _retries); END IF;
  END LOOP;
  SELECT jsonb_object_agg(n.name, n.jobs) INTO _taken FROM unnest(_names, _handed_out, _is_gated) n (name, jobs, gated) WHERE n.gated AND n.jobs > 0;
END $$;

-- Those that were tried before are passed over once enough of them are handed out, and have no turns: their queue goes on.
CREATE FUNCTION @.without_spent(INOUT _all @.contender[], _retries int[]) LANGUAGE plpgsql AS $$
BEGIN
  FOR _at IN 1 .. cardinality(_all) LOOP
    IF (_all[_at]).place > ${triedFrom} AND _retries[(_all[_at]).task] < 1 THEN _all[_at].is_over := true; END IF;
  END LOOP;
END $$;

-- The one whose head is the most urgent. Where tasks take turns (_handed_out by task), fresh comes first, third, …; whichever has none left gives its turns away.
CREATE FUNCTION @.first_of(_all @.contender[], _handed_out int[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _one @.contender;
  _at int := 0;
  _best int;
  _urgency bigint;
  _seq bigint;
BEGIN
  FOREACH _one IN ARRAY _all LOOP
    _at := _at + 1;
    CONTINUE WHEN _one.is_over OR (_best IS NOT NULL AND (_one.heads[_one.at][1], _one.heads[_one.at][2]) > (_urgency, _seq));
    IF _one.is_fresh IS NOT NULL AND _one.is_fresh <> (_handed_out[_one.task] % 2 = 0) THEN
      CONTINUE WHEN EXISTS (SELECT 1 FROM unnest(_all) o WHERE o.task = _one.task AND o.is_fresh <> _one.is_fresh AND NOT o.is_over);
    END IF;
    _best := _at;
    _urgency := _one.heads[_one.at][1];
    _seq := _one.heads[_one.at][2];
  END LOOP;
  RETURN _best;
END $$;
`;
