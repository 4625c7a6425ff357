/** Cancel is final (G4): at once for a job that waits, with its worker's next beat for one that runs. */
export const cancelFunctions: string = `
-- By primary keys.
CREATE FUNCTION @.cancel_live(_job @.job, _reason text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF @.is_ended(_job.state) THEN RETURN 'ended'; END IF;
  IF _job.state <> 'running' THEN
    PERFORM @.end_job(_job, 'cancelled', jsonb_build_object('reason', _reason));
    RETURN 'cancelled';
  END IF;
  IF NOT @.mark_cancelling(_job.seq, _reason) THEN
    INSERT INTO @.inbox (kind, body) VALUES ('cancel', jsonb_build_object('seq', _job.seq, 'reason', _reason));
  END IF;
  RETURN 'cancelling';
END $$;

-- Its worker hears of it with its next beat; whatever it settles, the job ends cancelled. False: a caller's transaction is settling it, or has,
-- and what follows from that comes first.
CREATE FUNCTION @.mark_cancelling(_seq bigint, _reason text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.take_out(_seq) THEN RETURN false; END IF;
  PERFORM 1 FROM @.running r WHERE r.seq = _seq AND NOT r.is_settled FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE @.running r SET is_cancelling = true WHERE r.seq = _seq;
  UPDATE @.jobs j SET reason = coalesce(j.reason, _reason) WHERE j.seq = _seq;
  RETURN true;
END $$;

-- One that was left in the inbox. False: it stays there.
CREATE FUNCTION @.take_in_cancel(_body jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.job_at((_body ->> 'seq')::bigint);
BEGIN
  IF _job.seq IS NULL OR @.is_ended(_job.state) THEN RETURN true; END IF;
  IF _job.state = 'running' THEN RETURN @.mark_cancelling(_job.seq, _body ->> 'reason'); END IF;
  PERFORM @.cancel_live(_job, _body ->> 'reason');
  RETURN true;
END $$;
`;
