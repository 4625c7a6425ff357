/** Members that wait for nothing but their join: let go many to a statement. */
import { flags } from "./flags.ts";
import { codeOf } from "./numbers.ts";

const isMore = flags.hasLane | flags.hasStartBy | flags.hasAfter | flags.hasKeyLimits | flags.hasLater;

export const letGoPlainFunctions: string = `
-- Of an open join's own members. Answers which were let go; the others are to be looked at one by one.
-- By primary key: + 0 keeps the planner from jobs_state, of which it would walk all that are blocked.
CREATE FUNCTION @.let_go_plain(_seqs bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _gone bigint[];
  _lines int[];
  _line record;
BEGIN
  WITH told AS (
    UPDATE @.jobs j SET state = 0, flags = j.flags & ~${flags.isHeld}, due_at = _now, since = _now
      WHERE j.seq = ANY (_seqs) AND j.state + 0 = ${codeOf("blocked")} AND j.flags & ${flags.isHeld} <> 0 AND j.flags & ${isMore} = 0 AND j.due_at <= _now
      RETURNING j.seq, j.line, j.urgency, j.flags
  ), come AS (
    INSERT INTO @.ready (line, urgency, seq, flags) SELECT t.line, t.urgency, t.seq, t.flags FROM told t
  )
  SELECT coalesce(array_agg(t.seq), '{}'), array_agg(t.line) INTO _gone, _lines FROM told t;
  IF cardinality(_gone) = 0 THEN RETURN _gone; END IF;
  FOR _line IN SELECT l.id, count(*)::int AS jobs FROM unnest(_lines) l (id) GROUP BY l.id LOOP
    PERFORM @.count_change(_line.id, 'blocked', -_line.jobs), @.count_change(_line.id, 'ready', _line.jobs);
  END LOOP;
  PERFORM @.tally('released', cardinality(_gone)), @.tell_readied();
  RETURN _gone;
END $$;
`;
