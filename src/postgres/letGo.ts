/** A job that is held back by its join, or by what it comes after: whether it is still, and what follows where it is not. */
import { flags } from "./flags.ts";

export const letGoFunctions: string = `
-- Something that it came after has ended.
CREATE FUNCTION @.look_at_held(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _own @.joins;
  _verdict jsonb;
BEGIN
  IF _job.flags & ${flags.isHeld} = 0 THEN RETURN; END IF;
  _own := @.own_join_of(_job.seq, _job.flags);
  _verdict := @.verdict_on_job(_job, _own.seq);
  IF _verdict ->> 'is' IN ('cancelled', 'skipped') THEN
    PERFORM @.drop_job(_job, _verdict ->> 'is', _verdict ->> 'reason');
  -- Its join goes on with its members in their order.
  ELSIF _verdict ->> 'is' = 'met' AND (_own.seq IS NULL OR @.has_come(_own, _job.seq)) THEN
    PERFORM @.let_go(_job);
  END IF;
END $$;

-- Its join has opened, or met its fate. One that it only adopted goes on as it was.
CREATE FUNCTION @.let_go_by_join(_join @.joins, _job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _verdict jsonb;
BEGIN
  IF _job.flags & ${flags.isHeld} = 0 OR @.own_join_seq(_job.seq, _job.flags) IS DISTINCT FROM _join.seq THEN RETURN; END IF;
  _verdict := @.verdict_on_job(_job, _join.seq);
  IF @.is_open_join(_join) THEN PERFORM @.tally('released'); END IF;
  IF _verdict ->> 'is' = 'met' THEN
    PERFORM @.let_go(_job);
  ELSIF _verdict ->> 'is' <> 'held' THEN
    PERFORM @.drop_job(_job, _verdict ->> 'is', _verdict ->> 'reason');
  END IF;
END $$;

-- It ends unstarted.
CREATE FUNCTION @.drop_job(_job @.job, _answer text, _reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.tally('dropped');
  PERFORM @.end_job(_job, _answer, jsonb_build_object('reason', _reason));
END $$;

-- In its lane it takes its place among those that wait there; the lane admits.
CREATE FUNCTION @.let_go(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _change jsonb := @.counted_from_now(_job);
BEGIN
  _job.flags := _job.flags & ~${flags.isHeld};
  IF _job.lane IS NULL THEN
    PERFORM @.wait_in_open_lane(_job, _change);
  ELSE
    PERFORM @.move_job(_job, @.join_line(_job.lane, _job.seq, coalesce(_job.lane_width, 1)), _change);
  END IF;
END $$;

CREATE FUNCTION @.counted_from_now(_job @.job) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _now bigint := @.now();
  _later jsonb := CASE WHEN _job.flags & ${flags.hasLater} <> 0 THEN _job.extra -> 'later' END;
  _change jsonb := jsonb_build_object('due_at', coalesce(_now + @.ms(_later, 'delayMs'), greatest(_now, _job.due_at)));
BEGIN
  IF _job.start_by IS NULL AND _later ? 'startWithinMs' THEN
    _change := _change || jsonb_build_object('start_by', _now + @.ms(_later, 'startWithinMs'));
  END IF;
  RETURN _change;
END $$;
`;
