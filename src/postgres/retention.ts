/** What history keeps, and for how long (G19). */
import { completionOf } from "./completions.ts";
import { flags } from "./flags.ts";
import { joinStates } from "./join.ts";

const hasOthers = flags.hasJoin | flags.hasAfter | flags.hasFollowers;
/** Of a member whose own join was given up: it goes with it, whatever its time. */
const givenUp = -1;
const never = "9223372036854775807";

export const retentionFunctions: string = `
-- By purges_at, completions_purge, events_purge, windows_until: the first.
CREATE FUNCTION @.is_any_purge_due() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT EXISTS (SELECT 1 FROM @.purges p WHERE p.at <= @.now()) OR EXISTS (SELECT 1 FROM @.completions c WHERE c.purge_at <= @.now())
    OR EXISTS (SELECT 1 FROM @.events e WHERE e.purge_at <= @.now())
    OR EXISTS (SELECT 1 FROM @.windows w WHERE w.until <= @.now()) OR @.is_any_join_purge_due());
END $$;

-- Removes ended jobs, old events, closed joins and ended windows of unique keys, _limit of each. By events_purge.
CREATE FUNCTION @.purge(_limit int, OUT _purged int, OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _jobs record := @.purge_jobs(_limit);
  _joins int := @.purge_joins(_limit);
  _events int;
  _windows int;
BEGIN
  DELETE FROM @.events d WHERE d.seq = ANY (ARRAY(SELECT e.seq FROM @.events e WHERE e.purge_at <= @.now() ORDER BY e.purge_at LIMIT _limit));
  GET DIAGNOSTICS _events = ROW_COUNT;
  _windows := @.purge_ended_windows(_limit);
  _purged := _jobs._purged + _joins + _events;
  _has_more := _jobs._has_more OR greatest(_joins, _events, _windows) >= _limit;
END $$;

-- Members of joins that were given up, and these joins.
CREATE FUNCTION @.purge_given_up(_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _purged int := 0;
  _seq text;
BEGIN
  FOREACH _seq IN ARRAY @.take_gathered('given_up') LOOP
    IF @.purge_one(_seq::bigint) THEN _purged := _purged + 1; END IF;
  END LOOP;
  RETURN _purged + CASE WHEN @.is_gathered('joins_to_purge') THEN @.purge_joins(_limit) ELSE 0 END;
END $$;

-- Out of the store, with all that points to it. By primary key.
CREATE FUNCTION @.remove_job(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.leave_state(_job);
  DELETE FROM @.jobs j WHERE j.seq = _job.seq;
  PERFORM @.forget_membership(_job);
  IF _job.flags & ${flags.hasAfter} <> 0 THEN PERFORM @.forget_edges(_job.seq); END IF;
END $$;

-- Hints are looked at, never trusted: the job may live again, be gone, or be remembered for longer.
CREATE FUNCTION @.purge_jobs(_limit int, OUT _purged int, OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _hints record;
  _completions record;
  _seqs bigint[];
  _completed bigint[];
  _seq bigint;
BEGIN
  _hints := @.take_hints(_limit);
  _completions := @.take_due_completions(_limit - cardinality(_hints._seqs));
  _seqs := _hints._seqs || _completions._seqs;
  _has_more := _hints._has_more OR _completions._has_more;
  _completed := @.purge_completed(_seqs);
  _purged := cardinality(_completed);
  FOREACH _seq IN ARRAY ARRAY(SELECT s FROM unnest(_seqs) WITH ORDINALITY u (s, n) WHERE s <> ALL (_completed) ORDER BY n) LOOP
    IF @.purge_one(_seq) THEN _purged := _purged + 1; END IF;
  END LOOP;
END $$;

-- Takes what is due to be looked at, _limit jobs. By purges_at, then primary keys.
CREATE FUNCTION @.take_hints(_limit int, OUT _seqs bigint[], OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _hint record;
  _spent bigint[] := '{}';
  _budget int := _limit;
BEGIN
  _seqs := '{}';
  _has_more := false;
  FOR _hint IN SELECT p.id, p.seqs FROM @.purges p WHERE p.at <= @.now() ORDER BY p.at, p.id LIMIT _limit LOOP
    IF cardinality(_hint.seqs) > _budget THEN
      _seqs := _seqs || _hint.seqs[1:_budget];
      UPDATE @.purges p SET seqs = _hint.seqs[_budget + 1:] WHERE p.id = _hint.id;
      _has_more := true;
      EXIT;
    END IF;
    _seqs := _seqs || _hint.seqs;
    _spent := _spent || _hint.id;
    _budget := _budget - cardinality(_hint.seqs);
  END LOOP;
  DELETE FROM @.purges p WHERE p.id = ANY (_spent);
  _has_more := _has_more OR cardinality(_spent) = _limit;
END $$;

-- Most are that, and have to do with no other: removed all at once. Answers which. By primary keys.
CREATE FUNCTION @.purge_completed(_seqs bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _due bigint[] := ARRAY(
    SELECT DISTINCT u.seq FROM unnest(_seqs) u (seq) ${completionOf("u.seq", "true")}
      CROSS JOIN LATERAL (SELECT j.keep, j.flags, j.remember_until FROM @.jobs j WHERE j.seq = u.seq AND j.state = 0 OFFSET 0) j
      CROSS JOIN LATERAL (SELECT k.completed FROM @.keeps k WHERE k.id = j.keep OFFSET 0) k
    WHERE d.ended_at + k.completed <= @.now() AND coalesce(j.remember_until, 0) <= @.now() AND j.flags & ${hasOthers} = 0);
  _line record;
BEGIN
  IF cardinality(_due) = 0 THEN RETURN _due; END IF;
  FOR _line IN SELECT j.line, count(*)::int AS jobs FROM @.jobs j WHERE j.seq = ANY (_due) GROUP BY j.line LOOP
    PERFORM @.count_change(_line.line, 'completed', -_line.jobs);
  END LOOP;
  DELETE FROM @.jobs j WHERE j.seq = ANY (_due);
  PERFORM @.uncomplete(_due);
  RETURN _due;
END $$;

-- By primary keys.
CREATE FUNCTION @.purge_one(_seq bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.job_at(_seq);
  _keep_ms bigint;
  _at bigint;
  _is_given_up boolean;
BEGIN
  IF _job.seq IS NULL OR NOT @.is_ended(_job.state) THEN RETURN false; END IF;
  _keep_ms := @.keep_ms(_job.keep, _job.state);
  _at := greatest(_job.ended_at + _keep_ms, coalesce(_job.remember_until, 0));
  IF _job.flags & ${flags.hasJoin} <> 0 THEN _at := @.time_of_member(_seq, _at, _keep_ms); END IF;
  -- Its joins keep it until they close.
  IF _at IS NULL THEN RETURN false; END IF;
  _is_given_up := _at = ${givenUp};
  IF _at > @.now() THEN
    PERFORM @.purge_at(_at, _seq);
    RETURN false;
  END IF;
  IF _job.flags & ${flags.hasFollowers} <> 0 AND (CASE WHEN _is_given_up THEN @.is_yet_to_be_told(_seq) ELSE @.has_live_followers(_seq) END) THEN
    IF _is_given_up THEN
      PERFORM @.purge_at(@.now(), _seq);
    ELSE
      UPDATE @.jobs j SET flags = j.flags | ${flags.isKept} WHERE j.seq = _seq;
    END IF;
    RETURN false;
  END IF;
  PERFORM @.remove_job(_job);
  RETURN true;
END $$;

-- Its keep counts from when its joins have closed; null: one that has not closed keeps it until then. By joined_seq, then primary keys.
CREATE FUNCTION @.time_of_member(_seq bigint, _at bigint, _keep_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _join record;
BEGIN
  FOR _join IN SELECT m.joined, m.nth, n.state, n.closed_at FROM @.joined m CROSS JOIN LATERAL (SELECT n.state, n.closed_at FROM @.joins n WHERE n.seq = m.joined OFFSET 0) n WHERE m.seq = _seq ORDER BY m.nth LOOP
    IF _join.state = ${joinStates.removed} AND _join.nth = 0 THEN RETURN ${givenUp}; END IF;
    IF _join.state = ${joinStates.closed} THEN
      _at := greatest(_at, coalesce(_join.closed_at, 0) + _keep_ms);
    ELSIF _at <= @.now() THEN
      UPDATE @.joined m SET is_kept = true WHERE m.joined = _join.joined AND m.seq = _seq;
      -- Whatever its other joins say.
      _at := ${never};
    END IF;
  END LOOP;
  RETURN nullif(_at, ${never});
END $$;
`;
