/** Jobs found by what they belong to: members of a join, what came after something, what something came after. */

/** What no row names. */
const nobody = -1;

export const tiedJobFunctions: string = `
-- SQL for candidates beyond _from; null: they are not asked for by what they belong to.
-- By the primary key of joined, by after_before, or by primary keys.
CREATE FUNCTION @.tied_candidates(_where jsonb, _from bigint, _newest_first boolean) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  _beyond text := CASE WHEN _newest_first THEN '< ' ELSE '> ' END || _from;
  _node bigint;
BEGIN
  IF _where ? 'join' THEN
    RETURN format('SELECT x.seq FROM @.joined x WHERE x.joined = %s AND x.seq %s', @.tied_join(_where), _beyond);
  ELSIF _where ? 'after' THEN
    RETURN format('SELECT DISTINCT x.node AS seq FROM @.after x WHERE x.before = %s AND x.node %s', @.tied_node(_where ->> 'after'), _beyond);
  ELSIF _where ? 'before' THEN
    _node := @.tied_node(_where ->> 'before');
    RETURN format('SELECT q.seq FROM (SELECT x.before AS seq FROM @.after x WHERE x.node = %1$s UNION
      SELECT y.seq FROM @.after x JOIN @.joined y ON y.joined = x.before WHERE x.node = %1$s) q WHERE q.seq %2$s', _node, _beyond);
  END IF;
  RETURN NULL;
END $$;

-- SQL for conditions on j; null: there are none. By primary keys and after_before.
CREATE FUNCTION @.tied_conditions(_where jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN nullif(concat_ws(' AND ',
    CASE WHEN _where ? 'join' THEN format('EXISTS (SELECT 1 FROM @.joined x WHERE x.joined = %s AND x.seq = j.seq)', @.tied_join(_where)) END,
    CASE WHEN _where ? 'after' THEN format('EXISTS (SELECT 1 FROM @.after x WHERE x.before = %s AND x.node = j.seq)', @.tied_node(_where ->> 'after')) END,
    CASE WHEN _where ? 'before' THEN format('(EXISTS (SELECT 1 FROM @.after x WHERE x.node = %1$s AND x.before = j.seq)
      OR EXISTS (SELECT 1 FROM @.after x JOIN @.joined y ON y.joined = x.before AND y.seq = j.seq WHERE x.node = %1$s))', @.tied_node(_where ->> 'before')) END), '');
END $$;

CREATE FUNCTION @.tied_join(_where jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce(@.join_seq_of(_where ->> 'join'), ${nobody});
END $$;

CREATE FUNCTION @.tied_node(_id text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce(nullif(@.node_of(_id), 0), ${nobody});
END $$;
`;
