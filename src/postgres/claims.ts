/**
 * Jobs that run, many to a row: what was handed out in one claim and has no more to it than its completion. That ends them with one row as well, so that a plain job
 * costs the server its place in `ready` and no row more.
 *
 * What happens to one of them alone (an outcome of another kind, cancel, a new tie, expiry) takes it out into a row of `running` first, under the write lock.
 *
 * A caller's transaction that settles one takes no such lock, and nobody waits for it. It holds two advisory locks until it ends: one on the claim, shared with other
 * callers, so that verbs ask for each job of that claim by itself meanwhile; and one on the job, so that who would end it or take it out passes over it. What it settled is a row of
 * `running` of its own, and the job leaves `claims` when that is taken in.
 */
import { bare, flags } from "./flags.ts";
import { codeOf } from "./numbers.ts";

/** In what is more, from its first day on. */
const neverBare = flags.hasLane | flags.hasUnique | flags.hasAfter | flags.hasKeyLimits;

/** Of a row j of `taken` or of `jobs`. */
export const isBare: string = `j.flags & ~${bare} = 0`;

const claimLock = (fence: string): string => `hashtextextended(@schema || ' ' || ${fence}, 718)`;
const jobLock = (seq: string): string => `hashtextextended(@schema || ' ' || ${seq}, 719)`;

/** Raised by a function to undo what it did. */
const undone = "ERU01";

/** The row that says that a job runs, as one of `running`: of a wide row j. By primary key, then claims_span. */
export const runningOf: string = `LEFT JOIN LATERAL (
    SELECT r.seq, r.process, r.claim, r.fence, r.started_at, r.is_cancelling, r.flags, r.terms FROM @.running r WHERE j.state = 0 AND r.seq = j.seq
    UNION ALL
    SELECT j.seq, c.process, c.claim, c.fence, c.started_at, false, j.flags, c.terms FROM @.claims c
      WHERE j.state = 0 AND j.flags & ${neverBare} = 0 AND int8range(c.low, c.beyond) @> j.seq AND j.seq = ANY (c.seqs)
    LIMIT 1) r ON true`;

