/** Stores atoms: each is all or nothing, and stands apart from the others. */
import { keepFloorDown } from "./floors.ts";
import { codeOf } from "./numbers.ts";
import { durably, verbSettings } from "./transaction.ts";

export const enqueueFunctions: string = `
CREATE FUNCTION @.verb_enqueue(_atoms jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _answers jsonb[] := '{}';
  _leased jsonb := '{}';
  _atom jsonb;
  _refusal jsonb;
  _stored record;
BEGIN
  PERFORM @.wait_for_names(_atoms);
  PERFORM @.begin_verb(_stated);
  IF NOT @.take_in_inbox() THEN RETURN jsonb_build_object('isReadied', @.end_verb()); END IF;
  FOR _atom IN SELECT a.value FROM jsonb_array_elements(_atoms) WITH ORDINALITY a (value, nth) ORDER BY a.nth LOOP
    _refusal := @.refusal_of(_atom);
    IF _refusal IS NOT NULL THEN
      _answers := _answers || _refusal;
    ELSE
      _stored := @.store_atom(_atom, _leased);
      _leased := _stored._leased;
      _answers := _answers || _stored._answer;
    END IF;
  END LOOP;
  RETURN jsonb_build_object('answer', to_jsonb(_answers), 'isReadied', @.end_verb());
END $$;

-- Notes first: a subscription hears the events of its own atom. What became of its jobs is told when all of it is stored.
CREATE FUNCTION @.store_atom(_atom jsonb, INOUT _leased jsonb, OUT _answer jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _note jsonb;
  _born record;
BEGIN
  IF _atom ? 'notes' THEN
    FOR _note IN SELECT n.value FROM jsonb_array_elements(_atom -> 'notes') WITH ORDINALITY n (value, nth) ORDER BY n.nth LOOP
      PERFORM @.write_note(_note);
    END LOOP;
  END IF;
  _answer := @.accept_works(_atom -> 'works', 'outside');
  IF jsonb_array_length(_answer) > 1 OR @.has_aftermath() THEN
    PERFORM @.aftermath(1000);
    _answer := @.with_states_now(_answer);
  END IF;
  _born := @.lease_born(_atom -> 'works', _answer, _leased);
  _answer := _born._answers;
  _leased := _born._leased;
END $$;

CREATE FUNCTION @.with_states_now(_answers jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _states jsonb := (SELECT jsonb_object_agg(s.id, s.state)
    FROM @.states_of(ARRAY(SELECT DISTINCT a.value ->> 'id' FROM jsonb_array_elements(_answers) a (value) WHERE a.value ? 'state')) s);
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(CASE WHEN a.value ? 'state' AND _states ? (a.value ->> 'id')
      THEN a.value || jsonb_build_object('state', _states -> (a.value ->> 'id')) ELSE a.value END ORDER BY a.nth), '[]')
    FROM jsonb_array_elements(_answers) WITH ORDINALITY a (value, nth));
END $$;

-- Plain jobs alone: without the write lock, nobody waits for anybody. Null: it is for verb_enqueue.
CREATE FUNCTION @.verb_enqueue_plain(_works json, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _now bigint := @.time_of(_stated);
  _states smallint[];
BEGIN
  PERFORM ${durably};
  -- Of two at once the earlier may be the last to set it: a matter only where the server's clock is set back in that very moment.
  IF _now > (SELECT c.last_value FROM @.clock c) THEN PERFORM setval('@.clock', _now); END IF;
  IF EXISTS (SELECT 1 FROM json_array_elements(_works) w WHERE (w.value ->> 'rememberMs')::numeric > 0) THEN
    PERFORM @.wait_for_names(jsonb_build_array(jsonb_build_object('works', _works::jsonb)));
  END IF;
  _states := @.store_plain(_works, _now);
  RETURN CASE WHEN _states IS NOT NULL THEN jsonb_build_object('answer', to_jsonb(_states), 'isReadied', true) END;
END $$;

-- In a caller's transaction: handed in, as all is there, but many at once.
CREATE FUNCTION @.verb_enqueue_plain_within(_works jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _now bigint := @.time_of(_stated);
  _dated jsonb := @.dated(_works, _now);
  _n bigint;
BEGIN
  PERFORM ${durably}, ${keepFloorDown("inbox")};
  INSERT INTO @.inbox (kind, body) VALUES ('plain', jsonb_build_object('works', _dated)) RETURNING n INTO _n;
  -- What comes after one of them in the same transaction finds it by that.
  INSERT INTO @.promised (name, id, n) SELECT 'job ' || (w.value ->> 'id'), w.value ->> 'id', _n FROM jsonb_array_elements(_works) w;
  IF strpos(_dated::text, '"dueAt"') = 0 THEN RETURN '{"isReadied": true, "answer": 0}'; END IF;
  RETURN jsonb_build_object('isReadied', true, 'answer', (
    SELECT jsonb_agg(CASE WHEN @.ms(w.value, 'dueAt') > _now THEN ${codeOf("scheduled")} ELSE 0 END ORDER BY w.nth) FROM jsonb_array_elements(_dated) WITH ORDINALITY w (value, nth)));
END $$;
`;
