/** How many jobs of each task one call may hand out under their terms. */
export const roomFunctions: string = `
-- What is left of each gate and resource that the terms name, by kind and name; what is not told has no end. _terms: by task.
CREATE FUNCTION @.room_under(_terms jsonb, _tasks text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _left jsonb := '{}';
  _name text;
BEGIN
  IF _terms IS NULL THEN RETURN _left; END IF;
  FOR _name IN SELECT DISTINCT jsonb_array_elements_text(_terms -> t.task -> 'gates') FROM unnest(_tasks) t (task) LOOP
    _left := _left || jsonb_strip_nulls(jsonb_build_object('limit ' || _name, @.left_of_gate(_name)));
  END LOOP;
  FOR _name IN SELECT DISTINCT jsonb_object_keys(_terms -> t.task -> 'needs') FROM unnest(_tasks) t (task) LOOP
    _left := _left || jsonb_build_object('resource ' || _name, coalesce(@.capacity_of(_name), 0) - @.amount_in_use(_name));
  END LOOP;
  RETURN _left;
END $$;

-- Null: it does not limit.
CREATE FUNCTION @.left_of_gate(_name text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  _limit jsonb := @.limit_named(_name);
BEGIN
  IF _limit IS NULL THEN RETURN NULL; END IF;
  IF _limit ? 'running' THEN RETURN (_limit ->> 'running')::numeric::bigint - @.running_under(_name); END IF;
  RETURN (_limit ->> 'starts')::numeric::bigint - @.starts_under(_name, (_limit ->> 'everyMs')::numeric::bigint);
END $$;

-- No gate of the terms is full, and each need is met.
CREATE FUNCTION @.has_room(_room jsonb, _terms jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF _terms IS NULL OR _room = '{}' THEN RETURN true; END IF;
  RETURN NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(_terms -> 'gates') g (name) WHERE (_room ->> ('limit ' || g.name))::numeric < 1)
    AND NOT EXISTS (SELECT 1 FROM jsonb_each_text(_terms -> 'needs') n (name, amount) WHERE (_room ->> ('resource ' || n.name))::numeric < n.amount::numeric);
END $$;

-- _jobs under these terms are handed out.
CREATE FUNCTION @.take_room(_room jsonb, _terms jsonb, _jobs int) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _taken jsonb;
BEGIN
  IF _room = '{}' THEN RETURN _room; END IF;
  SELECT jsonb_object_agg(t.name, (_room ->> t.name)::numeric - t.amount) INTO _taken FROM (
    SELECT DISTINCT 'limit ' || g.name, _jobs::numeric FROM jsonb_array_elements_text(_terms -> 'gates') g (name)
    UNION ALL SELECT 'resource ' || n.name, n.amount::numeric * _jobs FROM jsonb_each_text(_terms -> 'needs') n (name, amount)) t (name, amount)
  WHERE _room ? t.name;
  RETURN _room || coalesce(_taken, '{}');
END $$;

-- Written once for all that was taken, by task. Answers, by task, what its running jobs carry; null: nothing.
CREATE FUNCTION @.hand_out_room(_terms jsonb, _taken jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _carried jsonb;
  _task record;
  _gate record;
BEGIN
  IF _terms IS NULL OR _taken IS NULL THEN RETURN NULL; END IF;
  FOR _task IN SELECT t.key AS name, t.value::int AS jobs, _terms -> t.key AS terms FROM jsonb_each_text(_taken) t WHERE t.value::int > 0 ORDER BY t.key LOOP
    CONTINUE WHEN NOT @.is_gated(_task.terms);
    _carried := coalesce(_carried, '{}') || jsonb_build_object(_task.name, @.hand_out_gates(_task.terms, _task.jobs));
    FOR _gate IN SELECT g.name, @.limit_named(g.name) AS limits FROM (SELECT DISTINCT jsonb_array_elements_text(_task.terms -> 'gates') AS name) g LOOP
      IF _gate.limits ? 'starts' THEN PERFORM @.record_starts(_gate.name, (_gate.limits ->> 'everyMs')::numeric::bigint, _task.jobs); END IF;
    END LOOP;
  END LOOP;
  RETURN _carried;
END $$;

-- When a limit of starts that the terms name, and that is used up, has room again.
CREATE FUNCTION @.free_at_under(_terms jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT min(@.free_at_of(g.name, @.limit_named(g.name))) FROM jsonb_array_elements_text(_terms -> 'gates') g (name));
END $$;
`;
