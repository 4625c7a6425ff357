/**
 * What a caller's own transaction hands in. It only appends: to the inbox, from where the next verb after its commit takes it in. So no verb ever waits for a
 * caller's transaction, and none of it is seen before its commit. Names that must be unique, unique keys and callers' ids, are promised meanwhile: who asks for the
 * same name waits for that transaction, before it takes the write lock.
 */
import { floorOf, inboxPlace, keepFloorDown } from "./floors.ts";
import { durably, verbSettings } from "./transaction.ts";

/** Works that one verb takes in, at least one atom of them: the others wait that long for it. What is beyond waits for the next. */
const takenInMax = 2_000;
/** Looked at by one verb: also what callers' open transactions keep there. */
const lookedAtMax = 5_000;

export const inboxFunctions: string = `
-- Of all works, in one order for all callers: unique keys, and ids that are remembered.
CREATE FUNCTION @.names_in(_atoms jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY(SELECT DISTINCT n.name FROM jsonb_array_elements(_atoms) a, jsonb_array_elements(a.value -> 'works') w,
    LATERAL (VALUES ('unique ' || (w.value -> 'unique' ->> 'key')), (CASE WHEN (w.value ->> 'rememberMs')::numeric > 0 THEN 'id ' || (w.value ->> 'id') END)) n (name)
    WHERE n.name IS NOT NULL ORDER BY n.name)
$$;

-- Waits for callers' transactions that promised one of these names, and keeps others waiting until this transaction ends.
CREATE FUNCTION @.wait_for_names(_atoms jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _name text;
BEGIN
  FOREACH _name IN ARRAY @.names_in(_atoms) LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended(@schema || ' ' || _name, 715));
  END LOOP;
END $$;

-- All, or only the one of that number. For take_in_inbox.
CREATE FUNCTION @.take_in_rows(_only bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _row record;
  _taken_in int := 0;
  _plain bigint[] := '{}';
  _is_all boolean := true;
BEGIN
  -- By primary key.
  FOR _row IN SELECT i.n, i.kind, i.body FROM @.inbox i WHERE i.n >= coalesce(_only, ${floorOf(inboxPlace)}) AND i.n <= coalesce(_only, 9223372036854775807)
    ORDER BY i.n LIMIT ${lookedAtMax} LOOP
    IF _taken_in >= ${takenInMax} THEN
      PERFORM @.tally('left');
      _is_all := false;
      EXIT;
    END IF;
    IF _row.kind = 'plain' THEN
      _plain := _plain || _row.n;
      _taken_in := _taken_in + jsonb_array_length(_row.body -> 'works');
      CONTINUE;
    END IF;
    PERFORM @.take_in_plain(_plain);
    _plain := '{}';
    IF _row.kind = 'cancel' THEN
      IF NOT @.take_in_cancel(_row.body) THEN CONTINUE; END IF;
    ELSIF _row.kind = 'late' THEN
      IF NOT @.take_in_late(_row.body) THEN CONTINUE; END IF;
    ELSIF _row.kind = 'outcome' THEN
      PERFORM @.settle_each(jsonb_build_array(_row.body), true);
    ELSE
      PERFORM @.take_in_atom(_row.body);
    END IF;
    DELETE FROM @.inbox i WHERE i.n = _row.n;
    DELETE FROM @.promised p WHERE p.n = _row.n;
    _taken_in := _taken_in + greatest(1, jsonb_array_length(_row.body -> 'works'), jsonb_array_length(_row.body -> 'follow'));
    PERFORM @.aftermath(1000);
    IF @.may_raise_floors('inbox', ARRAY[_row.n]) THEN PERFORM @.raise_floor(${inboxPlace}, coalesce(@.first_in_inbox(), _row.n + 1)); END IF;
  END LOOP;
  PERFORM @.take_in_plain(_plain);
  RETURN _is_all;
END $$;

-- Many at once, as long as none of their ids is known. By primary keys, promised_n.
CREATE FUNCTION @.take_in_plain(_ns bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _works jsonb;
BEGIN
  IF _ns = '{}' THEN RETURN; END IF;
  SELECT jsonb_agg(w.value ORDER BY i.n, w.nth) INTO _works FROM @.inbox i CROSS JOIN LATERAL jsonb_array_elements(i.body -> 'works') WITH ORDINALITY w (value, nth) WHERE i.n = ANY (_ns);
  DELETE FROM @.inbox i WHERE i.n = ANY (_ns);
  DELETE FROM @.promised p WHERE p.n = ANY (_ns);
  IF @.store_plain(_works::json, @.now()) IS NOT NULL THEN
    PERFORM @.tell_readied();
  ELSE
    PERFORM @.take_in_atom(jsonb_build_object('works', _works));
    PERFORM @.aftermath(1000);
  END IF;
  IF @.may_raise_floors('inbox', _ns) THEN PERFORM @.raise_floor(${inboxPlace}, coalesce(@.first_in_inbox(), _ns[cardinality(_ns)] + 1)); END IF;
END $$;

-- Null: there is nothing. By primary key.
CREATE FUNCTION @.first_in_inbox() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT i.n FROM @.inbox i WHERE i.n >= ${floorOf(inboxPlace)} ORDER BY i.n LIMIT 1);
END $$;

CREATE FUNCTION @.has_inbox() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN @.first_in_inbox() IS NOT NULL;
END $$;

-- A batch may have ended since its member was handed in: what was accepted is stored all the same, in no batch then.
CREATE FUNCTION @.take_in_atom(_atom jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _refusal jsonb := @.refusal_of(_atom);
  _work jsonb;
  _stored record;
BEGIN
  IF _refusal IS NULL THEN
    _stored := @.store_atom(_atom, '{}');
    RETURN;
  END IF;
  FOR _work IN SELECT w.value FROM jsonb_array_elements(_atom -> 'works') WITH ORDINALITY w (value, nth) ORDER BY w.nth LOOP
    IF @.refusal_of(jsonb_build_object('works', jsonb_build_array(_work))) IS NOT NULL THEN _work := _work - 'join' - 'after'; END IF;
    IF @.refusal_of(jsonb_build_object('works', jsonb_build_array(_work))) IS NULL THEN PERFORM @.accept_works(jsonb_build_array(_work), 'outside'); END IF;
  END LOOP;
END $$;

-- For what only reads: so that it sees what was committed. Answers as take_in_inbox.
CREATE FUNCTION @.see_inbox(_stated bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _is_all boolean;
BEGIN
  IF NOT @.has_inbox() THEN RETURN true; END IF;
  PERFORM @.begin_verb(_stated);
  _is_all := @.take_in_inbox();
  PERFORM @.end_verb();
  RETURN _is_all;
END $$;

-- In a caller's transaction.
CREATE FUNCTION @.verb_enqueue_within(_atoms jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _answers jsonb[] := '{}';
  _atom jsonb;
  _refusal jsonb;
BEGIN
  PERFORM @.wait_for_names(_atoms);
  PERFORM set_config('errand.is_within', '1', true), ${durably}, set_config('errand.now', @.time_of(_stated)::text, true), @.forget_gathered();
  FOR _atom IN SELECT a.value FROM jsonb_array_elements(_atoms) WITH ORDINALITY a (value, nth) ORDER BY a.nth LOOP
    _refusal := @.refusal_of(_atom);
    _answers := _answers || coalesce(_refusal, @.hand_in(_atom));
  END LOOP;
  PERFORM set_config('errand.is_within', '', true);
  RETURN jsonb_build_object('answer', to_jsonb(_answers), 'isReadied', true);
END $$;

-- What counts from now does so however late they are taken in; what counts from when a job is let go, or from the last of a debounce, does not begin yet.
CREATE FUNCTION @.dated(_works jsonb, _now bigint) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  -- Of most there is nothing to date. Within a payload's text the second quote would be escaped.
  IF strpos(_works::text, '"delayMs"') = 0 AND strpos(_works::text, '"startWithinMs"') = 0 THEN RETURN _works; END IF;
  RETURN (SELECT jsonb_agg(CASE WHEN w.value ?| '{delayMs,startWithinMs}' AND NOT w.value ? 'join' AND NOT @.is_any(w.value -> 'after')
      AND coalesce(w.value -> 'unique' -> 'mode' ->> 'is', '') NOT IN ('debounce', 'gather')
    THEN (w.value - '{delayMs,startWithinMs}'::text[]) || jsonb_strip_nulls(jsonb_build_object(
      'dueAt', coalesce(@.ms(w.value, 'dueAt'), _now + @.ms(w.value, 'delayMs')), 'startBy', coalesce(@.ms(w.value, 'startBy'), _now + @.ms(w.value, 'startWithinMs'))))
    ELSE w.value END ORDER BY w.nth) FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth));
END $$;

-- Answers as if it were taken in now.
CREATE FUNCTION @.hand_in(_atom jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _answers jsonb[] := '{}';
  _n bigint;
  _work jsonb;
BEGIN
  PERFORM ${keepFloorDown("inbox")};
  INSERT INTO @.inbox (kind, body) VALUES ('atom', jsonb_set(_atom, '{works}', @.dated(_atom -> 'works', @.now()))) RETURNING n INTO _n;
  FOR _work IN SELECT w.value FROM jsonb_array_elements(_atom -> 'works') WITH ORDINALITY w (value, nth) ORDER BY w.nth LOOP
    _answers := _answers || @.foretell(_work, _n);
  END LOOP;
  RETURN to_jsonb(_answers);
END $$;

CREATE FUNCTION @.foretell(_work jsonb, _n bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _id text := _work ->> 'id';
  _kind text := _work ->> 'kind';
  _known @.job;
  _winner record;
  _promised text;
BEGIN
  -- By UNIQUE (id), and by primary key.
  IF _kind = 'event' AND EXISTS (SELECT 1 FROM @.events v WHERE v.id = _id) OR _kind = 'join' AND EXISTS (SELECT 1 FROM @.joins n WHERE n.id = _id)
    OR EXISTS (SELECT 1 FROM @.promised p WHERE p.name = _kind || ' ' || _id) THEN
    RETURN jsonb_build_object('id', _id, 'isDuplicate', true);
  END IF;
  INSERT INTO @.promised (name, id, n) VALUES (_kind || ' ' || _id, _id, _n);
  IF _kind <> 'job' THEN RETURN jsonb_build_object('id', _id, 'isDuplicate', false); END IF;
  _known := @.find_job(_id);
  IF _known.seq IS NOT NULL THEN RETURN jsonb_build_object('id', _id, 'isDuplicate', true, 'state', _known.state); END IF;
  IF _work ? 'unique' THEN
    SELECT p.id INTO _promised FROM @.promised p WHERE p.name = 'unique ' || (_work -> 'unique' ->> 'key');
    _winner := @.winner_of(_work -> 'unique');
    _known := _winner._job;
    IF _known.seq IS NOT NULL AND (_work -> 'unique' -> 'mode' ->> 'is' <> 'gather' OR @.payload_with(_known.seq, _work) IS NOT NULL) THEN
      RETURN jsonb_build_object('id', _known.id, 'isDuplicate', true, 'state', _known.state);
    END IF;
    _promised := coalesce(_winner._window, _promised);
    IF _promised IS NOT NULL THEN RETURN jsonb_build_object('id', _promised, 'isDuplicate', true); END IF;
    INSERT INTO @.promised (name, id, n) VALUES ('unique ' || (_work -> 'unique' ->> 'key'), _id, _n);
  END IF;
  RETURN jsonb_build_object('id', _id, 'isDuplicate', false, 'state', @.foretold_state(_work));
END $$;

CREATE FUNCTION @.foretold_state(_work jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF _work ? 'join' OR @.is_any(_work -> 'after') THEN RETURN 'blocked'; END IF;
  -- By primary keys.
  IF _work ? 'lane' AND @.is_closed(_work -> 'lane' ->> 'key') THEN RETURN 'parked'; END IF;
  IF _work ? 'lane' AND (SELECT count(*) FROM (SELECT 1 FROM @.members m WHERE m.lane = _work -> 'lane' ->> 'key' LIMIT 1000) q) >= (_work -> 'lane' ->> 'width')::int THEN
    RETURN 'blocked';
  END IF;
  RETURN CASE WHEN @.due_at_of(_work, @.now(), 1) > @.now() THEN 'scheduled' ELSE 'ready' END;
END $$;

-- A job's own completion, in the app's transaction. Its row is locked until that ends, and nobody waits for it: who meets it, passes over it.
CREATE FUNCTION @.verb_settle_within(_outcomes jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _answers jsonb[] := '{}';
  _outcome jsonb;
BEGIN
  PERFORM @.wait_for_names(jsonb_build_array(jsonb_build_object('works', coalesce(o.value -> 'follow', '[]')))) FROM jsonb_array_elements(_outcomes) o;
  PERFORM set_config('errand.is_within', '1', true), ${durably}, set_config('errand.now', @.time_of(_stated)::text, true), @.forget_gathered();
  FOR _outcome IN SELECT o.value FROM jsonb_array_elements(_outcomes) WITH ORDINALITY o (value, nth) ORDER BY o.nth LOOP
    _answers := _answers || @.settle_one_within(_outcome);
  END LOOP;
  PERFORM set_config('errand.is_within', '', true);
  RETURN jsonb_build_object('answer', to_jsonb(_answers), 'isReadied', true);
END $$;

-- After a caller's transaction was given up, and in one of errand's own: what it wanted to settle stands in rows of its own when it comes again, so that no change of the
-- rest of its claim is a conflict any more. By jobs_id, then primary keys.
CREATE FUNCTION @.verb_set_apart(_outcomes jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _outcome jsonb;
BEGIN
  PERFORM @.begin_verb(_stated);
  PERFORM @.take_in_inbox();
  FOR _outcome IN SELECT o.value FROM jsonb_array_elements(_outcomes) o LOOP
    PERFORM @.take_out(j.seq) FROM @.jobs j WHERE j.id = _outcome ->> 'id'
      AND EXISTS (SELECT 1 FROM @.claims c WHERE c.fence = @.ms(_outcome, 'fence') AND c.claim = _outcome ->> 'claim' AND j.seq = ANY (c.seqs));
  END LOOP;
  RETURN jsonb_build_object('answer', true, 'isReadied', @.end_verb());
END $$;

CREATE FUNCTION @.settle_one_within(_outcome jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _id text := _outcome ->> 'id';
  _seq bigint;
  _is_cancelling boolean;
  _refusal jsonb;
BEGIN
  -- By jobs_id, then the primary key.
  SELECT j.seq INTO _seq FROM @.jobs j WHERE j.id = _id;
  IF _seq IS NULL THEN RETURN jsonb_build_object('id', _id, 'is', 'lease-lost'); END IF;
  _is_cancelling := @.hold_running(_seq, _outcome);
  IF _is_cancelling IS NULL THEN
    IF @.hold_in_claim(_seq, _outcome) THEN
      _is_cancelling := false;
    ELSE
      -- A verb may have taken it out while it was waited for.
      _is_cancelling := @.hold_running(_seq, _outcome);
    END IF;
  END IF;
  IF _is_cancelling IS NULL THEN
    RETURN jsonb_build_object('id', _id, 'is', 'lease-lost', 'state', (SELECT s.state FROM @.states_of(ARRAY[_id]) s));
  END IF;
  IF NOT _is_cancelling AND @.is_any(_outcome -> 'follow') THEN
    _refusal := @.follow_refusal(_outcome);
    IF _refusal IS NOT NULL THEN RETURN jsonb_build_object('id', _id, 'is', 'refused', 'state', 'running', 'error', _refusal); END IF;
  END IF;
  PERFORM ${keepFloorDown("inbox")};
  INSERT INTO @.inbox (kind, body) VALUES ('outcome', _outcome);
  IF _outcome ->> 'is' = 'saved' THEN RETURN jsonb_build_object('id', _id, 'is', 'settled', 'state', 'running'); END IF;
  PERFORM @.run_settled(_seq, @.ms(_outcome, 'fence'));
  RETURN jsonb_build_object('id', _id, 'is', CASE WHEN _is_cancelling THEN 'cancelled' ELSE 'settled' END, 'state', @.state_after(_outcome, _is_cancelling));
END $$;

-- Whether it is being cancelled; null: it does not run so, in a row of its own. By primary key.
CREATE FUNCTION @.hold_running(_seq bigint, _outcome jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _is_cancelling boolean;
BEGIN
  SELECT r.is_cancelling INTO _is_cancelling FROM @.running r
    WHERE r.seq = _seq AND r.claim = _outcome ->> 'claim' AND r.fence = @.ms(_outcome, 'fence') AND NOT r.is_settled FOR UPDATE;
  RETURN _is_cancelling;
END $$;

CREATE FUNCTION @.state_after(_outcome jsonb, _is_cancelling boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _is_cancelling THEN 'cancelled' WHEN _outcome ->> 'is' IN ('completed', 'skipped', 'dead') THEN _outcome ->> 'is'
    WHEN _outcome ->> 'is' = 'released' OR coalesce((_outcome ->> 'delayMs')::numeric, 0) <= 0 THEN 'ready' ELSE 'scheduled' END
$$;
`;
