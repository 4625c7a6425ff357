/** Takes back what expired processes held: their jobs run again, as suspects (G13), and their locks are free. */
import { deathsAloneMax, suspectsBeforeAlone } from "../core/defaults.ts";

/** How long a lost process is known, so that it hears of it also when it was away for long. */
const lostKeptMs = 24 * 60 * 60 * 1_000;

const crashed = "its process was gone";

export const expireFunctions: string = `
-- By processes_lease.
CREATE FUNCTION @.is_any_expired(_until bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT EXISTS (SELECT 1 FROM @.processes p WHERE NOT p.is_lost AND p.lease_until <= _until) OR EXISTS (SELECT 1 FROM @.processes p WHERE p.is_lost AND p.lease_until <= _until));
END $$;

-- Takes back at most _limit jobs, of processes whose lease ended by _until. By processes_lease.
CREATE FUNCTION @.expire(_limit int, _until bigint, OUT _taken_back int, OUT _quarantined int, OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _process record;
  _held bigint[];
  _seq bigint;
  _was boolean;
  _looked int := 0;
BEGIN
  _taken_back := 0;
  _quarantined := 0;
  _has_more := false;
  FOR _process IN (SELECT p.id, p.is_lost, p.lease_until FROM @.processes p WHERE NOT p.is_lost AND p.lease_until <= _until ORDER BY p.lease_until LIMIT _limit)
      UNION ALL (SELECT p.id, p.is_lost, p.lease_until FROM @.processes p WHERE p.is_lost AND p.lease_until <= _until ORDER BY p.lease_until LIMIT _limit)
      ORDER BY 3, 1 LIMIT _limit LOOP
    _looked := _looked + 1;
    -- It may beat at this very moment. By primary key.
    UPDATE @.processes p SET is_lost = true WHERE p.id = _process.id AND p.lease_until <= _until;
    CONTINUE WHEN NOT FOUND;
    -- A caller's open transaction may hold a row, or have settled it. By running_process.
    PERFORM @.take_out_of_process(_process.id, _limit - _taken_back + 1);
    _held := ARRAY(SELECT r.seq FROM @.running r WHERE r.process = _process.id AND NOT r.is_settled ORDER BY r.seq LIMIT _limit - _taken_back + 1 FOR UPDATE SKIP LOCKED);
    IF @.drop_tickets(_process.id) THEN
      PERFORM @.tell_readied();
    ELSIF cardinality(_held) = 0 AND _process.lease_until >= 0 AND NOT @.holds_jobs(_process.id) THEN
      DELETE FROM @.processes p WHERE p.id = _process.id;
      CONTINUE;
    END IF;
    _has_more := cardinality(_held) > _limit - _taken_back;
    FOREACH _seq IN ARRAY _held[1 : _limit - _taken_back] LOOP
      _taken_back := _taken_back + 1;
      IF @.take_back(_seq) THEN _quarantined := _quarantined + 1; END IF;
    END LOOP;
    -- Below zero: it holds some yet, or a caller's transaction does; to be looked at with each pass. Whatever becomes of them, it is to hear that it was lost.
    UPDATE @.processes p SET lease_until = CASE WHEN @.holds_jobs(p.id) THEN -1 ELSE @.now() + ${lostKeptMs} END WHERE p.id = _process.id;
    EXIT WHEN _has_more;
  END LOOP;
  _has_more := _has_more OR _looked = _limit;
END $$;

-- By running_process, claims_process.
CREATE FUNCTION @.holds_jobs(_process int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.claims c WHERE c.process = _process)
    OR (SELECT r.seq FROM @.running r WHERE r.process = _process ORDER BY r.process DESC, r.seq DESC LIMIT 1) IS NOT NULL;
END $$;

-- By tickets_process. Answers whether it had any.
CREATE FUNCTION @.drop_tickets(_process int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.tickets t WHERE t.process = _process;
  RETURN FOUND;
END $$;

-- Answers whether it is quarantined.
CREATE FUNCTION @.take_back(_seq bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.job_at(_seq);
BEGIN
  IF _job.is_cancelling THEN
    _job := @.end_job(_job, 'cancelled', CASE WHEN _job.reason IS NULL THEN '{}' ELSE jsonb_build_object('reason', _job.reason) END, jsonb_build_object('starts', _job.starts + 1));
    RETURN false;
  END IF;
  RETURN @.crash(_job);
END $$;

-- A crash costs no attempt, but a suspicion. One that dies alone again and again is the culprit.
CREATE FUNCTION @.crash(_job @.job) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _change jsonb := jsonb_build_object('starts', _job.starts + 1, 'suspects', _job.suspects + 1);
  -- Who is suspect that often ran alone ever since.
  _deaths_alone int := _job.suspects + 1 - ${suspectsBeforeAlone};
BEGIN
  IF _deaths_alone >= ${deathsAloneMax} THEN
    PERFORM @.die(_job, jsonb_build_object('reason', format('quarantined: its process died %s times while it ran alone', _deaths_alone), 'isPoison', true), _change);
    RETURN true;
  END IF;
  _job := @.remember(_job, @.attempt_row(_job, 'crashed', '{"reason": "${crashed}"}'));
  PERFORM @.wait_job(_job, _change);
  RETURN false;
END $$;
`;
