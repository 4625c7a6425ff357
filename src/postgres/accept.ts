/** Takes one job in: known by its id, lost to the holder of its unique key, or stored where it may go on from. */
import { flags } from "./flags.ts";

export const acceptFunctions: string = `
-- Stores what refusal_of let pass. _origin: 'outside', or 'run', whose members do not count for the size of a join. Answers are the port's, in order.
CREATE FUNCTION @.accept_works(_works jsonb, _origin text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _losers jsonb := '{}';
  _answers jsonb[] := '{}';
  _repeats int[] := @.repeats_in(_works);
  _at int := 0;
  _work jsonb;
  _accepted record;
  _members jsonb := @.store_plain_members(_works, _origin);
BEGIN
  IF _members IS NOT NULL THEN RETURN _members; END IF;
  FOR _work IN SELECT w.value FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth) ORDER BY w.nth LOOP
    IF _work ->> 'kind' = 'event' THEN
      _answers := _answers || @.accept_event(_work);
    ELSIF _at = ANY (_repeats) THEN
      _answers := _answers || jsonb_build_object('id', _work -> 'id', 'isDuplicate', true);
    ELSE
      IF _work ? 'join' THEN PERFORM @.give(_work ->> 'join', _origin); END IF;
      IF _work ->> 'kind' = 'job' THEN
        _accepted := @.accept_job(_work, _losers);
        _losers := _accepted._losers;
        _answers := _answers || _accepted._answer;
      ELSE
        _answers := _answers || @.accept_join(_work, _losers);
      END IF;
    END IF;
    _at := _at + 1;
  END LOOP;
  RETURN to_jsonb(_answers);
END $$;

-- _losers: by the id of each work of an atom that lost its unique key, who stands for it; 0: one that is gone.
CREATE FUNCTION @.accept_job(_work jsonb, INOUT _losers jsonb, OUT _answer jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _known @.job := @.find_job(_work ->> 'id');
  _winner record;
  _other @.job;
BEGIN
  IF _known.seq IS NOT NULL THEN
    _answer := @.stand_for(_known, _work);
    RETURN;
  END IF;
  IF _work ? 'unique' THEN
    _winner := @.winner_for(_work);
    _other := _winner._job;
    IF _other.seq IS NOT NULL THEN
      _losers := _losers || jsonb_build_object(_work ->> 'id', _other.seq);
      _other := @.yield_to(_other, _work);
      _answer := @.stand_for(_other, _work);
      RETURN;
    ELSIF _winner._window IS NOT NULL THEN
      _other := @.find_job(_winner._window);
      _losers := _losers || jsonb_build_object(_work ->> 'id', coalesce(_other.seq, 0));
      _answer := CASE WHEN _other.seq IS NULL THEN jsonb_build_object('id', _winner._window, 'isDuplicate', true) ELSE @.stand_for(_other, _work) END;
      RETURN;
    END IF;
  END IF;
  _known := @.store_job(_work, _losers);
  _answer := jsonb_build_object('id', _known.id, 'isDuplicate', false, 'state', _known.state);
END $$;

-- It is there already: where it was given to a join, it is a member of that too.
CREATE FUNCTION @.stand_for(_job @.job, _work jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _own bigint := @.own_of(_work);
BEGIN
  IF _own IS NOT NULL THEN _job := @.adopt(_own, _job); END IF;
  RETURN jsonb_build_object('id', _job.id, 'isDuplicate', true, 'state', _job.state);
END $$;

-- A gathering job that the newcomer does not fit into is full from here on.
CREATE FUNCTION @.winner_for(_work jsonb, OUT _job @.job, OUT _window text) LANGUAGE plpgsql AS $$
DECLARE
  _winner record;
BEGIN
  LOOP
    _winner := @.winner_of(_work -> 'unique');
    _job := _winner._job;
    _window := _winner._window;
    EXIT WHEN _job.seq IS NULL OR _work -> 'unique' -> 'mode' ->> 'is' <> 'gather' OR @.payload_with(_job.seq, _work) IS NOT NULL;
    PERFORM @.mark_full(_job.seq);
  END LOOP;
END $$;

-- The number of its join; null: none. By UNIQUE (id).
CREATE FUNCTION @.own_of(_work jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT n.seq FROM @.joins n WHERE n.id = _work ->> 'join' $$;

CREATE FUNCTION @.store_job(_work jsonb, _losers jsonb) RETURNS @.job LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.new_job(_work);
  _own bigint := @.own_of(_work);
  _edges jsonb;
  _verdict jsonb := '{"is": "met"}';
  _later jsonb;
  _is_arriving boolean;
  _mode jsonb := _work -> 'unique' -> 'mode';
BEGIN
  IF @.is_any(_work -> 'after') THEN
    _edges := @.edges_of(_work -> 'after', _losers);
    PERFORM @.come_after(_job.seq, _edges);
  END IF;
  IF _edges IS NOT NULL OR _own IS NOT NULL THEN _verdict := @.verdict_on_job(_job, _own); END IF;
  IF _verdict ->> 'is' = 'met' THEN
    _job := @.take_place(_job);
  ELSE
    _later := @.later_of(_work);
    _job := @.hold_job(_job, _work, _later);
  END IF;
  _is_arriving := _job.state = 'ready' AND _job.flags & ${flags.hasKeyLimits} <> 0;
  IF _is_arriving THEN
    _job.state := 'blocked';
    _job.flags := _job.flags | ${flags.isLimited};
  END IF;
  IF _mode ->> 'is' = 'throttle' THEN PERFORM @.keep_key_until(_job.unique_key, _job.id, @.now() + @.ms(_mode, 'windowMs')); END IF;
  _job.extra := @.carried_by(_work, _edges, _later);
  PERFORM @.insert_job(_job, _work);
  PERFORM @.hold_key(_job), @.enter_state(_job);
  IF _is_arriving THEN PERFORM @.gather('key_arrivals', _job.seq::text); END IF;
  IF _own IS NOT NULL THEN PERFORM @.enroll(_own, _job.seq, _job.state); END IF;
  IF _verdict ->> 'is' IN ('cancelled', 'skipped') THEN
    -- What it comes after has ended otherwise than asked already.
    _job := @.remember(_job, jsonb_build_object('start', 0, 'is', _verdict -> 'is', 'at', @.now(), 'reason', _verdict -> 'reason'));
    _job := @.place_job(_job, _verdict ->> 'is', jsonb_build_object('reason', _verdict -> 'reason'));
  END IF;
  RETURN _job;
END $$;

CREATE FUNCTION @.take_place(INOUT _job @.job) LANGUAGE plpgsql AS $$
DECLARE
  _place text;
BEGIN
  IF _job.lane IS NULL THEN RETURN; END IF;
  _place := @.arrive(_job.lane, _job.seq, _job.lane_width);
  IF _place <> 'admitted' THEN _job.state := _place; END IF;
END $$;

-- Outside its lane and its key limits, until nothing holds it any more.
CREATE FUNCTION @.hold_job(INOUT _job @.job, _work jsonb, _later jsonb) LANGUAGE plpgsql AS $$
BEGIN
  _job.state := 'blocked';
  _job.start_by := @.ms(_work, 'startBy');
  _job.flags := _job.flags | ${flags.isHeld} | CASE WHEN _later IS NULL THEN 0 ELSE ${flags.hasLater} END;
  IF _job.start_by IS NULL THEN _job.flags := _job.flags & ~${flags.hasStartBy}; END IF;
END $$;

CREATE FUNCTION @.edges_of(_after jsonb, _losers jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('before', coalesce((_losers ->> (a.value ->> 'id'))::bigint, @.node_of(a.value ->> 'id')), 'when', a.value -> 'when') ORDER BY a.nth)
  FROM jsonb_array_elements(_after) WITH ORDINALITY a (value, nth)
$$;

-- With the ids of those that stand. By primary key.
CREATE FUNCTION @.named_after(_after jsonb, _edges jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('id', coalesce(j.id, a.value ->> 'id'), 'when', a.value -> 'when') ORDER BY a.nth)
  FROM jsonb_array_elements(_after) WITH ORDINALITY a (value, nth)
  LEFT JOIN @.jobs j ON j.seq = (_edges -> (a.nth::int - 1) ->> 'before')::bigint
$$;

CREATE FUNCTION @.carried_by(_work jsonb, _edges jsonb, _later jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _extra jsonb := coalesce(@.extra_of(_work), '{}');
BEGIN
  IF @.is_any(_work -> 'keyLimits') THEN _extra := _extra || jsonb_build_object('keyLimits', _work -> 'keyLimits'); END IF;
  IF _edges IS NOT NULL THEN _extra := _extra || jsonb_build_object('after', @.named_after(_work -> 'after', _edges)); END IF;
  IF _later IS NOT NULL THEN _extra := _extra || jsonb_build_object('later', _later); END IF;
  RETURN nullif(_extra, '{}');
END $$;

CREATE FUNCTION @.insert_job(_job @.job, _work jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra,
    state, start_by, lane, lane_width, if_dead, unique_key, reason, since)
  VALUES (_job.seq, _job.id, _job.line, _job.keep, _job.flags, _work ->> 'payload', _work ->> 'content', @.now(), _job.urgency, _job.head_start, _job.due_at,
    _job.remember_until, _job.extra, @.code_in(_job.state, _job.flags), _job.start_by, _job.lane, _job.lane_width, _job.if_dead, _job.unique_key, _job.reason, @.now());
END $$;
`;
