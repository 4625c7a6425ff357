/** The only way for a job from one state to another; keeps the narrow tables and the counters in step. */
import { flags } from "./flags.ts";

const hasTies = flags.hasJoin | flags.hasFollowers;

export const moveFunctions: string = `
-- What has key limits asks for their room when it would become ready: at the end of the verb, together with all that do.
CREATE FUNCTION @.move_job(INOUT _job @.job, _to text, _change jsonb DEFAULT '{}') LANGUAGE plpgsql AS $$
BEGIN
  IF _to <> 'ready' OR _job.state = 'ready' OR _job.flags & ${flags.hasKeyLimits} = 0 THEN
    _job := @.place_job(_job, _to, _change);
  ELSE
    _job := @.place_job(_job, 'blocked', _change, ${flags.isLimited});
    PERFORM @.gather('key_arrivals', _job.seq::text);
  END IF;
END $$;

-- _more: a flag that goes with being blocked.
CREATE FUNCTION @.place_job(INOUT _job @.job, _to text, _change jsonb DEFAULT '{}', _more int DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE
  _from text := _job.state;
BEGIN
  PERFORM @.leave_state(_job);
  IF _change <> '{}' THEN _job := jsonb_populate_record(_job, _change); END IF;
  _job.state := _to;
  _job.ended_at := CASE WHEN @.is_ended(_to) THEN @.now() END;
  _job.flags := CASE WHEN _job.start_by IS NULL THEN _job.flags & ~${flags.hasStartBy} ELSE _job.flags | ${flags.hasStartBy} END;
  _job.flags := (_job.flags & ~CASE WHEN _to = 'blocked' THEN ${flags.isLimited} ELSE ${flags.isLimited | flags.isHeld} END) | _more;
  -- A plain completion is told by done alone.
  IF _to <> 'completed' OR _change <> '{}' THEN _job := @.write_row(_job, @.now()); END IF;
  IF @.is_ended(_to) <> @.is_ended(_from) THEN
    IF @.is_ended(_to) THEN PERFORM @.release_key(_job); ELSE PERFORM @.hold_key(_job); END IF;
    IF _job.flags & ${flags.hasAfter} <> 0 THEN PERFORM @.turn_followers(ARRAY[_job.seq], NOT @.is_ended(_to)); END IF;
  END IF;
  IF _job.flags & ${hasTies} <> 0 THEN PERFORM @.note_ending(_job.seq, _job.flags, @.ended_as(_from), @.ended_as(_to)); END IF;
  PERFORM @.enter_state(_job);
END $$;

-- Puts a job that was just stored where its state belongs. By primary keys.
CREATE FUNCTION @.enter_state(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.count_change(_job.line, _job.state, 1);
  IF _job.state = 'ready' THEN
    INSERT INTO @.ready (line, urgency, seq, flags) VALUES (@.ready_line(_job), _job.urgency, _job.seq, _job.flags);
    IF _job.flags & ${flags.hasKeyLimits} <> 0 THEN PERFORM @.take_keys(_job); END IF;
    PERFORM @.tell_readied();
  ELSIF _job.state = 'scheduled' THEN
    -- One that is due before all others moves the instant that workers sleep until.
    IF NOT coalesce(_job.due_at >= @.first_due_at(), false) THEN PERFORM @.tell_readied(); END IF;
    INSERT INTO @.scheduled (due_at, seq) VALUES (_job.due_at, _job.seq);
  ELSIF @.is_ended(_job.state) THEN
    IF _job.state = 'completed' THEN PERFORM @.complete_seqs(ARRAY[_job.seq], _job.keep); END IF;
    IF _job.state <> 'completed' THEN PERFORM @.purge_at(greatest(@.now() + @.keep_ms(_job.keep, _job.state), coalesce(_job.remember_until, 0)), _job.seq); END IF;
  END IF;
  IF @.has_deadline(_job) THEN INSERT INTO @.deadlines (start_by, seq) VALUES (_job.start_by, _job.seq); END IF;
END $$;

-- The place under which it stands when ready: told in readyPlace.ts.
CREATE FUNCTION @.ready_line(_job @.job) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN @.ready_place(_job.line, _job.suspects, _job.attempts);
END $$;

-- Takes it out of its state's narrow rows. By primary keys.
CREATE FUNCTION @.leave_state(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _is_settled boolean;
BEGIN
  PERFORM @.count_change(_job.line, _job.state, -1);
  IF _job.flags & ${flags.hasKeyLimits} <> 0 THEN PERFORM @.leave_keys(_job); END IF;
  IF _job.state = 'ready' THEN
    DELETE FROM @.ready r WHERE r.line = @.ready_line(_job) AND r.urgency = _job.urgency AND r.seq = _job.seq;
  ELSIF _job.state = 'scheduled' THEN
    DELETE FROM @.scheduled s WHERE s.due_at = _job.due_at AND s.seq = _job.seq;
  ELSIF _job.state = 'running' THEN
    DELETE FROM @.running r WHERE r.seq = _job.seq RETURNING r.is_settled INTO _is_settled;
    IF coalesce(_is_settled, true) THEN PERFORM @.leave_claim(_job.seq, _job.fence); END IF;
    IF _job.terms IS NOT NULL THEN PERFORM @.give_gates_back(_job.terms, 1); END IF;
  ELSIF _job.state = 'completed' THEN
    PERFORM @.uncomplete(ARRAY[_job.seq]);
  END IF;
  IF @.has_deadline(_job) THEN DELETE FROM @.deadlines l WHERE l.start_by = _job.start_by AND l.seq = _job.seq; END IF;
END $$;

-- _since: when it came into its state; null leaves it. By primary key.
CREATE FUNCTION @.write_row(INOUT _job @.job, _since bigint) LANGUAGE plpgsql AS $$
BEGIN
  _job.since := coalesce(_since, _job.since);
  UPDATE @.jobs j SET state = @.code_in(_job.state, _job.flags), flags = _job.flags, urgency = _job.urgency, head_start = _job.head_start,
    due_at = _job.due_at, start_by = _job.start_by, attempts = _job.attempts, starts = _job.starts, suspects = _job.suspects, has_died = _job.has_died,
    delayed_by = _job.delayed_by, checkpoint = _job.checkpoint, result = _job.result, history = _job.history, reason = _job.reason,
    is_poison = _job.is_poison, ended_at = CASE WHEN _job.state <> 'completed' THEN _job.ended_at END, since = coalesce(_since, j.since)
  WHERE j.seq = _job.seq;
END $$;

CREATE FUNCTION @.has_deadline(_job @.job) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN _job.start_by IS NOT NULL AND _job.starts = 0 AND _job.state IN ('ready', 'scheduled');
END $$;
`;
