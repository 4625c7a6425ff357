/** A job's life: each change of state with all that follows from it. Every verb changes jobs through these. */
import { places } from "./lane.ts";

const widthMax = 1_000;

export const lifeFunctions: string = `
-- It ends, leaves its lane and frees its unique key. An ending that was not clean is recorded.
CREATE FUNCTION @.end_job(INOUT _job @.job, _state text, _ending jsonb DEFAULT '{}', _change jsonb DEFAULT '{}') LANGUAGE plpgsql AS $$
DECLARE
  _reason text := @.reason_of(_ending);
BEGIN
  IF _state <> 'completed' THEN _job := @.remember(_job, @.attempt_row(_job, _state, _ending)); END IF;
  _job := @.move_job(_job, _state, CASE WHEN _reason IS NULL THEN _change ELSE _change || jsonb_build_object('reason', _reason) END);
  PERFORM @.leave_lane(_job);
END $$;

-- It dies: dead, or parked where its lane says so. Its death is published.
CREATE FUNCTION @.die(INOUT _job @.job, _ending jsonb, _change jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _died jsonb := _change || jsonb_build_object('reason', @.reason_of(_ending), 'is_poison', coalesce((_ending ->> 'isPoison')::boolean, false), 'has_died', true);
BEGIN
  _job := @.remember(_job, @.attempt_row(_job, 'dead', _ending));
  IF _job.lane IS NOT NULL AND _job.if_dead = 'park' THEN
    _job := @.close_behind(_job, _died);
  ELSIF _job.lane IS NOT NULL AND _job.if_dead = 'block' THEN
    PERFORM @.break_row(_job.lane);
    PERFORM @.put_member(_job.lane, _job.seq, ${places.head});
    _job := @.move_job(_job, 'parked', _died);
  ELSE
    _job := @.move_job(_job, 'dead', _died);
    PERFORM @.leave_lane(_job);
  END IF;
  PERFORM @.publish_death(_job);
END $$;

-- It waits again: for its time or for a worker; unless its lane was closed meanwhile, or it is too late to start, or it ran ahead of its turn.
CREATE FUNCTION @.wait_job(INOUT _job @.job, _change jsonb DEFAULT '{}') LANGUAGE plpgsql AS $$
BEGIN
  IF _job.lane IS NOT NULL AND _job.state = 'running' THEN PERFORM @.break_row(_job.lane); END IF;
  IF _job.lane IS NULL THEN
    _job := @.wait_in_open_lane(_job, _change);
  ELSIF @.is_closed(_job.lane) THEN
    _job := @.park_job(_job, _job.lane, _change);
  ELSIF @.is_follower(_job) AND @.goes_behind(_job) THEN
    _job := @.move_job(_job, 'blocked', _change);
  ELSE
    _job := @.wait_in_open_lane(_job, _change);
  END IF;
END $$;

-- As wait_job, where the lane is known to be open.
CREATE FUNCTION @.wait_in_open_lane(INOUT _job @.job, _change jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _next @.job := jsonb_populate_record(_job, _change);
BEGIN
  IF @.is_late(_next) THEN
    _job := @.skip_late(_job, _change);
  ELSE
    _job := @.move_job(_job, CASE WHEN _next.due_at > @.now() THEN 'scheduled' ELSE 'ready' END, _change);
  END IF;
END $$;

-- It was not started in time.
CREATE FUNCTION @.skip_late(INOUT _job @.job, _change jsonb DEFAULT '{}') LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.tally('skipped');
  _job := @.end_job(_job, 'skipped', jsonb_build_object('start', 0, 'reason', 'too late: not started by ' || @.iso(coalesce(_job.start_by, @.now()))), _change);
END $$;

-- As JavaScript's toISOString.
CREATE FUNCTION @.iso(_at bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT to_char(timestamp 'epoch' + _at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

CREATE FUNCTION @.park_job(INOUT _job @.job, _lane text, _change jsonb DEFAULT '{}') LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.put_member(_lane, _job.seq, ${places.parked});
  _job := @.move_job(_job, 'parked', _change);
END $$;

-- What one that was parked takes along into life.
CREATE FUNCTION @.leave_park(_job @.job) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN _job.has_died THEN @.anew(_job) ELSE '{}' END;
END $$;

-- A new start: attempts, starts and suspicion begin anew; the history stays. One that had started in time need not do so again.
CREATE FUNCTION @.anew(_job @.job) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN '{"attempts": 0, "starts": 0, "suspects": 0, "has_died": false, "is_poison": false, "reason": null}'::jsonb
    || CASE WHEN _job.starts > 0 THEN '{"start_by": null}'::jsonb ELSE '{}' END;
END $$;

-- It was handed out in a row: while an earlier member lives, it goes back behind it; else it is the one that is admitted.
CREATE FUNCTION @.goes_behind(_job @.job) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _is_behind boolean := @.is_any_before(_job.lane, _job.seq);
BEGIN
  PERFORM @.put_member(_job.lane, _job.seq, CASE WHEN _is_behind THEN ${places.blocked} ELSE ${places.admitted} END);
  IF _is_behind THEN PERFORM @.gather('lanes', _job.lane); END IF;
  RETURN _is_behind;
END $$;

-- The lane closes. Its admitted members, at most its width, are parked at once; the blocked ones by tidy.
CREATE FUNCTION @.close_behind(INOUT _job @.job, _died jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _seq bigint;
  _member @.job;
BEGIN
  PERFORM @.close_lane(_job.lane, _job.id);
  -- Those that run in a row are not parked while they run.
  PERFORM @.admit_followers(_job.lane);
  _job := @.park_job(_job, _job.lane, _died);
  FOREACH _seq IN ARRAY @.members_at(_job.lane, ${places.admitted}, ${widthMax}) LOOP
    _member := @.job_at(_seq);
    IF _member.seq IS NOT NULL AND _member.state <> 'running' THEN PERFORM @.park_job(_member, _job.lane); END IF;
  END LOOP;
END $$;

CREATE FUNCTION @.reason_of(_ending jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(_ending ->> 'reason', _ending -> 'error' ->> 'message') $$;
`;
