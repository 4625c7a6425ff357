/** Joins through their life (G11): opening, closing, their fate; and bounded passes over their members and the joins within them. */
import { joinsKeptMs, tidyMax } from "../core/defaults.ts";
import { endedCodes, joinStates } from "./join.ts";
import { passKinds } from "./passKinds.ts";

export const joinPassFunctions: string = `
-- Something that it came after has ended, or it was sealed, or what it is within has opened.
CREATE FUNCTION @.look_at_node(_node bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.job_at(_node);
  _join @.joins;
BEGIN
  IF _job.seq IS NOT NULL THEN
    PERFORM @.look_at_held(_job);
    RETURN;
  END IF;
  _join := @.join_at(_node);
  IF _join.seq IS NULL THEN RETURN; END IF;
  IF _join.state = ${joinStates.waiting} AND NOT _join.is_cancelled AND _join.fate IS NULL THEN PERFORM @.go_on(_join); END IF;
  IF _join.live = 0 THEN PERFORM @.gather('to_close', _node::text); END IF;
END $$;

CREATE FUNCTION @.is_closable(_join @.joins) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN _join.state < ${joinStates.closed} AND _join.live = 0 AND (_join.state = ${joinStates.open} OR _join.is_cancelled OR _join.fate IS NOT NULL);
END $$;

-- With its counts, which stand for ever. By primary keys.
CREATE FUNCTION @.close_join(_join @.joins) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _is_bad boolean := CASE WHEN _join.fate IS NULL THEN _join.is_cancelled OR _join.failed > 0 ELSE _join.fate = 'cancelled' END;
BEGIN
  UPDATE @.joins n SET state = ${joinStates.closed}, ended = CASE WHEN _is_bad THEN ${endedCodes.badly} ELSE ${endedCodes.well} END, closed_at = @.now(),
    purge_at = greatest(@.now() + ${joinsKeptMs}, coalesce(n.remember_until, 0)), members = _join.members, live = _join.live, succeeded = _join.succeeded,
    failed = _join.failed, given = _join.given
    WHERE n.seq = _join.seq;
  DELETE FROM @.join_changes c WHERE c.joined = _join.seq AND c.n > _join.folded;
  PERFORM @.tell_join_ended(_join, NOT _is_bad);
  PERFORM @.tally('closed');
  -- Parked members have ended for their join, and are cancelled with it all the same.
  IF NOT _join.is_cancelled THEN
    PERFORM @.end_pass(${passKinds.members}, _join.seq), @.end_pass(${passKinds.children}, _join.seq);
    DELETE FROM @.passes p WHERE p.kind = ANY ('{${passKinds.members},${passKinds.children}}'::smallint[]) AND p.node = _join.seq;
  END IF;
  PERFORM @.begin_pass(${passKinds.kept}, _join.seq);
END $$;

-- A staged join that was given up, or one within it: it takes nothing more, and has ended badly, unless it had ended before; its members go in passes. By primary key.
CREATE FUNCTION @.begin_removal(_join @.joins) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _join.state = ${joinStates.removed} THEN RETURN; END IF;
  IF _join.state = ${joinStates.closed} THEN
    UPDATE @.joins n SET state = ${joinStates.removed}, purge_at = NULL WHERE n.seq = _join.seq;
  ELSE
    UPDATE @.joins n SET state = ${joinStates.removed}, ended = ${endedCodes.badly} WHERE n.seq = _join.seq;
    PERFORM @.tell_join_ended(_join, false);
  END IF;
  PERFORM @.gather('joins_to_purge', _join.seq::text), @.walk_members(_join.seq);
END $$;

-- Goes on with a pass, for at most _limit things done and ${tidyMax} rows seen. Answers whether it came to the end. By primary key, joined_kept or joins_parent.
CREATE FUNCTION @.walk_on(_kind int, _node bigint, _limit int, INOUT _cursor bigint, OUT _is_at_end boolean) LANGUAGE plpgsql AS $$
DECLARE
  _join @.joins := @.join_at(_node);
  _rows bigint[];
  _row bigint;
  _walked record;
BEGIN
  _is_at_end := true;
  IF _join.seq IS NULL THEN RETURN; END IF;
  IF _kind = ${passKinds.members} THEN
    _walked := @.walk_on_members(_join, _limit, _cursor);
    _cursor := _walked._cursor;
    _is_at_end := _walked._is_at_end;
    RETURN;
  ELSIF _kind = ${passKinds.kept} THEN
    _rows := ARRAY(SELECT m.seq FROM @.joined m WHERE m.joined = _node AND m.is_kept AND m.seq > _cursor ORDER BY m.seq LIMIT _limit);
    -- Their time may have come: a member goes no sooner than its keep after its join has closed.
    UPDATE @.joined m SET is_kept = false WHERE m.joined = _node AND m.seq = ANY (_rows);
    PERFORM @.purge_at(@.now(), k.seq) FROM unnest(_rows) k (seq);
  ELSE
    _rows := ARRAY(SELECT n.seq FROM @.joins n WHERE n.parent = _node AND n.seq > _cursor ORDER BY n.seq LIMIT _limit);
    FOREACH _row IN ARRAY _rows LOOP PERFORM @.visit_child(_join, _row); END LOOP;
  END IF;
  _cursor := coalesce(_rows[cardinality(_rows)], _cursor);
  _is_at_end := cardinality(_rows) < _limit;
END $$;

-- Sealed: it opens when nothing holds it; or ends as its predecessor's ending says. By primary key.
CREATE FUNCTION @.go_on(_join @.joins) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _verdict jsonb := CASE WHEN _join.after IS NULL THEN '{"is": "met"}'::jsonb ELSE @.verdict_on(_join.seq) END;
BEGIN
  IF _verdict ->> 'is' = 'held' THEN RETURN; END IF;
  IF _verdict ->> 'is' <> 'met' THEN
    PERFORM @.meet_fate(_join.seq, _verdict ->> 'is', _verdict ->> 'reason');
  ELSIF _join.parent IS NULL OR EXISTS (SELECT 1 FROM @.joins n WHERE n.seq = _join.parent AND n.state = ${joinStates.open} AND NOT n.is_cancelled) THEN
    UPDATE @.joins n SET state = ${joinStates.open} WHERE n.seq = _join.seq;
    PERFORM @.walk_members(_join.seq);
  END IF;
END $$;

-- By primary key. Whether it can close is looked at when its members are counted.
CREATE FUNCTION @.meet_fate(_join bigint, _fate text, _reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE @.joins n SET fate = _fate, reason = _reason WHERE n.seq = _join;
  PERFORM @.gather('to_close', _join::text), @.walk_members(_join);
END $$;

CREATE FUNCTION @.walk_members(_join bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.begin_pass(${passKinds.members}, _join), @.begin_pass(${passKinds.children}, _join);
END $$;

-- To what it is within, and to whatever comes after it. By primary keys.
CREATE FUNCTION @.tell_join_ended(_join @.joins, _is_well boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.append('ended', _join.seq || ':0');
  IF _join.after IS NOT NULL THEN PERFORM @.turn_followers(ARRAY[_join.seq], false); END IF;
  IF EXISTS (SELECT 1 FROM @.joins n WHERE n.seq = _join.parent AND n.state < ${joinStates.closed}) THEN
    PERFORM @.change_counts(_join.parent, 0, -1, _is_well::int, (NOT _is_well)::int, 0);
  END IF;
END $$;

-- What it means to be visited is told by how the join stands now. By primary key.
CREATE FUNCTION @.walk_on_members(_join @.joins, _limit int, INOUT _cursor bigint, OUT _is_at_end boolean) LANGUAGE plpgsql AS $$
DECLARE
  _is_open boolean := @.is_open_join(_join);
  _most int := CASE WHEN _is_open THEN least(_limit - @.tallied('released'), ${tidyMax}) ELSE ${tidyMax} END;
  _seqs bigint[];
  _own bigint[];
  _done bigint[] := '{}';
  _seq bigint;
  _job @.job;
BEGIN
  _is_at_end := false;
  IF _most <= 0 THEN RETURN; END IF;
  SELECT coalesce(array_agg(q.seq ORDER BY q.seq), '{}'), array_agg(q.seq) FILTER (WHERE q.nth = 0) INTO _seqs, _own
    FROM (SELECT m.seq, m.nth FROM @.joined m WHERE m.joined = _join.seq AND m.seq > _cursor ORDER BY m.seq LIMIT _most) q;
  IF _is_open THEN _done := @.let_go_plain(coalesce(_own, '{}')); END IF;
  IF cardinality(_done) < cardinality(_seqs) THEN
    FOREACH _seq IN ARRAY _seqs LOOP
      IF NOT _is_open AND @.is_pass_spent(_join, _limit) THEN RETURN; END IF;
      IF NOT _is_open OR _seq <> ALL (_done) THEN
        _job := @.job_at(_seq);
        IF _job.seq IS NOT NULL THEN PERFORM @.visit_member(_join, _job); END IF;
      END IF;
      _cursor := _seq;
    END LOOP;
  END IF;
  _cursor := coalesce(_seqs[cardinality(_seqs)], _cursor);
  _is_at_end := cardinality(_seqs) < _most;
END $$;

CREATE FUNCTION @.is_pass_spent(_join @.joins, _limit int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE WHEN _join.state = ${joinStates.removed} THEN @.tallied('gave_up') ELSE @.tallied('dropped') END >= _limit;
END $$;

CREATE FUNCTION @.visit_member(_join @.joins, _job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _join.state = ${joinStates.removed} THEN
    PERFORM @.give_up(_join, _job);
  ELSIF NOT _join.is_cancelled THEN
    PERFORM @.let_go_by_join(_join, _job);
  ELSIF NOT coalesce(_job.is_cancelling, false) AND NOT @.is_ended(_job.state) THEN
    PERFORM @.cancel_live(_job, coalesce(_join.reason, '')), @.tally('dropped');
  END IF;
END $$;

-- One that only stood for another goes on as it is; its own are removed once whoever came after them has heard of it.
CREATE FUNCTION @.give_up(_join @.joins, _job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF @.leave_join(_join.seq, _job) THEN
    IF NOT @.is_ended(_job.state) THEN
      PERFORM @.end_job(_job, 'cancelled', jsonb_build_object('reason', format('not started: the rest of %s %s was never stored', _join.name, _join.id)));
    END IF;
    PERFORM @.append('given_up', _job.seq::text), @.tally('gave_up');
  END IF;
  PERFORM @.purge_at(@.now(), _job.seq);
END $$;

-- By primary key.
CREATE FUNCTION @.visit_child(_join @.joins, _seq bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _child @.joins := @.join_at(_seq);
BEGIN
  IF _child.seq IS NULL THEN RETURN; END IF;
  IF _join.state = ${joinStates.removed} THEN
    PERFORM @.begin_removal(_child);
  ELSIF _join.fate IS NULL THEN
    PERFORM @.gather('to_look_at', _seq::text);
  ELSIF _child.state < ${joinStates.closed} AND _child.fate IS NULL THEN
    PERFORM @.meet_fate(_seq, _join.fate, coalesce(_join.reason, ''));
  END IF;
END $$;
`;
