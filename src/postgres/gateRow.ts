/** Limits and resources as `find` answers them. */
export const gateRowFunctions: string = `
CREATE FUNCTION @.gate_rows(_names text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _name text;
  _rows jsonb := '[]';
BEGIN
  FOR _name IN SELECT DISTINCT n.name COLLATE "C" FROM unnest(_names) n (name) ORDER BY 1 LOOP
    _rows := _rows || @.limit_row(_name) || @.resource_row(_name);
  END LOOP;
  RETURN _rows;
END $$;

CREATE FUNCTION @.limit_row(_name text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _limit jsonb := @.limit_named(_name);
BEGIN
  IF NOT coalesce(_limit ? 'starts', false) THEN RETURN @.gate_row(_name, 'limit', @.running_under(_name), (_limit ->> 'running')::numeric); END IF;
  RETURN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('name', _name, 'kind', 'limit', 'used', @.starts_under(_name, (_limit ->> 'everyMs')::numeric::bigint),
    'most', _limit -> 'starts', 'freeAt', @.free_at_of(_name, _limit))));
END $$;

CREATE FUNCTION @.resource_row(_name text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT @.gate_row(_name, 'resource', @.amount_in_use(_name), @.capacity_of(_name)));
END $$;

-- Without a note and without use there is nothing to tell.
CREATE FUNCTION @.gate_row(_name text, _kind text, _used numeric, _most numeric) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _most IS NULL AND _used <= 0 THEN '[]'
    ELSE jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('name', _name, 'kind', _kind, 'used', _used, 'most', _most))) END
$$;
`;
