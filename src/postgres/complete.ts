/** The common outcome, many at once: completed, with nothing to keep. Touches no wide row. */
import { flags } from "./flags.ts";
import { codeOf } from "./numbers.ts";

/** What a completion must tell somebody of. */
const hasTies = flags.hasJoin | flags.hasFollowers;
/** What keeps its place in the order of the outcomes where follow-up work may want it. */
export const hasKey: number = flags.hasLane | flags.hasUnique;

export const completeFunctions: string = `
-- Answers the places of those that were completed; the others are to be settled one by one. _of: under which of the claims and fences each ran. _without: flags
-- of those that are left to others. By jobs_id, then primary keys.
CREATE FUNCTION @.complete_plain(_ids text[], _of int[], _claims text[], _fences bigint[], _without int, _is_taken_in boolean) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
  _nths int[];
  _seqs bigint[];
  _lines int[];
  _keeps int[];
  _flags int[];
  _lanes text[];
  _terms int[];
  _all int;
  _by record;
BEGIN
  SELECT array_agg(r.nth), array_agg(r.seq), array_agg(r.line), array_agg(r.keep), array_agg(r.flags), array_agg(r.lane), array_agg(r.terms) FILTER (WHERE r.terms IS NOT NULL), bit_or(r.flags)
    INTO _nths, _seqs, _lines, _keeps, _flags, _lanes, _terms, _all
    FROM (SELECT p.nth::int AS nth, r.* FROM unnest(_ids, _of) WITH ORDINALITY p (id, claim, nth) CROSS JOIN LATERAL (SELECT j.seq, j.flags FROM @.jobs j WHERE j.id = p.id OFFSET 0) j
    -- What came after it, or made it a member, since it was handed out, told its wide row alone.
    CROSS JOIN LATERAL (SELECT r.seq, r.line, r.keep, r.flags | j.flags AS flags, r.lane, r.terms FROM @.running r WHERE r.seq = j.seq AND r.fence = _fences[p.claim] AND r.claim = _claims[p.claim]
      AND NOT r.is_cancelling AND (_is_taken_in OR NOT r.is_settled) AND r.flags & _without = 0 FOR UPDATE SKIP LOCKED) r ORDER BY r.seq) r;
  IF _seqs IS NULL THEN RETURN '{}'; END IF;
  DELETE FROM @.running r WHERE r.seq = ANY (_seqs);
  IF _is_taken_in THEN PERFORM @.leave_claim(u.seq, _fences[_of[u.nth]]) FROM unnest(_seqs, _nths) u (seq, nth); END IF;
  PERFORM @.complete_seqs(u.seqs, u.keep) FROM (SELECT u.keep, array_agg(u.seq ORDER BY u.seq) AS seqs FROM unnest(_keeps, _seqs) u (keep, seq) GROUP BY u.keep) u;
  INSERT INTO @.counts (line, state, jobs) SELECT u.line, n.state, n.sign * count(*)
    FROM unnest(_lines) u (line) CROSS JOIN (VALUES (${codeOf("running")}, -1), (${codeOf("completed")}, 1)) n (state, sign) GROUP BY u.line, n.state, n.sign;
  -- What those that are more than plain held: their gates, lanes, keys and limits, and what they came after.
  IF _terms IS NOT NULL THEN
    FOR _by IN SELECT t.id, count(*)::int AS jobs FROM unnest(_terms) t (id) GROUP BY t.id LOOP PERFORM @.give_gates_back(_by.id, _by.jobs); END LOOP;
  END IF;
  IF _all & ${flags.hasLane | flags.hasUnique | flags.hasKeyLimits | flags.hasAfter | hasTies} = 0 THEN RETURN _nths; END IF;
  IF _all & ${flags.hasLane} <> 0 THEN PERFORM @.leave_lanes(_lanes, _seqs); END IF;
  IF _all & ${flags.hasUnique} <> 0 THEN PERFORM @.release_keys(@.flagged(_seqs, _flags, ${flags.hasUnique})); END IF;
  IF _all & ${flags.hasKeyLimits} <> 0 THEN PERFORM @.give_back_keys(@.flagged(_seqs, _flags, ${flags.hasKeyLimits})); END IF;
  IF _all & ${flags.hasAfter} <> 0 THEN PERFORM @.turn_followers(@.flagged(_seqs, _flags, ${flags.hasAfter}), false); END IF;
  IF _all & ${hasTies} <> 0 THEN PERFORM @.note_endings(_seqs, _flags, NULL, 'well'); END IF;
  RETURN _nths;
END $$;

CREATE FUNCTION @.flagged(_seqs bigint[], _flags int[], _flag int) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN (SELECT coalesce(array_agg(u.seq ORDER BY u.seq), '{}') FROM unnest(_seqs, _flags) u (seq, flags) WHERE u.flags & _flag <> 0);
END $$;
`;
