/** One stored job, as the functions work on it. Only `move` changes its state. */
import { attemptsRecordedMax } from "../core/defaults.ts";
import { runningOf } from "./claims.ts";
import { completionOf } from "./completions.ts";
import { flags } from "./flags.ts";

/** As a row of \`@.job\`: of a wide row j, with r of running, d of completions, m of members at place 0. */
const jobColumns = `j.seq, j.id, j.line, j.keep, j.enqueued_at, j.remember_until, j.lane, j.lane_width, j.if_dead, j.unique_key, j.extra,
  @.state_from(j.state, r.seq IS NOT NULL, d.seq IS NOT NULL, m.seq IS NOT NULL), j.flags, j.urgency, j.head_start, j.due_at, j.start_by,
  j.attempts, j.starts, j.suspects, j.has_died, j.delayed_by, j.checkpoint, j.result, j.history, j.reason, j.is_poison, coalesce(d.ended_at, j.ended_at), j.since,
  r.process, r.claim, r.fence, r.started_at, r.is_cancelling, r.flags, r.terms`;
const jobJoins = `${runningOf} ${completionOf("j.seq", "j.state = 0 AND r.seq IS NULL")}
  LEFT JOIN LATERAL (SELECT m.seq FROM @.members m WHERE m.lane = j.lane AND m.place = 0 AND m.seq = j.seq OFFSET 0) m ON true`;

export const jobFunctions: string = `
-- Where a job stands, told by its wide row's code and its narrow rows.
CREATE FUNCTION @.state_from(_code smallint, _is_running boolean, _is_done boolean, _is_behind boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE _code WHEN 0 THEN CASE WHEN _is_running THEN 'running' WHEN _is_done THEN 'completed' WHEN _is_behind THEN 'blocked' ELSE 'ready' END
    ELSE @.state_of_code(_code) END
$$;

-- What its wide row says of its state: nothing where narrow rows tell it.
CREATE FUNCTION @.code_in(_state text, _flags int) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _state IN ('ready', 'running', 'completed') OR (_state = 'blocked' AND _flags & ${flags.isHeld | flags.isLimited} = 0) THEN 0::smallint
    ELSE @.code_of(_state) END
$$;

-- By jobs_id, then primary keys.
CREATE FUNCTION @.find_job(_id text) RETURNS @.job LANGUAGE plpgsql AS $$
DECLARE
  _job @.job;
BEGIN
  SELECT ${jobColumns} INTO _job FROM @.jobs j ${jobJoins} WHERE j.id = _id;
  RETURN _job;
END $$;

-- By primary keys.
CREATE FUNCTION @.job_at(_seq bigint) RETURNS @.job LANGUAGE plpgsql AS $$
DECLARE
  _job @.job;
BEGIN
  SELECT ${jobColumns} INTO _job FROM @.jobs j ${jobJoins} WHERE j.seq = _seq;
  RETURN _job;
END $$;

-- It never started, and may not any more.
CREATE FUNCTION @.is_late(_job @.job) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN _job.start_by IS NOT NULL AND _job.start_by < @.now() AND _job.starts = 0;
END $$;

-- It runs, handed out in a row behind another of its lane.
CREATE FUNCTION @.is_follower(_job @.job) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce(_job.running_flags, 0) & ${flags.isFollowing} <> 0;
END $$;

-- Claims made, the one in hand included.
CREATE FUNCTION @.starts_of(_job @.job) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN _job.starts + CASE WHEN _job.state = 'running' THEN 1 ELSE 0 END;
END $$;

-- The last ${attemptsRecordedMax} are kept.
CREATE FUNCTION @.remember(INOUT _job @.job, _row jsonb) LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  _job.history := coalesce(_job.history, '[]') || jsonb_build_array(_row);
  WHILE jsonb_array_length(_job.history) > ${attemptsRecordedMax} LOOP _job.history := _job.history - 0; END LOOP;
END $$;

CREATE FUNCTION @.attempt_row(_job @.job, _is text, _ending jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN jsonb_build_object('start', coalesce((_ending ->> 'start')::int, @.starts_of(_job)), 'is', _is, 'at', @.now())
    || CASE WHEN _ending ->> 'ranMs' IS NULL THEN '{}' ELSE jsonb_build_object('ranMs', _ending -> 'ranMs') END
    || CASE WHEN _ending ->> 'reason' IS NULL THEN '{}' ELSE jsonb_build_object('reason', _ending -> 'reason') END
    || CASE WHEN _ending ->> 'error' IS NULL THEN '{}' ELSE jsonb_build_object('error', _ending -> 'error') END;
END $$;

-- How jobs stand, by jobs_id, then primary keys.
CREATE FUNCTION @.states_of(_ids text[]) RETURNS TABLE (id text, state text) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT j.id, @.state_from(j.state, r.seq IS NOT NULL, d.seq IS NOT NULL, m.seq IS NOT NULL)
  FROM unnest(_ids) e (id) JOIN @.jobs j ON j.id = e.id ${jobJoins};
END $$;
`;
