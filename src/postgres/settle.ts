/** Writes outcomes; each stands or falls alone, with its follow-up work. */
import { tidyMax } from "../core/defaults.ts";
import { hasKey } from "./complete.ts";
import { verbSettings } from "./transaction.ts";

export const settleFunctions: string = `
-- _told: as outcomes.ts tells them; or a list of outcomes, which is answered in full.
CREATE FUNCTION @.verb_settle(_told jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _settled jsonb;
BEGIN
  PERFORM @.begin_verb(_stated);
  PERFORM @.take_in_inbox();
  _settled := @.settle_asked(_told);
  PERFORM @.aftermath(${tidyMax});
  _settled := @.with_states(_settled);
  RETURN jsonb_build_object('answer', _settled, 'isReadied', @.end_verb());
END $$;

CREATE FUNCTION @.settle_asked(_told jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF _told = '[]' THEN RETURN _told; END IF;
  RETURN CASE WHEN jsonb_typeof(_told) = 'array' THEN @.settle_each(_told) ELSE @.settle_told(_told) END;
END $$;

-- As outcomes.ts tells them. Answers those that are no plain completions, each with its place. Leaves what the endings let happen to the caller.
CREATE FUNCTION @.settle_told(_told jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _completed int[] := '{}';
  _settled jsonb[] := '{}';
  _row record;
BEGIN
  FOR _row IN SELECT b.value ->> 'claim' AS claim, (b.value ->> 'fence')::bigint AS fence, b.value -> 'seqs' AS seqs, b.value -> 'ran' AS ran, @.complete_of_claim((b.value ->> 'fence')::bigint, b.value ->> 'claim', (b.value ->> 'seqs')::bigint[]) AS others
    FROM jsonb_array_elements(_told -> 'batches') b LOOP
    CONTINUE WHEN _row.others = '{}';
    _settled := _settled || @.settle_of_claim(_row.claim, _row.fence, (_row.seqs #>> '{}')::bigint[], (_row.ran #>> '{}')::numeric[], _row.others);
  END LOOP;
  IF jsonb_array_length(_told -> 'ids') > 0 THEN
    _completed := @.complete_plain(ARRAY(SELECT jsonb_array_elements_text(_told -> 'ids')), ARRAY(SELECT e.o::int FROM jsonb_array_elements(_told -> 'of') e (o)),
      ARRAY(SELECT jsonb_array_elements_text(_told -> 'claims')), ARRAY(SELECT e.o::bigint FROM jsonb_array_elements(_told -> 'fences') e (o)),
      CASE WHEN (_told ->> 'mayFollow')::boolean THEN ${hasKey} ELSE 0 END, false);
    IF cardinality(_completed) < jsonb_array_length(_told -> 'ids') THEN _completed := _completed || @.complete_in_claims(_told, _completed); END IF;
  END IF;
  IF cardinality(_completed) = jsonb_array_length(_told -> 'ids') AND jsonb_array_length(_told -> 'others') = 0 THEN RETURN to_jsonb(_settled); END IF;
  FOR _row IN SELECT q.at, q.outcome FROM (
      SELECT (_told -> 'othersAt' ->> (e.nth - 1)::int)::int, e.o FROM jsonb_array_elements(_told -> 'others') WITH ORDINALITY e (o, nth)
      UNION ALL SELECT (_told -> 'at' ->> (e.nth - 1)::int)::int, jsonb_build_object('id', e.o, 'is', 'completed', 'ranMs', _told -> 'ran' -> (e.nth - 1)::int,
        'claim', _told -> 'claims' -> (_told -> 'of' ->> (e.nth - 1)::int)::int - 1, 'fence', _told -> 'fences' -> (_told -> 'of' ->> (e.nth - 1)::int)::int - 1)
      FROM jsonb_array_elements(_told -> 'ids') WITH ORDINALITY e (o, nth) WHERE NOT e.nth = ANY (_completed)) q (at, outcome) ORDER BY q.at LOOP
    _settled := _settled || (@.settle_one(_row.outcome, false) || jsonb_build_object('at', _row.at));
  END LOOP;
  RETURN to_jsonb(_settled);
END $$;

-- Those that are told by their ids; answers their places. By jobs_id.
CREATE FUNCTION @.complete_in_claims(_told jsonb, _completed int[]) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
  _nths int[] := '{}';
  _under record;
  _others bigint[];
BEGIN
  FOR _under IN SELECT (e.of #>> '{}')::int AS claim, array_agg(j.seq ORDER BY j.seq) AS seqs, array_agg(e.nth::int ORDER BY j.seq) AS nths
      FROM ROWS FROM (jsonb_array_elements_text(_told -> 'ids'), jsonb_array_elements(_told -> 'of')) WITH ORDINALITY e (id, of, nth)
        CROSS JOIN LATERAL (SELECT j.seq FROM @.jobs j WHERE j.id = e.id OFFSET 0) j
      WHERE e.nth <> ALL (_completed) GROUP BY 1 LOOP
    _others := @.complete_of_claim((_told -> 'fences' ->> _under.claim - 1)::bigint, _told -> 'claims' ->> _under.claim - 1, _under.seqs);
    _nths := _nths || ARRAY(SELECT u.nth FROM unnest(_under.nths, _under.seqs) u (nth, seq) WHERE u.seq <> ALL (_others));
  END LOOP;
  RETURN _nths;
END $$;

-- Completions under a claim that are more, or are none. Each is answered with its number.
CREATE FUNCTION @.settle_of_claim(_claim text, _fence bigint, _seqs bigint[], _ran numeric[], _others bigint[]) RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
  _settled jsonb[] := '{}';
  _row record;
BEGIN
  FOR _row IN SELECT o.seq, _ran[array_position(_seqs, o.seq)] AS ran, (SELECT j.id FROM @.jobs j WHERE j.seq = o.seq) AS id FROM unnest(_others) o (seq) LOOP
    _settled := _settled || (@.settle_one(jsonb_build_object('id', _row.id, 'is', 'completed', 'ranMs', _row.ran, 'claim', _claim, 'fence', _fence), false) || jsonb_build_object('seq', _row.seq));
  END LOOP;
  RETURN _settled;
END $$;

-- One after the other. _is_taken_in: they were written in callers' own transactions.
CREATE FUNCTION @.settle_each(_outcomes jsonb, _is_taken_in boolean DEFAULT false) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _settled jsonb[] := '{}';
  _outcome jsonb;
BEGIN
  FOR _outcome IN SELECT e.o FROM jsonb_array_elements(_outcomes) WITH ORDINALITY e (o, nth) ORDER BY e.nth LOOP
    IF _outcome ->> 'is' = 'completed' AND NOT _outcome ?| ARRAY['follow', 'checkpoint', 'result'] AND @.complete_plain(ARRAY[_outcome ->> 'id'], '{1}', ARRAY[_outcome ->> 'claim'],
        ARRAY[(_outcome ->> 'fence')::bigint], 0, _is_taken_in) <> '{}' THEN
      _settled := _settled || jsonb_build_object('id', _outcome -> 'id', 'is', 'settled', 'state', 'completed');
    ELSE
      _settled := _settled || @.settle_one(_outcome, _is_taken_in);
    END IF;
  END LOOP;
  RETURN to_jsonb(_settled);
END $$;

-- Their states when all that follows from the outcomes has happened.
CREATE FUNCTION @.with_states(_settled jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _ids text[];
  _states jsonb;
BEGIN
  IF _settled = '[]' THEN RETURN _settled; END IF;
  _ids := ARRAY(SELECT e.o ->> 'id' FROM jsonb_array_elements(_settled) e (o) WHERE e.o ->> 'state' <> 'completed');
  IF cardinality(_ids) = 0 THEN RETURN _settled; END IF;
  SELECT jsonb_object_agg(s.id, s.state) INTO _states FROM @.states_of(_ids) s;
  IF _states IS NULL THEN RETURN _settled; END IF;
  RETURN (SELECT jsonb_agg(CASE WHEN _states ? (e.o ->> 'id') THEN e.o || jsonb_build_object('state', _states -> (e.o ->> 'id')) ELSE e.o END ORDER BY e.nth)
    FROM jsonb_array_elements(_settled) WITH ORDINALITY e (o, nth));
END $$;

-- An expired lease that nobody took may still settle. Where a caller's open transaction holds the row, that is not waited for: the outcome counts if it is rolled back.
CREATE FUNCTION @.settle_one(_outcome jsonb, _is_taken_in boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _job @.job := @.find_job(_outcome ->> 'id');
  _written record;
BEGIN
  IF _job.seq IS NULL THEN RETURN jsonb_build_object('id', _outcome -> 'id', 'is', 'lease-lost'); END IF;
  -- It runs under the claim and the fence that the outcome names (G3). By primary key.
  IF _job.claim = _outcome ->> 'claim' AND _job.fence = (_outcome ->> 'fence')::bigint THEN PERFORM @.take_out(_job.seq); END IF;
  PERFORM 1 FROM @.running r WHERE r.seq = _job.seq AND r.claim = _outcome ->> 'claim' AND r.fence = (_outcome ->> 'fence')::bigint AND (_is_taken_in OR NOT r.is_settled)
    FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    IF _is_taken_in OR NOT @.is_held_open(_job.seq, _outcome) THEN RETURN jsonb_build_object('id', _job.id, 'is', 'lease-lost', 'state', _job.state); END IF;
    INSERT INTO @.inbox (kind, body) VALUES ('late', _outcome);
    RETURN jsonb_build_object('id', _job.id, 'is', 'settled', 'state', 'running');
  END IF;
  SELECT * INTO _written FROM @.write_outcome(_job, _outcome);
  _job := _written._job;
  IF _written._refusal IS NOT NULL THEN
    RETURN jsonb_build_object('id', _job.id, 'is', 'refused', 'state', _job.state, 'error', _written._refusal);
  END IF;
  RETURN jsonb_build_object('id', _job.id, 'is', _written._is, 'state', _job.state);
END $$;

-- It runs under the claim and the fence that the outcome names, and was not settled by a transaction that has committed. By primary key.
CREATE FUNCTION @.is_held_open(_seq bigint, _outcome jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((SELECT NOT r.is_settled FROM @.running r WHERE r.seq = _seq AND r.claim = _outcome ->> 'claim' AND r.fence = (_outcome ->> 'fence')::bigint),
    EXISTS (SELECT 1 FROM @.claims c WHERE c.fence = (_outcome ->> 'fence')::bigint AND c.claim = _outcome ->> 'claim' AND _seq = ANY (c.seqs)));
END $$;

-- One that came while a caller's transaction held its row. Answers false while it still does. By jobs_id, then the primary key.
CREATE FUNCTION @.take_in_late(_outcome jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _seq bigint := (SELECT j.seq FROM @.jobs j WHERE j.id = _outcome ->> 'id');
BEGIN
  IF _seq IS NULL OR NOT @.is_held_open(_seq, _outcome) THEN RETURN true; END IF;
  IF NOT @.take_out(_seq) THEN RETURN false; END IF;
  PERFORM 1 FROM @.running r WHERE r.seq = _seq FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM @.settle_each(jsonb_build_array(_outcome));
  RETURN true;
END $$;

CREATE FUNCTION @.write_outcome(INOUT _job @.job, _outcome jsonb, OUT _is text, OUT _refusal jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _is_cancelled boolean := _job.is_cancelling AND _outcome ->> 'is' <> 'saved';
  _follow jsonb := CASE WHEN _is_cancelled THEN '[]' ELSE coalesce(_outcome -> 'follow', '[]') END;
BEGIN
  IF jsonb_array_length(_follow) > 0 THEN
    _refusal := @.follow_refusal(_outcome);
    IF _refusal IS NOT NULL THEN RETURN; END IF;
  END IF;
  IF _is_cancelled THEN _job := @.end_cancelled(_job, _outcome); ELSE _job := @.apply_outcome(_job, _outcome); END IF;
  IF jsonb_array_length(_follow) > 0 THEN PERFORM @.accept_works(_follow, 'run'); END IF;
  _is := CASE WHEN _is_cancelled THEN 'cancelled' ELSE 'settled' END;
END $$;

-- Null: its follow-up work may be stored.
CREATE FUNCTION @.follow_refusal(_outcome jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(jsonb_array_length(_outcome -> 'follow'), 0) = 0 THEN RETURN NULL; END IF;
  IF _outcome ->> 'is' IN ('completed', 'skipped', 'retry', 'snoozed') THEN RETURN @.refusal_of(jsonb_build_object('works', _outcome -> 'follow')); END IF;
  RETURN jsonb_build_object('refusal', 'no-follow-up', 'is', _outcome -> 'is', 'id', _outcome -> 'id');
END $$;

CREATE FUNCTION @.end_cancelled(INOUT _job @.job, _outcome jsonb) LANGUAGE plpgsql AS $$
BEGIN
  _job := @.end_job(_job, 'cancelled', jsonb_strip_nulls(jsonb_build_object('reason', _job.reason, 'error', _outcome -> 'error', 'ranMs', _outcome -> 'ranMs')),
    @.spent(_job, _outcome ->> 'is') || jsonb_build_object('starts', _job.starts + 1, 'suspects', 0) || @.checkpoint_of(_outcome));
END $$;

CREATE FUNCTION @.apply_outcome(INOUT _job @.job, _outcome jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _is text := _outcome ->> 'is';
  _checkpoint jsonb := @.checkpoint_of(_outcome);
  _change jsonb := @.spent(_job, _is) || _checkpoint;
  _ending jsonb := _outcome - ARRAY['id', 'claim', 'fence', 'is', 'delayMs', 'checkpoint', 'result', 'follow'];
BEGIN
  CASE _is
    -- Told by done: one claim and one attempt more than its row says, and no suspicion.
    WHEN 'completed' THEN
      _job := @.end_job(_job, 'completed', '{}', _checkpoint || CASE WHEN _outcome ? 'result' THEN jsonb_build_object('result', _outcome -> 'result') ELSE '{}' END);
    WHEN 'skipped' THEN _job := @.end_job(_job, 'skipped', _ending, _change);
    WHEN 'dead' THEN _job := @.die(_job, _ending, _change);
    WHEN 'retry', 'snoozed' THEN
      _job := @.remember(_job, @.attempt_row(_job, _is, _ending));
      _job := @.wait_job(_job, _change || jsonb_build_object('due_at', @.now() + coalesce(ceil((_outcome ->> 'delayMs')::numeric)::bigint, 0),
        'delayed_by', CASE _is WHEN 'retry' THEN 'retry' ELSE 'snooze' END));
    WHEN 'released' THEN
      PERFORM @.take_starts_back(_job);
      _job := @.wait_job(_job, _checkpoint);
    -- By primary key.
    WHEN 'saved' THEN
      IF _outcome ? 'checkpoint' THEN UPDATE @.jobs j SET checkpoint = _outcome ->> 'checkpoint' WHERE j.seq = _job.seq; END IF;
  END CASE;
END $$;

-- What a claim leaves in the row when it ends: it was a start, an attempt or not, and clears the suspicion unless it was only handed back.
CREATE FUNCTION @.spent(_job @.job, _is text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN jsonb_build_object('starts', CASE WHEN _is = 'released' THEN _job.starts ELSE _job.starts + 1 END,
      'attempts', CASE WHEN _is IN ('skipped', 'dead', 'retry', 'completed') THEN _job.attempts + 1 ELSE _job.attempts END)
    || CASE WHEN _is = 'released' THEN '{}' ELSE '{"suspects": 0}'::jsonb END;
END $$;

CREATE FUNCTION @.checkpoint_of(_outcome jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _outcome ? 'checkpoint' THEN jsonb_build_object('checkpoint', _outcome -> 'checkpoint') ELSE '{}' END
$$;
`;
