/** How long joins are kept (G19): closed ones until their members are gone and nobody who came after them lives; staged ones that were given up, not at all. */
import { stagedKeptMs } from "../core/defaults.ts";
import { joinStates } from "./join.ts";

export const joinRetentionFunctions: string = `
-- By joins_purge and joins_staged: the first.
CREATE FUNCTION @.is_any_join_purge_due() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.joins n WHERE n.purge_at <= @.now()) OR cardinality(@.left_joins(1)) > 0;
END $$;

-- Staged joins to which nothing was added for long. Answers how many.
CREATE FUNCTION @.remove_leftovers(_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _left bigint[] := @.left_joins(_limit);
  _seq bigint;
BEGIN
  FOREACH _seq IN ARRAY _left LOOP PERFORM @.begin_removal(@.join_at(_seq)); END LOOP;
  RETURN cardinality(_left);
END $$;

-- By joins_staged.
CREATE FUNCTION @.left_joins(_limit int) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  _until bigint := @.now() - ${stagedKeptMs};
BEGIN
  RETURN ARRAY(SELECT n.seq FROM @.joins n WHERE n.state = ${joinStates.staged} AND n.touched_at <= _until AND NOT n.is_cancelled ORDER BY n.touched_at, n.seq LIMIT _limit);
END $$;

-- Answers how many were removed. One that something holds back is looked at again when that is gone. By joins_purge.
CREATE FUNCTION @.purge_joins(_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _seqs text[];
  _seq text;
  _purged int := 0;
BEGIN
  PERFORM @.gather('joins_to_purge', q.seq::text) FROM (SELECT n.seq FROM @.joins n WHERE n.purge_at <= _now ORDER BY n.purge_at, n.seq LIMIT _limit) q;
  LOOP
    _seqs := @.take_gathered('joins_to_purge');
    EXIT WHEN cardinality(_seqs) = 0;
    FOREACH _seq IN ARRAY _seqs LOOP
      IF _purged >= _limit THEN
        PERFORM @.gather('joins_to_purge', _seq);
      ELSIF @.purge_join(_seq::bigint) THEN
        _purged := _purged + 1;
      END IF;
    END LOOP;
    EXIT WHEN _purged >= _limit;
  END LOOP;
  RETURN _purged;
END $$;

-- Before the verb ends: what was not looked at is left to the next tidy. By primary key.
CREATE FUNCTION @.leave_to_purge() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _seqs bigint[];
BEGIN
  IF NOT @.is_gathered('joins_to_purge') THEN RETURN; END IF;
  _seqs := @.take_gathered('joins_to_purge')::bigint[];
  UPDATE @.joins n SET purge_at = @.now() WHERE n.seq = ANY (_seqs) AND n.state >= ${joinStates.closed} AND n.purge_at IS NULL;
END $$;

-- By primary keys, and by joins_parent.
CREATE FUNCTION @.purge_join(_seq bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _join @.joins := @.join_at(_seq);
  _is_named boolean;
BEGIN
  IF _join.seq IS NULL OR _join.state < ${joinStates.closed} OR (_join.state = ${joinStates.closed} AND _join.purge_at > @.now()) THEN RETURN false; END IF;
  _is_named := CASE WHEN _join.state = ${joinStates.removed} THEN @.is_yet_to_be_told(_seq) ELSE @.has_live_followers(_seq) END;
  IF _is_named OR EXISTS (SELECT 1 FROM @.joined m WHERE m.joined = _seq) OR EXISTS (SELECT 1 FROM @.joins n WHERE n.parent = _seq) THEN
    IF _join.purge_at IS NOT NULL THEN UPDATE @.joins n SET purge_at = NULL WHERE n.seq = _seq; END IF;
    RETURN false;
  END IF;
  IF _join.after IS NOT NULL THEN PERFORM @.forget_edges(_seq); END IF;
  IF _join.parent IS NOT NULL THEN PERFORM @.gather('joins_to_purge', _join.parent::text); END IF;
  PERFORM @.remove_join(_join);
  RETURN true;
END $$;
`;