export const claimsFunctions: string = `
-- Those of a claim that completed, in order; answers those that are to be settled one by one. By primary key.
CREATE FUNCTION @.complete_of_claim(_fence bigint, _claim text, _given bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _row record;
  _ended bigint[];
  _left bigint[] := @.free_in_claim(_fence, _given);
  _held bigint[] := CASE WHEN _left = _given THEN '{}' ELSE ARRAY(SELECT unnest(_given) EXCEPT SELECT unnest(_left) ORDER BY 1) END;
BEGIN
  IF cardinality(_left) = 0 THEN RETURN _held; END IF;
  FOR _row IN SELECT c.ctid, c.line, c.keep, c.terms, c.seqs FROM @.claims c WHERE c.fence = _fence AND c.claim = _claim AND NOT c.is_mixed ORDER BY c.line, c.keep LOOP
    IF _row.seqs[1 : cardinality(_left)] = _left THEN
      _ended := _left;
    ELSE
      _ended := ARRAY(SELECT unnest(_row.seqs) INTERSECT SELECT unnest(_left) ORDER BY 1);
      CONTINUE WHEN cardinality(_ended) = 0;
    END IF;
    PERFORM @.take_from_claim(_row.ctid, _row.seqs, _ended);
    PERFORM @.complete_seqs(_ended, _row.keep);
    INSERT INTO @.counts (line, state, jobs) VALUES (_row.line, ${codeOf("running")}, -cardinality(_ended)), (_row.line, ${codeOf("completed")}, cardinality(_ended));
    IF _row.terms IS NOT NULL THEN PERFORM @.give_gates_back(_row.terms, cardinality(_ended)); END IF;
    IF _ended = _left THEN RETURN _held; END IF;
    _left := ARRAY(SELECT unnest(_left) EXCEPT SELECT unnest(_ended) ORDER BY 1);
  END LOOP;
  RETURN _left || _held;
END $$;

-- Those of a claim that no caller's transaction holds, or has settled; none holds them before this transaction ends. By running_settled.
CREATE FUNCTION @.free_in_claim(_fence bigint, _seqs bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _free bigint[] := _seqs;
BEGIN
  IF NOT pg_try_advisory_xact_lock(${claimLock("_fence")}) THEN _free := ARRAY(SELECT u.s FROM unnest(_seqs) u (s) WHERE pg_try_advisory_xact_lock(${jobLock("u.s")}) ORDER BY u.s); END IF;
  -- A statement of its own, which sees what was committed before a lock was free.
  IF NOT EXISTS (SELECT 1 FROM @.running r WHERE r.fence = _fence AND r.is_settled) THEN RETURN _free; END IF;
  RETURN ARRAY(SELECT unnest(_free) EXCEPT SELECT r.seq FROM @.running r WHERE r.fence = _fence AND r.is_settled ORDER BY 1);
END $$;

-- By place.
CREATE FUNCTION @.take_from_claim(_row tid, _seqs bigint[], _gone bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _rest bigint[] := CASE WHEN cardinality(_gone) = cardinality(_seqs) THEN '{}' WHEN _seqs[1 : cardinality(_gone)] = _gone THEN _seqs[cardinality(_gone) + 1 :]
    ELSE ARRAY(SELECT unnest(_seqs) EXCEPT SELECT unnest(_gone) ORDER BY 1) END;
BEGIN
  IF cardinality(_rest) = 0 THEN
    DELETE FROM @.claims c WHERE c.ctid = _row;
  ELSE
    UPDATE @.claims c SET seqs = _rest, low = _rest[1] WHERE c.ctid = _row;
  END IF;
END $$;

-- As rows of running, each by itself. False: a caller's transaction holds it. True also where it stands in no claim, or in running already. By claims_span.
CREATE FUNCTION @.take_out(_seq bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _row record;
BEGIN
  SELECT c.ctid, c.* INTO _row FROM @.claims c WHERE int8range(c.low, c.beyond) @> _seq AND _seq = ANY (c.seqs);
  IF NOT FOUND THEN RETURN true; END IF;
  IF NOT pg_try_advisory_xact_lock(${jobLock("_seq")}) THEN RETURN false; END IF;
  IF EXISTS (SELECT 1 FROM @.running r WHERE r.seq = _seq) THEN RETURN true; END IF;
  PERFORM @.run_alone(ARRAY[_seq], _row.fence, _row.keep, _row.line);
  PERFORM @.take_from_claim(_row.ctid, _row.seqs, ARRAY[_seq]);
  RETURN true;
END $$;

-- By primary keys.
CREATE FUNCTION @.run_alone(_seqs bigint[], _fence bigint, _keep int, _line int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.running (seq, line, keep, flags, process, fence, claim, started_at, terms)
  SELECT j.seq, c.line, c.keep, j.flags, c.process, c.fence, c.claim, c.started_at, c.terms
  FROM @.claims c CROSS JOIN LATERAL (SELECT j.seq, j.flags FROM unnest(_seqs) u (seq) CROSS JOIN LATERAL (SELECT j.seq, j.flags FROM @.jobs j WHERE j.seq = u.seq OFFSET 0) j OFFSET 0) j
  WHERE c.fence = _fence AND c.line = _line AND c.keep = _keep;
END $$;

-- At least _least of a process that is lost, as far as no caller's transaction holds them. By claims_process.
CREATE FUNCTION @.take_out_of_process(_process int, _least int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _row record;
  _free bigint[];
BEGIN
  FOR _row IN SELECT c.ctid, c.fence, c.line, c.keep, c.seqs FROM @.claims c WHERE c.process = _process ORDER BY c.process, c.fence LOOP
    EXIT WHEN _least <= 0;
    _free := @.free_in_claim(_row.fence, _row.seqs);
    CONTINUE WHEN cardinality(_free) = 0;
    PERFORM @.run_alone(_free, _row.fence, _row.keep, _row.line);
    PERFORM @.take_from_claim(_row.ctid, _row.seqs, _free);
    _least := _least - cardinality(_free);
  END LOOP;
END $$;

-- Something new hangs on its end. Where a caller's transaction holds it, its whole claim is settled job by job. By claims_span.
CREATE FUNCTION @.tie_running(_seq bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.take_out(_seq) THEN UPDATE @.claims c SET is_mixed = true WHERE int8range(c.low, c.beyond) @> _seq AND _seq = ANY (c.seqs); END IF;
END $$;

-- For a caller's transaction: the job is its own until it ends; false: it does not run so, and nothing is held. Another caller that holds it is waited for. By primary keys.
CREATE FUNCTION @.hold_in_claim(_seq bigint, _outcome jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _fence bigint := @.ms(_outcome, 'fence');
BEGIN
  -- What is not in it now never will be: who holds the job's next run is not waited for.
  IF NOT @.is_in_claim(_seq, _fence, _outcome ->> 'claim') THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock_shared(${claimLock("_fence")});
  PERFORM pg_advisory_xact_lock(${jobLock("_seq")});
  IF NOT @.is_in_claim(_seq, _fence, _outcome ->> 'claim') OR EXISTS (SELECT 1 FROM @.running r WHERE r.seq = _seq) THEN
    RAISE EXCEPTION USING ERRCODE = '${undone}';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN PERFORM @.see_in_claim(_seq, _fence); END IF;
  RETURN true;
-- Its locks are gone with it.
EXCEPTION WHEN SQLSTATE '${undone}' THEN RETURN false;
END $$;

-- By primary key.
CREATE FUNCTION @.is_in_claim(_seq bigint, _fence bigint, _claim text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.claims c WHERE c.fence = _fence AND c.claim = _claim AND _seq = ANY (c.seqs));
END $$;

-- Fails as a serialization failure where others have changed the row of claims since the snapshot, or settled the job: locks it and writes what they would have written, and
-- undoes both, so that nobody waits for it. (FOR KEY SHARE passes over rows whose other columns were changed.) By primary keys.
CREATE FUNCTION @.see_in_claim(_seq bigint, _fence bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM @.claims c WHERE c.fence = _fence AND _seq = ANY (c.seqs) FOR SHARE;
  PERFORM @.run_settled(_seq, _fence);
  RAISE EXCEPTION USING ERRCODE = '${undone}';
EXCEPTION
  WHEN SQLSTATE '${undone}' THEN RETURN;
  WHEN unique_violation THEN RAISE EXCEPTION 'job % was settled by another transaction since the snapshot', _seq USING ERRCODE = 'serialization_failure';
END $$;

-- What a caller's transaction settles is a row of running. By primary keys.
CREATE FUNCTION @.run_settled(_seq bigint, _fence bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE @.running r SET is_settled = true WHERE r.seq = _seq;
  IF FOUND THEN RETURN; END IF;
  PERFORM @.run_alone(ARRAY[_seq], _fence, c.keep, c.line) FROM @.claims c WHERE c.fence = _fence AND _seq = ANY (c.seqs);
  UPDATE @.running r SET is_settled = true WHERE r.seq = _seq;
END $$;

-- What callers settled is taken in. By primary key.
CREATE FUNCTION @.leave_claim(_seq bigint, _fence bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _row record;
BEGIN
  SELECT c.ctid, c.seqs INTO _row FROM @.claims c WHERE c.fence = _fence AND _seq = ANY (c.seqs);
  IF FOUND THEN PERFORM @.take_from_claim(_row.ctid, _row.seqs, ARRAY[_seq]); END IF;
END $$;
`;
