/** Unique keys: which live jobs hold one, and which keys outlive their job (G6). */
import { flags } from "./flags.ts";
import { codeOf } from "./numbers.ts";

export const uniqueFunctions: string = `
-- The live job that a newcomer loses to (_job.seq), or the id of the one whose window lasts (_window); neither: the key is free. By primary keys.
CREATE FUNCTION @.winner_of(_unique jsonb, OUT _job @.job, OUT _window text) LANGUAGE plpgsql AS $$
DECLARE
  _key text := _unique ->> 'key';
  _mode text := _unique -> 'mode' ->> 'is';
  _seq bigint;
  _live @.job;
BEGIN
  IF _mode = 'gather' THEN
    _seq := @.gatherer_of(_key);
    IF _seq IS NOT NULL THEN _job := @.job_at(_seq); END IF;
  ELSE
    -- Two at most: one runs, one waits.
    FOR _seq IN SELECT u.seq FROM @.uniques u WHERE u.key = _key ORDER BY u.key, u.seq LIMIT 3 LOOP
      _live := @.job_at(_seq);
      IF _live.seq IS NOT NULL AND (_job.seq IS NULL OR (_job.state = 'running' AND _live.state <> 'running')) THEN _job := _live; END IF;
    END LOOP;
    IF _mode = 'one-more' AND _job.state = 'running' THEN
      _job := NULL;
      RETURN;
    END IF;
  END IF;
  IF _job.seq IS NULL THEN SELECT w.job_id INTO _window FROM @.windows w WHERE w.key = _key AND w.until > @.now(); END IF;
END $$;

-- The first that waits and takes more, of the last that hold the key. By primary keys.
CREATE FUNCTION @.gatherer_of(_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT j.seq FROM (SELECT u.seq FROM @.uniques u WHERE u.key = _key ORDER BY u.key DESC, u.seq DESC LIMIT 100) q JOIN @.jobs j ON j.seq = q.seq
  WHERE j.flags & ${flags.isGathering | flags.isFull} = ${flags.isGathering} AND j.state <> ${codeOf("parked")}
    AND NOT EXISTS (SELECT 1 FROM @.running r WHERE r.seq = j.seq) ORDER BY j.seq LIMIT 1
$$;

-- All by primary key.
CREATE FUNCTION @.is_key_held(_key text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT 1 FROM @.uniques u WHERE u.key = _key) $$;

CREATE FUNCTION @.hold_key(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _job.unique_key IS NOT NULL THEN INSERT INTO @.uniques (key, seq) VALUES (_job.unique_key, _job.seq); END IF;
END $$;

CREATE FUNCTION @.release_key(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _job.unique_key IS NOT NULL THEN DELETE FROM @.uniques u WHERE u.key = _job.unique_key AND u.seq = _job.seq; END IF;
END $$;

CREATE FUNCTION @.release_keys(_seqs bigint[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM @.uniques u USING unnest(_seqs) e (seq), @.jobs j WHERE j.seq = e.seq AND u.key = j.unique_key AND u.seq = j.seq
$$;

CREATE FUNCTION @.keep_key_until(_key text, _job_id text, _until bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO @.windows (key, job_id, until) VALUES (_key, _job_id, _until)
  ON CONFLICT (key) DO UPDATE SET job_id = excluded.job_id, until = excluded.until
$$;

-- Forgets windows that ended. Answers how many. By windows_until.
CREATE FUNCTION @.purge_ended_windows(_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _purged int;
BEGIN
  DELETE FROM @.windows w WHERE w.key = ANY (ARRAY(SELECT x.key FROM @.windows x WHERE x.until <= @.now() ORDER BY x.until LIMIT _limit));
  GET DIAGNOSTICS _purged = ROW_COUNT;
  RETURN _purged;
END $$;
`;
