/** A job as it is first stored: what its work says, in the columns' terms. */
import { flags } from "./flags.ts";

export const newJobFunctions: string = `
CREATE FUNCTION @.ms(_value jsonb, _name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT (_value ->> _name)::numeric::bigint $$;

CREATE FUNCTION @.new_job(_work jsonb) RETURNS @.job LANGUAGE plpgsql AS $$
DECLARE
  _job @.job;
  _now bigint := @.now();
  _lane jsonb := _work -> 'lane';
BEGIN
  _job.due_at := @.due_at_of(_work, _now, 1);
  _job.start_by := @.start_by_of(_work);
  _job.seq := nextval('@.seqs');
  _job.id := _work ->> 'id';
  _job.line := @.line_of(_work ->> 'queue', _work ->> 'task');
  _job.keep := @.keep_of(_work -> 'keep');
  _job.flags := @.flags_of(_work, _job.start_by);
  _job.enqueued_at := _now;
  _job.remember_until := CASE WHEN @.ms(_work, 'rememberMs') > 0 THEN _now + @.ms(_work, 'rememberMs') END;
  _job.lane := _lane ->> 'key';
  _job.lane_width := (_lane ->> 'width')::int;
  _job.if_dead := _lane ->> 'ifDead';
  _job.unique_key := _work -> 'unique' ->> 'key';
  _job.state := CASE WHEN _job.due_at > _now THEN 'scheduled' ELSE 'ready' END;
  _job.head_start := @.ms(_work, 'headStartMs');
  _job.urgency := _job.due_at - _job.head_start;
  _job.attempts := 0;
  _job.starts := 0;
  _job.suspects := 0;
  _job.has_died := false;
  _job.is_poison := false;
  _job.since := _now;
  RETURN _job;
END $$;

-- What only some carry; null: nothing.
CREATE FUNCTION @.extra_of(_work jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _extra jsonb := '{}';
BEGIN
  IF _work ? 'expecting' THEN _extra := _extra || jsonb_build_object('expecting', _work -> 'expecting'); END IF;
  IF _work ? 'version' THEN _extra := _extra || jsonb_build_object('version', _work -> 'version'); END IF;
  IF _work ? 'from' THEN _extra := _extra || jsonb_build_object('from', _work -> 'from'); END IF;
  IF _work ? 'slot' THEN _extra := _extra || jsonb_build_object('slot', _work -> 'slot'); END IF;
  RETURN nullif(_extra, '{}');
END $$;

-- A debounce's deadline counts from the first enqueue; an array that is full is due now.
CREATE FUNCTION @.due_at_of(_work jsonb, _first_enqueued_at bigint, _elements int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  _mode jsonb := _work -> 'unique' -> 'mode';
  _is text := _mode ->> 'is';
  _now bigint := @.now();
BEGIN
  IF _is = 'gather' AND _elements >= (_mode ->> 'most')::int THEN RETURN _now; END IF;
  IF _is IN ('gather', 'debounce') THEN RETURN least(_now + @.ms(_mode, 'quietMs'), _first_enqueued_at + @.ms(_mode, 'atMostMs')); END IF;
  RETURN greatest(_now, coalesce(@.ms(_work, 'dueAt'), _now + coalesce(@.ms(_work, 'delayMs'), 0)));
END $$;

CREATE FUNCTION @.start_by_of(_work jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(@.ms(_work, 'startBy'), @.now() + @.ms(_work, 'startWithinMs'))
$$;

-- What counts from when it is let go; null: nothing. An instant that was stated stands, and so does the time of a debounce.
CREATE FUNCTION @.later_of(_work jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _later jsonb := '{}';
BEGIN
  IF NOT _work ? 'dueAt' AND _work ? 'delayMs' AND coalesce(_work -> 'unique' -> 'mode' ->> 'is', '') NOT IN ('debounce', 'gather') THEN
    _later := jsonb_build_object('delayMs', _work -> 'delayMs');
  END IF;
  IF NOT _work ? 'startBy' AND _work ? 'startWithinMs' THEN _later := _later || jsonb_build_object('startWithinMs', _work -> 'startWithinMs'); END IF;
  RETURN nullif(_later, '{}');
END $$;

CREATE FUNCTION @.flags_of(_work jsonb, _start_by bigint) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _mode jsonb := _work -> 'unique' -> 'mode';
BEGIN
  RETURN CASE WHEN _work ? 'lane' THEN ${flags.hasLane} ELSE 0 END | CASE WHEN _work ? 'unique' THEN ${flags.hasUnique} ELSE 0 END
    | CASE WHEN _start_by IS NULL THEN 0 ELSE ${flags.hasStartBy} END | CASE WHEN @.ms(_work, 'rememberMs') > 0 THEN ${flags.isRemembered} ELSE 0 END
    | CASE WHEN _work ? 'join' THEN ${flags.hasJoin} ELSE 0 END | CASE WHEN @.is_any(_work -> 'after') THEN ${flags.hasAfter} ELSE 0 END
    | CASE WHEN @.is_any(_work -> 'keyLimits') THEN ${flags.hasKeyLimits} ELSE 0 END
    | CASE WHEN _mode ->> 'is' = 'gather' THEN ${flags.isGathering} | CASE WHEN (_mode ->> 'most')::int <= 1 THEN ${flags.isFull} ELSE 0 END ELSE 0 END;
END $$;

CREATE FUNCTION @.is_any(_list jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_array_length(_list), 0) > 0 $$;
`;
