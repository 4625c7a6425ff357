/** Works of an atom that is stored again, whose join has ended meanwhile: they would be new now, and are duplicates all the same. */
import { joinStates } from "./join.ts";

export const repeatFunctions: string = `
-- Their positions, the first is 0. By UNIQUE (id) and jobs_id.
CREATE FUNCTION @.repeats_in(_works jsonb) RETURNS int[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  _ended text[];
  _repeats int[] := '{}';
  _work record;
BEGIN
  IF NOT _works @> '[{"kind": "join"}]' THEN RETURN _repeats; END IF;
  _ended := ARRAY(SELECT n.id FROM jsonb_array_elements(_works) w (value) CROSS JOIN LATERAL (SELECT n.* FROM @.joins n WHERE n.id = w.value ->> 'id' OFFSET 0) n
    WHERE w.value ->> 'kind' = 'join' AND NOT (n.state < ${joinStates.closed} AND NOT n.is_cancelled AND n.fate IS NULL));
  IF cardinality(_ended) = 0 THEN RETURN _repeats; END IF;
  FOR _work IN SELECT w.nth::int - 1 AS at, w.value ->> 'kind' AS kind, w.value ->> 'id' AS id, w.value ->> 'join' AS join_id
    FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth) WHERE w.value ->> 'kind' <> 'event' AND w.value ? 'join' ORDER BY w.nth
  LOOP
    CONTINUE WHEN _work.join_id <> ALL (_ended) OR @.is_stored(_work.kind, _work.id);
    _repeats := _repeats || _work.at;
    -- What is in a join that would be new is a repeat too.
    IF _work.kind = 'join' THEN _ended := _ended || _work.id; END IF;
  END LOOP;
  RETURN _repeats;
END $$;

-- By jobs_id and UNIQUE (id).
CREATE FUNCTION @.is_stored(_kind text, _id text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF _kind = 'job' AND EXISTS (SELECT 1 FROM @.jobs j WHERE j.id = _id) OR _kind = 'join' AND EXISTS (SELECT 1 FROM @.joins n WHERE n.id = _id) THEN RETURN true; END IF;
  RETURN @.promised_work(_kind, _id) IS NOT NULL;
END $$;

-- In a caller's transaction: what it, or another that has committed, handed in under that id. Null: nothing. By primary keys.
CREATE FUNCTION @.promised_work(_kind text, _id text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF coalesce(current_setting('errand.is_within', true), '') = '' THEN RETURN NULL; END IF;
  RETURN (SELECT w.value FROM jsonb_array_elements((SELECT i.body -> 'works' FROM @.inbox i WHERE i.n = (SELECT p.n FROM @.promised p WHERE p.name = _kind || ' ' || _id))) w (value)
    WHERE w.value ->> 'kind' = _kind AND w.value ->> 'id' = _id LIMIT 1);
END $$;
`;
