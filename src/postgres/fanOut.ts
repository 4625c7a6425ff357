/** One event, its subscriptions, one job each (G10): as core/fanOut.ts makes them. */
import { eventsKeptMs } from "../core/defaults.ts";
import { jobDiedName } from "../core/notes.ts";

export const fanOutFunctions: string = `
-- By UNIQUE (id); its subscriptions by notes_event.
CREATE FUNCTION @.accept_event(_work jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _id text := _work ->> 'id';
  _kept_ms bigint := greatest(${eventsKeptMs}, (_work ->> 'rememberMs')::numeric::bigint);
  _event @.events;
BEGIN
  IF EXISTS (SELECT 1 FROM @.events e WHERE e.id = _id) THEN RETURN jsonb_build_object('id', _id, 'isDuplicate', true); END IF;
  INSERT INTO @.events (seq, id, name, payload, content, published_at, purge_at, ordered_by)
  VALUES (nextval('@.seqs'), _id, _work ->> 'name', _work ->> 'payload', _work ->> 'content', @.now(), @.now() + _kept_ms, _work -> 'orderedBy')
  RETURNING * INTO _event;
  PERFORM @.store_event_jobs(ARRAY(SELECT @.event_job(_event, n.value) FROM @.notes n WHERE n.event = _event.name ORDER BY n.key));
  RETURN jsonb_build_object('id', _id, 'isDuplicate', false);
END $$;

-- Answers how many are new. Most are plain, and stored all at once.
CREATE FUNCTION @.store_event_jobs(_works jsonb[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _work jsonb;
  _accepted record;
  _made int := 0;
BEGIN
  IF cardinality(_works) > 1 AND NOT EXISTS (SELECT 1 FROM unnest(_works) w (it) WHERE w.it ?| '{lane, unique, keyLimits}') THEN
    -- Null: one of them is known.
    IF @.store_plain(array_to_json(_works), @.now()) IS NOT NULL THEN
      PERFORM @.tell_readied();
      RETURN cardinality(_works);
    END IF;
  END IF;
  FOREACH _work IN ARRAY _works LOOP
    _accepted := @.accept_job(_work, '{}');
    IF NOT (_accepted._answer ->> 'isDuplicate')::boolean THEN _made := _made + 1; END IF;
  END LOOP;
  RETURN _made;
END $$;

-- The job that a subscription (a note's value) gets for an event.
CREATE FUNCTION @.event_job(_event @.events, _subscription text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _to json := @.seal(_subscription);
  _is_mapped boolean := (_to ->> 'isMapped')::boolean;
  _payload json := CASE WHEN _is_mapped OR coalesce(_to -> 'orderedBy', _to -> 'uniqueBy', _to -> 'keyLimits') IS NOT NULL THEN @.seal(_event.payload) END;
  _unique jsonb := CASE WHEN NOT _is_mapped THEN @.unique_of(_to, _payload) END;
  _delay_ms bigint := (_to ->> 'delayMs')::numeric::bigint;
BEGIN
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'kind', 'job', 'id', @.derived_id(_event.id, _to ->> 'name'), 'content', '', 'rememberMs', 0, 'task', _to ->> 'task', 'queue', _to ->> 'queue',
    'payload', CASE WHEN _unique -> 'mode' ->> 'is' = 'gather' THEN '[' || _event.payload || ']' ELSE _event.payload END,
    'headStartMs', _to -> 'headStartMs', 'keep', _to -> 'keep',
    'from', jsonb_build_object('event', _event.name, 'eventId', _event.id, 'subscription', _to ->> 'name', 'isHop', _is_mapped),
    'delayMs', CASE WHEN _delay_ms > 0 THEN _delay_ms END,
    'lane', @.lane_of(_event, _to, _payload, _unique), 'unique', _unique,
    'keyLimits', CASE WHEN NOT _is_mapped THEN @.key_limits_of(_to -> 'keyLimits', _payload) END,
    'version', CASE WHEN NOT _is_mapped THEN _to -> 'version' END));
END $$;

CREATE FUNCTION @.lane_of(_event @.events, _to json, _payload json, _unique jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _is_mapped boolean := (_to ->> 'isMapped')::boolean;
  _fields json := CASE WHEN _is_mapped THEN @.seal(_event.ordered_by::text) ELSE _to -> 'orderedBy' END;
  -- A hop's lane is its subscription's own: the task's lane is joined by the job that the hop makes.
  _scope text := CASE WHEN _is_mapped THEN 'hop:' || (_to ->> 'name') ELSE _to ->> 'task' END;
BEGIN
  IF _fields IS NOT NULL THEN
    RETURN jsonb_build_object('key', @.key_name(_scope, @.list_text(@.key_values(_fields, _payload))), 'width', 1, 'ifDead', coalesce(_to ->> 'ifDead', 'park'));
  END IF;
  -- "one-more" lets one wait while one runs: its unique key is a lane as well.
  IF _unique -> 'mode' ->> 'is' = 'one-more' THEN RETURN jsonb_build_object('key', _unique ->> 'key', 'width', 1, 'ifDead', 'continue'); END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION @.unique_of(_to json, _payload json) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _values text[];
BEGIN
  IF _to -> 'uniqueBy' IS NULL THEN RETURN NULL; END IF;
  _values := @.key_values(_to -> 'uniqueBy', _payload);
  IF array_position(_values, NULL) IS NOT NULL THEN RETURN NULL; END IF;
  RETURN jsonb_build_object('key', @.key_name(_to ->> 'task', @.list_text(_values)), 'mode', coalesce(_to -> 'uniqueMode', '{"is": "keep"}'));
END $$;

CREATE FUNCTION @.key_limits_of(_limits json, _payload json) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(@.key_limit_of(l.it, _payload) ORDER BY l.n) FROM json_array_elements(_limits) WITH ORDINALITY l (it, n)
$$;

-- Published with each death; never for a job that such an event made, which would go on for ever.
CREATE FUNCTION @.publish_death(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _line @.lines;
  _payload text;
BEGIN
  IF _job.extra -> 'from' ->> 'event' = '${jobDiedName}' THEN RETURN; END IF;
  SELECT l.* INTO _line FROM @.lines l WHERE l.id = _job.line;
  _payload := '{"jobId":' || @.json_text(_job.id) || ',"task":' || @.json_text(_line.task) || ',"queue":' || @.json_text(_line.queue)
    || ',"reason":' || @.json_text(coalesce(_job.reason, '')) || ',"attempts":' || _job.attempts
    || ',"isPoison":' || CASE WHEN _job.is_poison THEN 'true' ELSE 'false' END
    || ',"isParked":' || CASE WHEN _job.state = 'parked' THEN 'true' ELSE 'false' END || '}';
  -- The fence of its last claim makes each death an event of its own, also of a job that was redriven.
  PERFORM @.accept_event(jsonb_build_object('kind', 'event', 'id', @.derived_id('${jobDiedName}', _job.id, coalesce(_job.fence::text, 'null')),
    'content', @.content_of('${jobDiedName}', _payload), 'rememberMs', 0, 'name', '${jobDiedName}', 'payload', _payload));
END $$;
`;
