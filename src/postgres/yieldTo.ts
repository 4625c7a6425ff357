/** A waiting job yields to a newcomer with its unique key: it keeps its id and its place in lane and enqueue order, and does what the new one is to do. */
import { flags } from "./flags.ts";

export const yieldFunctions: string = `
CREATE FUNCTION @.yield_to(INOUT _job @.job, _work jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _mode jsonb := _work -> 'unique' -> 'mode';
  _is_gathered boolean := _mode ->> 'is' = 'gather';
  _is_held boolean := _job.flags & ${flags.isHeld} <> 0;
  _payload text := _work ->> 'payload';
  _elements int := 1;
  _later jsonb;
  _due_at bigint;
BEGIN
  IF _mode ->> 'is' NOT IN ('replace', 'debounce', 'gather') OR _job.state IN ('running', 'parked') THEN RETURN; END IF;
  IF _is_gathered THEN
    _payload := coalesce(@.payload_with(_job.seq, _work), _payload);
    _elements := @.elements_in(_payload);
  END IF;
  IF _is_held THEN _later := @.later_of(_work); END IF;
  _due_at := @.due_at_of(_work, _job.enqueued_at, _elements);
  _job.flags := @.with_flag(_job.flags, ${flags.isGathering}, _is_gathered);
  _job.flags := @.with_flag(_job.flags, ${flags.isFull}, _is_gathered AND _elements >= (_mode ->> 'most')::int);
  _job.flags := @.with_flag(_job.flags, ${flags.hasLater}, _later IS NOT NULL);
  IF NOT _is_gathered THEN _job.checkpoint := NULL; END IF; -- it was of the payload before
  _job.extra := (coalesce(_job.extra, '{}') - 'version' - 'expecting' - 'later')
    || CASE WHEN _work ? 'version' THEN jsonb_build_object('version', _work -> 'version') ELSE '{}' END
    || CASE WHEN _work ? 'expecting' THEN jsonb_build_object('expecting', _work -> 'expecting') ELSE '{}' END
    || CASE WHEN _later IS NULL THEN '{}' ELSE jsonb_build_object('later', _later) END;
  -- By primary key.
  UPDATE @.jobs j SET payload = _payload, content = CASE WHEN _is_gathered THEN j.content ELSE _work ->> 'content' END, extra = _job.extra WHERE j.seq = _job.seq;
  _job := @.place_anew(_job, jsonb_build_object(
    'due_at', _due_at, 'start_by', CASE WHEN _is_held THEN @.ms(_work, 'startBy') ELSE @.start_by_of(_work) END, 'head_start', @.ms(_work, 'headStartMs'),
    'urgency', _due_at - @.ms(_work, 'headStartMs'), 'delayed_by', NULL));
END $$;

CREATE FUNCTION @.place_anew(INOUT _job @.job, _change jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _is_due boolean := (_change ->> 'due_at')::bigint <= @.now();
  _is_limited boolean := _job.flags & ${flags.isLimited} <> 0;
BEGIN
  IF (_job.state <> 'blocked' OR _is_limited) AND NOT (_is_limited AND _is_due) THEN
    _job := @.move_job(_job, CASE WHEN _is_due THEN 'ready' ELSE 'scheduled' END, _change);
    RETURN;
  END IF;
  _job := jsonb_populate_record(_job, _change);
  _job.flags := @.with_flag(_job.flags, ${flags.hasStartBy}, _job.start_by IS NOT NULL);
  _job := @.write_row(_job, NULL);
  IF _is_limited THEN PERFORM @.stand_anew(_job); END IF;
END $$;

CREATE FUNCTION @.with_flag(_flags int, _flag int, _is_set boolean) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _is_set THEN _flags | _flag ELSE _flags & ~_flag END
$$;
`;
