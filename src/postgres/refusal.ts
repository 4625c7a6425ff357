/** Why nothing of an atom can be stored, if so. Looked for first, so that what is stored needs no undoing. Told in facts: the words are made in refused.ts. */
import { afterMax, enqueueMax, keyLimitsMax } from "../core/defaults.ts";
import { notesMax } from "../core/refusals.ts";
import { joinStates } from "./join.ts";

const takesMembers = `n.state < ${joinStates.closed} AND NOT n.is_cancelled AND n.fate IS NULL`;

export const refusalFunctions: string = `
-- Null: it can be stored.
CREATE FUNCTION @.refusal_of(_atom jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _works jsonb := coalesce(_atom -> 'works', '[]');
  _notes jsonb := coalesce(_atom -> 'notes', '[]');
  _refusal jsonb;
BEGIN
  IF jsonb_array_length(_works) > ${enqueueMax} OR jsonb_array_length(_notes) > ${notesMax} THEN
    RETURN jsonb_build_object('refusal', 'enqueue-too-many', 'works', jsonb_array_length(_works), 'notes', jsonb_array_length(_notes));
  END IF;
  _refusal := coalesce(@.list_refusal(_works), @.id_conflict(_works), @.naming_refusal(_works));
  IF _refusal IS NOT NULL OR _notes = '[]' THEN RETURN _refusal; END IF;
  RETURN @.note_conflict(_notes);
END $$;

-- Lists that are too long.
CREATE FUNCTION @.list_refusal(_works jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _work jsonb;
  _count int;
BEGIN
  FOR _work IN SELECT w.value FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth)
    WHERE w.value ->> 'kind' <> 'event' AND (w.value ? 'after' OR (w.value ? 'keyLimits' AND w.value ->> 'kind' = 'job')) ORDER BY w.nth
  LOOP
    _count := coalesce(jsonb_array_length(_work -> 'after'), 0);
    IF _count > ${afterMax} THEN RETURN @.list_refused(_work, 'after', _count); END IF;
    CONTINUE WHEN _work ->> 'kind' <> 'job' OR NOT _work ? 'keyLimits';
    _count := jsonb_array_length(_work -> 'keyLimits');
    IF _count > ${keyLimitsMax} THEN RETURN @.list_refused(_work, 'keys', _count); END IF;
    IF (SELECT count(DISTINCT k.value ->> 'key') FROM jsonb_array_elements(_work -> 'keyLimits') k (value)) < _count THEN
      RETURN @.list_refused(_work, 'twice', _count);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION @.list_refused(_work jsonb, _is text, _count int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('refusal', 'option-invalid', 'kind', _work -> 'kind', 'id', _work -> 'id', 'is', _is, 'count', _count)
$$;

-- An id that is known with other content, in the store or earlier in the same atom. By jobs_id and UNIQUE (id).
CREATE FUNCTION @.id_conflict(_works jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('refusal', 'id-conflict', 'kind', q.kind, 'id', q.id)
    FROM (
      SELECT w.nth, w.value ->> 'kind' AS kind, w.value ->> 'id' AS id, w.value ->> 'content' AS content,
        lag(w.value ->> 'content') OVER (PARTITION BY w.value ->> 'kind', w.value ->> 'id' ORDER BY w.nth) AS earlier
      FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth)
    ) q
    LEFT JOIN @.jobs j ON q.kind = 'job' AND j.id = q.id LEFT JOIN @.events v ON q.kind = 'event' AND v.id = q.id LEFT JOIN @.joins n ON q.kind = 'join' AND n.id = q.id
    WHERE coalesce(q.earlier, j.content, v.content, n.content, @.promised_work(q.kind, q.id) ->> 'content') <> q.content ORDER BY q.nth LIMIT 1);
END $$;

-- In their order: what stands earlier may be named. By jobs_id and UNIQUE (id).
CREATE FUNCTION @.naming_refusal(_works jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _earlier jsonb := '{"job": {}, "join": {}}';
  _repeats int[];
  _work record;
  _refusal jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM jsonb_array_elements(_works) w (value)
    WHERE w.value ->> 'kind' = 'join' OR (w.value ->> 'kind' = 'job' AND w.value ?| '{join,after}')) THEN RETURN NULL; END IF;
  IF NOT EXISTS (SELECT 1 FROM jsonb_array_elements(_works) w (value) WHERE w.value ->> 'kind' = 'join' OR (w.value ->> 'kind' = 'job' AND w.value ? 'after')) THEN
    RETURN @.member_refusal(_works);
  END IF;
  _repeats := @.repeats_in(_works);
  FOR _work IN SELECT w.value, w.value ->> 'kind' AS kind, w.value ->> 'id' AS id, w.nth::int - 1 AS at
    FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth) WHERE w.value ->> 'kind' <> 'event' ORDER BY w.nth
  LOOP
    IF _work.at <> ALL (_repeats) THEN _refusal := @.refusal_of_one(_work.value, _earlier); END IF;
    IF _refusal IS NOT NULL THEN RETURN _refusal; END IF;
    _earlier := jsonb_set(_earlier, ARRAY[_work.kind, _work.id], coalesce(_work.value -> 'join', 'null'));
    IF _work.kind = 'join' THEN _refusal := @.seal_refusal(_work.value, _works); END IF;
    IF _refusal IS NOT NULL THEN RETURN _refusal; END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Of jobs that name nothing but joins that are stored: all at once. By jobs_id and UNIQUE (id).
CREATE FUNCTION @.member_refusal(_works jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT CASE WHEN n.seq IS NULL THEN jsonb_build_object('refusal', 'after-unknown', 'id', w.value -> 'join', 'by', 'job ' || (w.value ->> 'id'))
      ELSE jsonb_build_object('refusal', 'join-closed', 'id', n.id) END
    FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth) LEFT JOIN @.joins n ON n.id = w.value ->> 'join'
    WHERE w.value ->> 'kind' = 'job' AND w.value ? 'join'
      AND ((n.seq IS NULL AND @.promised_work('join', w.value ->> 'join') IS NULL) OR (NOT (${takesMembers}) AND NOT EXISTS (SELECT 1 FROM @.jobs j WHERE j.id = w.value ->> 'id')))
    ORDER BY w.nth LIMIT 1);
END $$;

-- The same again is the same, whatever became of what it named. But a job may be given to a join that it was never given to: that must be known.
-- _earlier: by kind, ids of works that stand earlier, each with the join around it. By jobs_id and UNIQUE (id).
CREATE FUNCTION @.refusal_of_one(_work jsonb, _earlier jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _join record;
  _named text := _work ->> 'join';
  _by text := concat_ws(' ', _work ->> 'kind', _work ->> 'id');
  _is_stored boolean := @.is_stored(_work ->> 'kind', _work ->> 'id');
  _unknown text;
BEGIN
  IF _is_stored AND _work ->> 'kind' = 'join' THEN RETURN NULL; END IF;
  IF _named IS NOT NULL THEN
    SELECT n.seq, ${takesMembers} AS takes_members INTO _join FROM @.joins n WHERE n.id = _named;
    IF _join.seq IS NULL AND NOT _earlier -> 'join' ? _named AND @.promised_work('join', _named) IS NULL THEN RETURN jsonb_build_object('refusal', 'after-unknown', 'id', _named, 'by', _by); END IF;
    IF NOT _is_stored AND NOT _join.takes_members THEN RETURN jsonb_build_object('refusal', 'join-closed', 'id', _named); END IF;
  END IF;
  IF _is_stored OR NOT _work ? 'after' THEN RETURN NULL; END IF;
  SELECT a.value ->> 'id' INTO _unknown FROM jsonb_array_elements(_work -> 'after') WITH ORDINALITY a (value, nth)
    WHERE NOT _earlier -> 'job' ? (a.value ->> 'id') AND NOT _earlier -> 'join' ? (a.value ->> 'id') AND @.node_of(a.value ->> 'id') = 0
      AND @.promised_work('job', a.value ->> 'id') IS NULL AND @.promised_work('join', a.value ->> 'id') IS NULL ORDER BY a.nth LIMIT 1;
  IF _unknown IS NOT NULL THEN RETURN jsonb_build_object('refusal', 'after-unknown', 'id', _unknown, 'by', _by); END IF;
  RETURN @.circle(_work, _earlier, _by);
END $$;

-- A member that comes after its own join, or after one around it, would wait for itself. A stored join stays where it is, whatever the atom says of it:
-- in the atom alone there could be a circle. By UNIQUE (id), then primary key.
CREATE FUNCTION @.circle(_work jsonb, _earlier jsonb, _by text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _around text := _work ->> 'join';
  _stored record;
BEGIN
  WHILE _around IS NOT NULL LOOP
    IF _work -> 'after' @> jsonb_build_array(jsonb_build_object('id', _around)) THEN
      RETURN jsonb_build_object('refusal', 'graph-cycle', 'id', _around, 'by', _by);
    END IF;
    SELECT n.seq, p.id AS parent INTO _stored FROM @.joins n LEFT JOIN @.joins p ON p.seq = n.parent WHERE n.id = _around;
    _around := CASE WHEN _stored.seq IS NULL THEN coalesce(_earlier -> 'join' ->> _around, @.promised_work('join', _around) ->> 'join') ELSE _stored.parent END;
  END LOOP;
  RETURN NULL;
END $$;

-- All that name it in this atom count, wherever they stand, and duplicates too: they were given. By UNIQUE (id).
CREATE FUNCTION @.seal_refusal(_work jsonb, _works jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _stored @.joins;
  _given int;
BEGIN
  IF NOT (_work ->> 'isSealed')::boolean OR NOT _work ? 'size' THEN RETURN NULL; END IF;
  PERFORM @.count_endings();
  _stored := @.find_join(_work ->> 'id');
  IF (@.promised_work('join', _work ->> 'id') ->> 'isSealed')::boolean THEN RETURN NULL; END IF;
  IF _stored.seq IS NOT NULL AND (_stored.state <> ${joinStates.staged} OR NOT @.takes_members(_stored)) THEN RETURN NULL; END IF;
  _given := coalesce(_stored.given, 0) + @.promised_members(_work ->> 'id')
    + (SELECT count(*) FROM jsonb_array_elements(_works) w (value) WHERE w.value ->> 'kind' <> 'event' AND w.value ->> 'join' = _work ->> 'id');
  IF _given >= (_work ->> 'size')::int THEN RETURN NULL; END IF;
  RETURN jsonb_build_object('refusal', 'join-incomplete', 'id', _work -> 'id', 'given', _given, 'size', _work -> 'size');
END $$;

-- In a caller's transaction: how many works that were handed in name a join. All that is in the inbox: the next verb takes it in.
CREATE FUNCTION @.promised_members(_id text) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF coalesce(current_setting('errand.is_within', true), '') = '' THEN RETURN 0; END IF;
  RETURN (SELECT count(*) FROM @.inbox i CROSS JOIN LATERAL jsonb_array_elements(i.body -> 'works') w (value) WHERE i.kind = 'atom' AND w.value ->> 'join' = _id);
END $$;
`;
