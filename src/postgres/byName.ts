/**
 * Work handed in by plain SQL: from triggers, from psql, from any language with a driver. It takes the same way as in a caller's transaction, so it is stored with
 * the rows around it or not at all. What stands in a task's definition is read from the note that a broker with its code has left.
 */
import { delayMaxMs, headStartMs, idLengthMax, nameLengthMax, payloadBytesMax, payloadDepthMax, rememberMs } from "../core/defaults.ts";
import { eventKey, taskKey } from "../core/notes.ts";
import { literal } from "./quoting.ts";
import { verbSettings } from "./transaction.ts";

/** Who may use the schema may hand work in, and needs no rights on its tables. */
const forAll = `${verbSettings} SECURITY DEFINER`;
const options = { enqueue: ["id", "in", "at", "priority", "expecting"], publish: ["id"] };
/** What a Date holds. */
const instantMax = 8_640_000_000_000_000;
const cures = {
  name: `use up to ${nameLengthMax} letters, digits and . _ - between them`,
  id: `use 1 to ${idLengthMax} printable ASCII characters without spaces`,
};

export const byNameFunctions: string = `
CREATE FUNCTION @.enqueue(task text, payload jsonb DEFAULT '{}', options jsonb DEFAULT '{}') RETURNS text ${forAll} AS $$
BEGIN
  RETURN @.enqueue_by_name($1, $2::text, $3);
END $$;
CREATE FUNCTION @.enqueue(task text, payload json, options jsonb DEFAULT '{}') RETURNS text ${forAll} AS $$
BEGIN
  RETURN @.enqueue_by_name($1, $2::text, $3);
END $$;
CREATE FUNCTION @.enqueue(task text, payload text, options jsonb DEFAULT '{}') RETURNS text ${forAll} AS $$
BEGIN
  RETURN @.enqueue_by_name($1, @.json_of($2), $3);
END $$;

CREATE FUNCTION @.publish(event text, payload jsonb DEFAULT '{}', options jsonb DEFAULT '{}') RETURNS text ${forAll} AS $$
BEGIN
  RETURN @.publish_by_name($1, $2::text, $3);
END $$;
CREATE FUNCTION @.publish(event text, payload json, options jsonb DEFAULT '{}') RETURNS text ${forAll} AS $$
BEGIN
  RETURN @.publish_by_name($1, $2::text, $3);
END $$;
CREATE FUNCTION @.publish(event text, payload text, options jsonb DEFAULT '{}') RETURNS text ${forAll} AS $$
BEGIN
  RETURN @.publish_by_name($1, @.json_of($2), $3);
END $$;

-- By the primary key of notes.
CREATE FUNCTION @.enqueue_by_name(_task text, _payload text, _options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _terms json := @.seal((@.read_note(${literal(taskKey(""))} || _task)).value);
  _sealed json;
  _gathers boolean := coalesce(_terms -> 'uniqueMode' ->> 'is' = 'gather', false);
  _unique jsonb;
  _work jsonb;
BEGIN
  PERFORM @.check_by_name('enqueue', _payload, _options);
  IF _terms IS NULL THEN
    PERFORM @.refuse('task-unknown', format('no task "%s" is known to the store', _task),
      'open a broker that has it once: await broker(…, { theTask }).open(); or check its name');
  END IF;
  IF _gathers AND _options ? 'id' THEN
    PERFORM @.refuse('option-invalid', format('%s merges its payloads, so that an id of one of them would not be remembered', _task), 'put it into the payload');
  END IF;
  _sealed := @.seal(_payload);
  PERFORM @.require_keys(_terms -> 'orderedBy', _sealed, _task, 'orderedBy'), @.require_keys(_terms -> 'uniqueBy', _sealed, _task, 'uniqueBy');
  PERFORM @.require_keys(l.value -> 'per', _sealed, _task, 'limits') FROM json_array_elements(_terms -> 'keyLimits') l;
  _unique := @.unique_of(_terms, _sealed);
  _work := jsonb_strip_nulls(@.identity_of(_task, _payload, _options) || jsonb_build_object(
    'kind', 'job', 'task', _task, 'queue', _terms ->> 'queue', 'payload', CASE WHEN _gathers THEN '[' || _payload || ']' ELSE _payload END,
    'headStartMs', coalesce(@.head_start_of(_options), to_jsonb(_terms -> 'headStartMs')), 'keep', _terms -> 'keep', 'version', _terms -> 'version',
    'delayMs', @.delay_of(_options), 'dueAt', @.instant_of(_options), 'expecting', (_options -> 'expecting')::text,
    'lane', @.lane_of(NULL, _terms, _sealed, _unique), 'unique', _unique, 'keyLimits', @.key_limits_of(_terms -> 'keyLimits', _sealed)));
  IF NOT _work ?| '{lane,unique,keyLimits}' AND NOT _options ? 'id' THEN
    PERFORM @.verb_enqueue_plain_within(jsonb_build_array(_work), NULL);
    RETURN _work ->> 'id';
  END IF;
  RETURN @.hand_in_by_name(_work);
END $$;

-- By the primary key of notes.
CREATE FUNCTION @.publish_by_name(_event text, _payload text, _options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _ordered_by json := @.seal((@.read_note(${literal(eventKey(""))} || _event)).value) -> 'orderedBy';
BEGIN
  PERFORM @.check_by_name('publish', _payload, _options);
  IF (_event ~ '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$' AND length(_event) <= ${nameLengthMax}) IS NOT TRUE THEN
    PERFORM @.refuse('name-invalid', format('the event "%s" is not a name', left(_event, 60)), '${cures.name}');
  END IF;
  PERFORM @.require_keys(_ordered_by, @.seal(_payload), _event, 'orderedBy');
  RETURN @.hand_in_by_name(jsonb_strip_nulls(@.identity_of(_event, _payload, _options) || jsonb_build_object(
    'kind', 'event', 'name', _event, 'payload', _payload, 'orderedBy', @.unsealed(_ordered_by))));
END $$;

-- Answers the id of what stands.
CREATE FUNCTION @.hand_in_by_name(_work jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _answer jsonb := @.verb_enqueue_within(jsonb_build_array(jsonb_build_object('works', jsonb_build_array(_work))), NULL) -> 'answer' -> 0;
BEGIN
  IF jsonb_typeof(_answer) = 'object' THEN
    PERFORM @.refuse(_answer ->> 'refusal', format('the id %s was used before, with other content', _work ->> 'id'), 'use another id, or hand in the same content again');
  END IF;
  RETURN _answer -> 0 ->> 'id';
END $$;

-- An id of the caller's is remembered; errand's own begins with the time, as those that brokers make.
CREATE FUNCTION @.identity_of(_name text, _payload text, _options jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _id text := _options ->> 'id';
BEGIN
  IF NOT _options ? 'id' THEN
    RETURN jsonb_build_object('content', '', 'rememberMs', 0,
      'id', lpad(to_hex(@.time_of(NULL)), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14));
  END IF;
  IF (_id ~ '^[\\x21-\\x7e]+$' AND length(_id) <= ${idLengthMax}) IS NOT TRUE THEN
    PERFORM @.refuse('name-invalid', format('"%s" cannot be an id', left(_id, 60)), '${cures.id}');
  END IF;
  RETURN jsonb_build_object('id', _id, 'content', @.content_of(_name, _payload), 'rememberMs', ${rememberMs});
END $$;

CREATE FUNCTION @.head_start_of(_options jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF NOT _options ? 'priority' THEN RETURN NULL; END IF;
  IF NOT ${literal(JSON.stringify(headStartMs))}::jsonb ? (_options ->> 'priority') THEN
    PERFORM @.refuse('option-invalid', format('priority is "%s"', _options ->> 'priority'), 'give low, normal or high');
  END IF;
  RETURN ${literal(JSON.stringify(headStartMs))}::jsonb -> (_options ->> 'priority');
END $$;

CREATE FUNCTION @.delay_of(_options jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _ms bigint;
BEGIN
  IF NOT _options ? 'in' THEN RETURN NULL; END IF;
  BEGIN
    _ms := floor(extract(epoch FROM (_options ->> 'in')::interval) * 1000);
  EXCEPTION WHEN data_exception THEN
    _ms := NULL;
  END;
  IF (_ms BETWEEN 0 AND ${delayMaxMs} AND NOT _options ? 'at') IS NOT TRUE THEN
    PERFORM @.refuse('option-invalid', format('in is %s', _options -> 'in'), 'give an interval of 0 to ${delayMaxMs / 86_400_000} days, such as 10m or 2 hours, and no "at" beside it');
  END IF;
  RETURN _ms;
END $$;

CREATE FUNCTION @.instant_of(_options jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _ms numeric;
BEGIN
  IF NOT _options ? 'at' THEN RETURN NULL; END IF;
  BEGIN
    _ms := floor(extract(epoch FROM (_options ->> 'at')::timestamptz) * 1000);
  EXCEPTION WHEN data_exception THEN
    _ms := NULL;
  END;
  IF (abs(_ms) <= ${instantMax}) IS NOT TRUE THEN PERFORM @.refuse('option-invalid', format('at is %s', _options -> 'at'), 'give a timestamptz, such as now() + interval ''1 day'''); END IF;
  RETURN _ms;
END $$;

CREATE FUNCTION @.check_by_name(_verb text, _payload text, _options jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _allowed text[] := CASE _verb WHEN 'enqueue' THEN ${list(options.enqueue)} ELSE ${list(options.publish)} END;
  _unknown text;
BEGIN
  IF _payload IS NULL THEN PERFORM @.refuse('payload-not-json', 'the payload is NULL', 'leave it out, or give JSON'); END IF;
  IF octet_length(_payload) > ${payloadBytesMax} THEN
    PERFORM @.refuse('payload-too-large', format('the payload has %s bytes, of ${payloadBytesMax} allowed', octet_length(_payload)), 'pass a pointer to the record instead');
  END IF;
  IF NOT @.is_nested_within(_payload, ${payloadDepthMax}) THEN
    PERFORM @.refuse('payload-too-large', 'the payload is more than ${payloadDepthMax} levels deep', 'pass a pointer to the record instead');
  END IF;
  IF jsonb_typeof(_options) IS DISTINCT FROM 'object' THEN PERFORM @.refuse('option-invalid', 'the options are no JSON object', 'give {} or leave them out'); END IF;
  SELECT k.name INTO _unknown FROM jsonb_object_keys(_options) k (name) WHERE k.name <> ALL (_allowed) ORDER BY k.name LIMIT 1;
  IF _unknown IS NOT NULL THEN
    PERFORM @.refuse('option-unknown', format('%s has no option "%s"', _verb, _unknown), 'leave it out, or use one of: ' || array_to_string(_allowed, ', '));
  END IF;
END $$;

-- What can be read here, but not where it is taken in, deeper in the stack, would stop all verbs.
CREATE FUNCTION @.is_nested_within(_json text, _levels int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _brackets text;
BEGIN
  IF length(_json) - length(translate(_json, '[{', '')) <= _levels THEN RETURN true; END IF;
  _brackets := translate(regexp_replace(regexp_replace(_json, '"(?:[^"\\\\]|\\\\.)*"', '', 'g'), '[^][{}]+', '', 'g'), '{}', '[]');
  FOR _level IN 1 .. _levels LOOP
    EXIT WHEN _brackets = '';
    _brackets := replace(_brackets, '[]', '');
  END LOOP;
  RETURN _brackets = '';
END $$;

CREATE FUNCTION @.require_keys(_fields json, _payload json, _name text, _option text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _missing int := CASE WHEN _fields IS NOT NULL THEN array_position(@.key_values(_fields, _payload), NULL) END;
BEGIN
  IF _missing IS NULL THEN RETURN; END IF;
  PERFORM @.refuse('key-missing', format('the payload of %s has no text, number or boolean at "%s", which %s names', _name, _fields ->> (_missing - 1), _option),
    'add it to the payload');
END $$;

CREATE FUNCTION @.json_of(_text text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN _text::json::text;
EXCEPTION WHEN invalid_text_representation THEN
  RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'payload-not-json: the payload is no JSON', DETAIL = SQLERRM, HINT = 'make it with jsonb_build_object(…) or to_jsonb(…)';
END $$;

-- For a payload's fields that a note names.
CREATE FUNCTION @.unsealed(_json json) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT @.unseal(_json::text)::jsonb $$;

CREATE FUNCTION @.refuse(_code text, _message text, _cure text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = _code || ': ' || _message, HINT = _cure;
END $$;
`;

function list(names: readonly string[]): string {
  return `'{${names.join(",")}}'`;
}
