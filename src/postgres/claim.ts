/** Hands out the most urgent ready jobs of the asked lines. Costs O(lines + jobs), whatever waits behind closed lines. */
import { tidyMax } from "../core/defaults.ts";
import { standsAt } from "./floors.ts";
import { triedFrom } from "./readyPlace.ts";
import { verbSettings } from "./transaction.ts";

export const claimFunctions: string = `
-- settling: as verb_settle takes it, or absent.
CREATE FUNCTION @.verb_claim(_wanted jsonb, _stated bigint) RETURNS json ${verbSettings} AS $$
DECLARE
  _lines record;
  _claimed json;
  _settled jsonb := '[]';
BEGIN
  -- Looks first, without the write lock: a claim that settles nothing and would find nothing must not write.
  IF coalesce(_wanted -> 'settling', '[]') = '[]' THEN
    PERFORM @.begin_look(_stated);
    _lines := @.open_lines(_wanted);
    IF @.finds_nothing(_wanted, _lines._lines, _lines._queues, _lines._tasks) THEN
      RETURN json_build_object('answer', @.claim_answer(_wanted, greatest((SELECT f.last_value FROM @.fence f), @.now() * 1000, (_wanted ->> 'lastFence')::bigint) + 1,
        NULL, _settled, _lines._lines, _lines._tasks), 'isReadied', false);
    END IF;
  END IF;
  PERFORM @.begin_verb(_stated);
  PERFORM @.take_in_inbox();
  _settled := @.settle_asked(coalesce(_wanted -> 'settling', '[]'));
  PERFORM @.skip_late_ones(${tidyMax}), @.promote(${tidyMax}), @.note_freed(${tidyMax});
  PERFORM @.aftermath(${tidyMax});
  _settled := @.with_states(_settled);
  _claimed := @.hand_out(_wanted, _settled);
  RETURN json_build_object('answer', _claimed, 'isReadied', @.end_verb());
END $$;

-- Nothing is due, and no line that is asked for has anything to hand out. By primary keys.
CREATE FUNCTION @.finds_nothing(_wanted jsonb, _lines int[], _queues int[], _tasks text[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  _now bigint := @.now();
  _is_alone boolean := _wanted ->> 'alone' = 'only';
  _terms jsonb;
  _room jsonb;
  _queue jsonb;
BEGIN
  -- The usual case: in one of the lines somebody waits, and nothing holds him back.
  IF NOT _is_alone AND EXISTS (SELECT 1 FROM unnest(_queues, _tasks) l (queue, task) WHERE (_wanted -> 'terms' -> l.task) IS NULL
    AND (_wanted -> 'queues' -> (l.queue - 1) ->> 'slots')::int > 0) AND NOT @.has_suspects(_lines) THEN RETURN false; END IF;
  IF @.has_inbox() OR coalesce(@.first_due_at() <= _now, false) OR coalesce(@.first_deadline_at() < _now, false)
    OR coalesce(@.first_free_at() <= _now, false) THEN RETURN false; END IF;
  IF cardinality(_lines) = 0 THEN RETURN true; END IF;
  _room := @.room_under(_wanted -> 'terms', _tasks);
  FOR _at IN 1 .. cardinality(_lines) LOOP
    _terms := _wanted -> 'terms' -> _tasks[_at];
    _queue := _wanted -> 'queues' -> (_queues[_at] - 1);
    CONTINUE WHEN (_queue ->> 'slots')::int + (_queue ->> 'ahead')::int <= 0 OR (_terms ->> 'most')::int < 1
      OR ((_queue ->> 'slots')::int <= 0 AND @.is_gated(_terms)) OR NOT @.has_room(_room, _terms);
    IF _is_alone THEN
      IF EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt("-_lines[_at]")} LIMIT 1) THEN RETURN false; END IF;
    ELSIF EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt("_lines[_at]")} LIMIT 1) OR (coalesce((_terms ->> 'retriesMost')::int, 1) > 0
        AND EXISTS (SELECT 1 FROM @.ready r WHERE ${standsAt(`_lines[_at] + ${triedFrom}`)} LIMIT 1)) THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END $$;

CREATE FUNCTION @.hand_out(_wanted jsonb, _settled jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  _fence bigint := @.take_fence((_wanted ->> 'lastFence')::bigint);
  _lines record;
  _process record;
  _chosen record;
  _jobs json;
BEGIN
  _lines := @.open_lines(_wanted);
  _process := @.process_asking(_wanted ->> 'process');
  -- Something was taken back from a lost one: it must go on under a new id.
  IF cardinality(_lines._lines) > 0 AND _process._is_lost IS NOT TRUE THEN
    _chosen := @.choose(_wanted, _lines._lines, _lines._queues, _lines._tasks);
    IF cardinality(_chosen._seqs) > 0 THEN
      _jobs := @.start_jobs(@.lease_to(_process._id, _wanted ->> 'process', (_wanted ->> 'leaseMs')::bigint), _fence, _wanted ->> 'claim',
        @.hand_out_room(_wanted -> 'terms', _chosen._taken), _chosen._seqs, _chosen._rows);
      IF @.may_raise_floors('ready', _chosen._seqs) THEN PERFORM @.raise_floors_of_lines(_lines._lines); END IF;
    END IF;
  END IF;
  PERFORM @.aftermath(${tidyMax});
  RETURN @.claim_answer(_wanted, _fence, _jobs, _settled, _lines._lines, _lines._tasks);
END $$;

CREATE FUNCTION @.claim_answer(_wanted jsonb, _fence bigint, _jobs json, _settled jsonb, _lines int[], _tasks text[]) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  _next_due_ms bigint := @.next_due_ms(_wanted, _lines, _tasks);
BEGIN
  RETURN concat('{"now":', @.now(), ',"fence":', _fence, ',"jobs":', coalesce(_jobs, 'null'), ',"settled":', _settled, ',"nextDueMs":' || _next_due_ms,
    ',"hasSuspects":', CASE WHEN @.has_suspects(_lines) THEN 'true}' ELSE 'false}' END);
END $$;

-- When the next is due; or a key limit, or a limit of starts that keeps ready jobs waiting, has room again. Null: neither.
CREATE FUNCTION @.next_due_ms(_wanted jsonb, _lines int[], _tasks text[]) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  _at bigint := least(@.first_due_at(), @.first_free_at());
BEGIN
  IF _wanted -> 'terms' ?| _tasks THEN
    SELECT least(_at, min(@.free_at_under(_wanted -> 'terms' -> l.task))) INTO _at FROM unnest(_lines, _tasks) l (id, task)
      WHERE _wanted -> 'terms' -> l.task -> 'gates' IS NOT NULL AND ((SELECT r.seq FROM @.ready r WHERE ${standsAt("l.id")} LIMIT 1) IS NOT NULL OR (SELECT r.seq FROM @.ready r WHERE ${standsAt(`l.id + ${triedFrom}`)} LIMIT 1) IS NOT NULL
          OR (SELECT r.seq FROM @.ready r WHERE ${standsAt("-l.id")} LIMIT 1) IS NOT NULL);
  END IF;
  RETURN CASE WHEN _at IS NOT NULL THEN greatest(0, _at - @.now()) END;
END $$;
`;
