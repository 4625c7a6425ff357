/**
 * Names of lanes and unique keys, limits per key, and ids derived from others: byte for byte what core/keys.ts and core/keyLimits.ts compute.
 *
 * Payloads and subscriptions are read as *sealed* JSON: the same text with no backslash in it, so that PostgreSQL need not decode strings. It refuses
 * to decode \u0000 and halves of surrogate pairs, which JavaScript takes and writes. The text of a string as JSON.stringify writes it is all that keys need.
 */
const readableMax = 200;

/** A character that no text has a use for; a digit behind it tells what it stands for. */
const seal = "chr(64976)";

export const keyFunctions: string = String.raw`
CREATE FUNCTION @.json_text(_text text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT to_json(_text)::text $$;

CREATE FUNCTION @.digest(_text text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT encode(sha256(convert_to(_text, 'UTF8')), 'hex') $$;

-- The id of what follows from these parts.
CREATE FUNCTION @.derived_id(VARIADIC _parts text[]) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT left(@.digest('[' || string_agg(to_json(p.part)::text, ',' ORDER BY p.n) || ']'), 32) FROM unnest(_parts) WITH ORDINALITY p (part, n)
$$;

-- What is compared when an id is met again.
CREATE FUNCTION @.content_of(_name text, _payload text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT left(@.digest(_name || chr(10) || _payload), 32) $$;

-- _values: JSON of a list, as JavaScript writes it. Its length is told in UTF-16 units, as JavaScript's.
CREATE FUNCTION @.key_name(_scope text, _values text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN octet_length(_values) <= ${readableMax} OR (length(_values) <= ${readableMax} AND @.utf16_length(_values) <= ${readableMax})
    THEN _scope || _values ELSE _scope || '[#' || @.digest(_values) || ']' END
$$;

CREATE FUNCTION @.utf16_length(_text text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT length(_text) + (SELECT count(*)::int FROM unnest(string_to_array(_text, NULL)) c (it) WHERE octet_length(c.it) = 4)
$$;

CREATE FUNCTION @.seal(_json text) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _sealed text := @.canonical_escapes(_json);
BEGIN
  IF strpos(_sealed, ${seal}) > 0 THEN _sealed := replace(_sealed, ${seal}, ${seal} || '0'); END IF;
  IF strpos(_sealed, '\') > 0 THEN
    -- Pairs from the left: within a string every backslash begins an escape, or ends one.
    _sealed := replace(replace(replace(_sealed, '\\', ${seal} || '1'), '\"', ${seal} || '2'), '\', ${seal} || '3');
  END IF;
  RETURN _sealed::json;
END $$;

CREATE FUNCTION @.unseal(_sealed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT replace(replace(replace(replace(_sealed, ${seal} || '3', '\'), ${seal} || '2', '\"'), ${seal} || '1', '\\'), ${seal} || '0', ${seal})
$$;

-- A text of JSON with its strings escaped as JavaScript escapes them.
CREATE FUNCTION @.canonical_escapes(_json text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF strpos(_json, '\u') = 0 AND strpos(_json, '\/') = 0 THEN RETURN _json; END IF;
  RETURN (
    SELECT string_agg(CASE WHEN left(p.part[1], 1) = '\' THEN @.canonical_escape(p.part[1]) ELSE p.part[1] END, '' ORDER BY p.n)
    FROM regexp_matches(_json, '[^\\]+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.', 'g') WITH ORDINALITY p (part, n)
  );
END $$;

-- One escape, or those of a whole surrogate pair.
CREATE FUNCTION @.canonical_escape(_escape text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _code int;
BEGIN
  IF _escape = '\/' THEN RETURN '/'; END IF;
  IF left(_escape, 2) <> '\u' THEN RETURN _escape; END IF;
  _code := ('x0000' || substr(_escape, 3, 4))::bit(32)::int;
  IF length(_escape) = 12 THEN RETURN chr(65536 + (_code - 55296) * 1024 + ('x0000' || substr(_escape, 9, 4))::bit(32)::int - 56320); END IF;
  RETURN CASE WHEN _code = 8 THEN '\b' WHEN _code = 9 THEN '\t' WHEN _code = 10 THEN '\n' WHEN _code = 12 THEN '\f' WHEN _code = 13 THEN '\r'
    WHEN _code = 34 THEN '\"' WHEN _code = 92 THEN '\\' WHEN _code < 32 OR _code BETWEEN 55296 AND 57343 THEN lower(_escape) ELSE chr(_code) END;
END $$;

-- A number as JavaScript writes it after reading it.
CREATE FUNCTION @.canonical_number(_raw text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  -- Of up to 15 digits each stands for itself.
  IF _raw ~ '^-?[1-9][0-9]{0,14}$' OR _raw = '0' THEN RETURN _raw; END IF;
  BEGIN
    RETURN @.shortest_number(_raw::float8);
  EXCEPTION WHEN numeric_value_out_of_range THEN
    -- Too large is no number to JSON, and too small is 0.
    RETURN CASE WHEN @.magnitude_of(_raw) > 0 THEN 'null' ELSE '0' END;
  END;
END $$;

-- About its power of ten.
CREATE FUNCTION @.magnitude_of(_raw text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(substring(_raw FROM '[eE]([+-]?[0-9]+)')::numeric, 0) + CASE WHEN _raw ~ '^-?0'
    THEN -length(substring(_raw FROM '^-?0\.(0*)')) ELSE length(substring(_raw FROM '^-?([0-9]+)')) END
$$;

-- The fewest digits that are read as this number again, in JavaScript's layout.
CREATE FUNCTION @.shortest_number(_number float8) RETURNS text LANGUAGE plpgsql IMMUTABLE SET extra_float_digits = 1 AS $$
DECLARE
  _parts text[] := regexp_match(abs(_number)::text, '^([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$');
  _digits text := _parts[1] || coalesce(_parts[2], '');
  -- The number is 0.digits times ten to this.
  _point int := length(_parts[1]) + coalesce(_parts[3]::int, 0);
  _shorter text;
  _power int;
BEGIN
  IF _number = 0 THEN RETURN '0'; END IF;
  _point := _point - (length(_digits) - length(ltrim(_digits, '0')));
  _digits := rtrim(ltrim(_digits, '0'), '0');
  -- PostgreSQL leaves out a number exactly between two, though reading it gives the even one; JavaScript writes it if it is shorter.
  IF length(_digits) > 15 THEN
    _shorter := left(_digits, -1);
    IF ('0.' || _shorter || 'e' || _point)::float8 <> abs(_number) THEN _shorter := (_shorter::numeric + 1)::text; END IF;
    _power := _point + length(_shorter) - length(_digits) + 1;
    IF (CASE WHEN _power = 309 AND _shorter > '17976931348623158' THEN false ELSE ('0.' || _shorter || 'e' || _power)::float8 = abs(_number) END) THEN
      _digits := rtrim(_shorter, '0');
      _point := _power;
    END IF;
  END IF;
  RETURN CASE WHEN _number < 0 THEN '-' ELSE '' END || @.laid_out(_digits, _point);
END $$;

CREATE FUNCTION @.laid_out(_digits text, _point int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN _point BETWEEN length(_digits) AND 21 THEN rpad(_digits, _point, '0')
    WHEN _point BETWEEN 1 AND 21 THEN left(_digits, _point) || '.' || substr(_digits, _point + 1)
    WHEN _point BETWEEN -5 AND 0 THEN '0.' || repeat('0', -_point) || _digits
    ELSE left(_digits, 1) || CASE WHEN length(_digits) > 1 THEN '.' || substr(_digits, 2) ELSE '' END
      || 'e' || CASE WHEN _point > 0 THEN '+' ELSE '-' END || abs(_point - 1)
  END
$$;

-- The values of _fields (a sealed list) in a sealed payload, as JavaScript writes them; null: missing, or not a scalar.
CREATE FUNCTION @.key_values(_fields json, _payload json) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _values text[] := '{}';
  _field text;
  _value json;
BEGIN
  FOR _field IN SELECT f.field FROM json_array_elements_text(_fields) WITH ORDINALITY f (field, n) ORDER BY f.n LOOP
    _value := @.own_field(_payload, _field);
    _values := _values || CASE json_typeof(_value) WHEN 'string' THEN @.unseal(_value::text) WHEN 'number' THEN @.canonical_number(_value::text)
      WHEN 'boolean' THEN _value::text END;
  END LOOP;
  RETURN _values;
END $$;

-- Lists have their places and their length as fields.
CREATE FUNCTION @.own_field(_payload json, _field text) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF json_typeof(_payload) = 'object' THEN RETURN _payload -> _field; END IF;
  IF json_typeof(_payload) <> 'array' THEN RETURN NULL; END IF;
  RETURN CASE WHEN _field = 'length' THEN json_array_length(_payload)::text::json WHEN _field ~ '^(0|[1-9][0-9]{0,8})$' THEN _payload -> _field::int END;
END $$;

-- As JSON of a list; what is missing is null.
CREATE FUNCTION @.list_text(_values text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '[' || array_to_string(_values, ',', 'null') || ']' $$;

-- A limit per key, from a sealed policy and a sealed payload. A field that the payload lacks counts as null.
CREATE FUNCTION @.key_limit_of(_limit json, _payload json) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  _values text[] := @.key_values(_limit -> 'per', _payload);
  _single text := coalesce(_values[1], 'null');
  _is jsonb := (_limit -> 'is')::text::jsonb;
  _most text;
BEGIN
  IF cardinality(_values) = 1 AND _limit -> 'except' IS NOT NULL THEN
    _most := _limit -> 'except' ->> (@.seal(CASE WHEN left(_single, 1) = '"' THEN _single ELSE '"' || _single || '"' END) #>> '{}');
  END IF;
  IF _most IS NOT NULL THEN _is := _is || jsonb_build_object(CASE WHEN _is ? 'running' THEN 'running' ELSE 'starts' END, _most::numeric); END IF;
  RETURN jsonb_build_object('key', @.key_name(_limit ->> 'scope', @.list_text(_values)), 'is', _is);
END $$;
`;
