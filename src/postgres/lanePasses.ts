/** Bounded passes over lanes: admitting, parking those behind a death, sorting back those that were parked. */
import { tidyMax } from "../core/defaults.ts";
import { places } from "./lane.ts";

export const lanePassFunctions: string = `
-- By lanes_marked.
CREATE FUNCTION @.is_any_lane_marked() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.lanes l WHERE l.is_marked);
END $$;

-- Admits the next members of lanes that may have room; what is too much for one transaction is left to tidy.
CREATE FUNCTION @.admit_marked() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _lane text;
  _next bigint;
BEGIN
  IF @.is_gathered('lanes') THEN PERFORM @.admit_firsts(${tidyMax} - @.tallied('admitted')); END IF;
  -- A member that is admitted too late ends at once and puts its lane back among them, behind the others.
  WHILE @.is_gathered('lanes') LOOP
    FOREACH _lane IN ARRAY @.take_gathered('lanes') LOOP
      LOOP
        _next := @.next_of(_lane);
        EXIT WHEN _next IS NULL;
        IF @.tallied('admitted') >= ${tidyMax} THEN
          PERFORM @.mark_lane(_lane);
          EXIT;
        END IF;
        PERFORM @.admit(_lane, _next);
      END LOOP;
    END LOOP;
  END LOOP;
END $$;

-- Its turn has come: it waits for its time or a worker, or was not started in time.
CREATE FUNCTION @.admit(_lane text, _seq bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.job_at(_seq);
BEGIN
  PERFORM @.tally('admitted');
  PERFORM @.put_member(_lane, _seq, ${places.admitted});
  PERFORM @.wait_in_open_lane(_job, CASE WHEN _job.state = 'parked' THEN @.leave_park(_job) ELSE '{}' END);
END $$;

-- Parks blocked members of closed lanes, blocks parked members of opened ones, and lets opened ones admit. By lanes_marked.
CREATE FUNCTION @.sort_members(_limit int, OUT _parked int, OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _budget int := _limit;
  _lane text;
  _is_closed boolean;
  _sorted int;
BEGIN
  _parked := 0;
  FOREACH _lane IN ARRAY ARRAY(SELECT l.lane FROM @.lanes l WHERE l.is_marked ORDER BY l.lane LIMIT _limit) LOOP
    _is_closed := @.is_closed(_lane);
    _sorted := @.sort_lane(_lane, _is_closed, _budget);
    IF _is_closed THEN
      _parked := _parked + _sorted;
    ELSE
      PERFORM @.gather('lanes', _lane);
    END IF;
    _budget := _budget - _sorted;
    EXIT WHEN _budget = 0;
  END LOOP;
  _has_more := _budget = 0;
END $$;

-- Answers how many it sorted.
CREATE FUNCTION @.sort_lane(_lane text, _is_closed boolean, _limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _from int := CASE WHEN _is_closed THEN ${places.blocked} ELSE ${places.parked} END;
  _seqs bigint[] := @.members_at(_lane, _from, _limit);
  _seq bigint;
  _job @.job;
BEGIN
  FOREACH _seq IN ARRAY _seqs LOOP
    _job := @.job_at(_seq);
    IF _is_closed THEN
      PERFORM @.park_job(_job, _lane);
    ELSE
      PERFORM @.put_member(_lane, _seq, ${places.blocked});
      PERFORM @.move_job(_job, 'blocked', @.leave_park(_job));
    END IF;
  END LOOP;
  IF @.first_member(_lane, _from) IS NULL THEN PERFORM @.unmark_lane(_lane); END IF;
  RETURN cardinality(_seqs);
END $$;
`;
