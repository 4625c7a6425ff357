/** What the passing of time does: scheduled jobs become ready, and jobs that were not started in time are skipped. */
import { floorOf, scheduledPlace } from "./floors.ts";
import { flags } from "./flags.ts";

export const dueFunctions: string = `
-- By primary key: the first. Null: there is none.
CREATE FUNCTION @.first_due_at() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT s.due_at FROM @.scheduled s WHERE s.due_at >= ${floorOf(scheduledPlace)} ORDER BY s.due_at, s.seq LIMIT 1);
END $$;
CREATE FUNCTION @.first_deadline_at() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT l.start_by FROM @.deadlines l ORDER BY l.start_by, l.seq LIMIT 1);
END $$;

-- Answers how many were due: ready now, or blocked by a key limit. By primary keys.
CREATE FUNCTION @.promote(_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _due bigint[];
  _limited bigint[];
  _plain bigint[];
  _seq bigint;
BEGIN
  IF NOT coalesce(@.first_due_at() <= @.now(), false) THEN RETURN 0; END IF;
  SELECT array_agg(q.seq ORDER BY q.due_at, q.seq) FILTER (WHERE q.flags & ${flags.hasKeyLimits} = 0),
      array_agg(q.seq ORDER BY q.due_at, q.seq) FILTER (WHERE q.flags & ${flags.hasKeyLimits} <> 0)
    INTO _plain, _limited
    FROM (SELECT s.due_at, s.seq, j.flags FROM (SELECT s.due_at, s.seq FROM @.scheduled s WHERE s.due_at >= ${floorOf(scheduledPlace)} AND s.due_at <= @.now() ORDER BY s.due_at, s.seq LIMIT _limit) s
      JOIN @.jobs j ON j.seq = s.seq) q;
  IF _plain IS NOT NULL THEN
    WITH told AS (
      UPDATE @.jobs j SET state = 0, since = @.now() WHERE j.seq = ANY (_plain) RETURNING j.seq, j.line, j.due_at, j.urgency, j.flags, j.suspects, j.attempts
    ), gone AS (
      DELETE FROM @.scheduled s USING told t WHERE s.due_at = t.due_at AND s.seq = t.seq
    ), come AS (
      INSERT INTO @.ready (line, urgency, seq, flags)
      SELECT @.ready_place(t.line, t.suspects, t.attempts), t.urgency, t.seq, t.flags FROM told t
    )
    SELECT count(@.count_moved(q.line, 'scheduled', 'ready', q.jobs)) INTO _seq FROM (SELECT t.line, count(*)::int AS jobs FROM told t GROUP BY t.line) q;
    PERFORM @.tell_readied();
  END IF;
  FOREACH _seq IN ARRAY coalesce(_limited, '{}') LOOP PERFORM @.move_job(@.job_at(_seq), 'ready'); END LOOP;
  IF @.may_raise_floors('scheduled', _plain || _limited) THEN PERFORM @.raise_floor(${scheduledPlace}, coalesce(@.first_due_at(), @.now())); END IF;
  RETURN coalesce(cardinality(_plain), 0) + coalesce(cardinality(_limited), 0);
END $$;

CREATE FUNCTION @.count_moved(_line int, _from text, _to text, _jobs int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.count_change(_line, _from, -_jobs), @.count_change(_line, _to, _jobs);
  RETURN true;
END $$;

-- Answers how many were skipped. By primary key.
CREATE FUNCTION @.skip_late_ones(_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _late bigint[];
  _seq bigint;
  _job @.job;
BEGIN
  IF NOT coalesce(@.first_deadline_at() < @.now(), false) THEN RETURN 0; END IF;
  _late := ARRAY(SELECT l.seq FROM @.deadlines l WHERE l.start_by < @.now() ORDER BY l.start_by, l.seq LIMIT _limit);
  FOREACH _seq IN ARRAY _late LOOP
    _job := @.job_at(_seq);
    IF _job.seq IS NOT NULL THEN PERFORM @.skip_late(_job); END IF;
  END LOOP;
  RETURN cardinality(_late);
END $$;
`;
