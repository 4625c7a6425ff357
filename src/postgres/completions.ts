/** Which jobs completed, and when: many to a row, by blocks of their numbers. */

/** Jobs of a block: as many places as its rows can name. */
const bits = 8;
export const blockSize: number = 2 ** bits;

/**
 * The row that says that a job completed: of a number, and of what must hold besides. By completions_block, from the last row on whose first place is not behind its own:
 * where jobs complete one by one, a block has as many rows as jobs, and that is the one. Places stand in order.
 */
export const completionOf = (seq: string, also: string): string => `LEFT JOIN LATERAL (
    SELECT ${seq} AS seq, e.ended_at FROM @.completions e WHERE ${also} AND e.block = ${seq} >> ${bits} AND e.places[1] <= (${seq} & ${blockSize - 1})::smallint
      AND (${seq} & ${blockSize - 1})::smallint = ANY (e.places) ORDER BY e.places[1] DESC LIMIT 1) d ON true`;

export const completionFunctions: string = `
-- Now, of one keep. _seqs: in order, which the groups keep. (To sort each once more takes half a microsecond a job.)
CREATE FUNCTION @.complete_seqs(_seqs bigint[], _keep int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.completions (block, ended_at, purge_at, places)
  SELECT u.seq >> ${bits}, @.now(), @.now() + (SELECT k.completed FROM @.keeps k WHERE k.id = _keep), array_agg((u.seq & ${blockSize - 1})::smallint) FROM unnest(_seqs) u (seq) GROUP BY 1;
END $$;

-- It lives again, or is removed. By completions_block.
CREATE FUNCTION @.uncomplete(_seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH asked AS MATERIALIZED (
    SELECT u.seq >> ${bits} AS block, array_agg((u.seq & ${blockSize - 1})::smallint) AS places FROM unnest(_seqs) u (seq) GROUP BY 1
  ), found AS MATERIALIZED (
    SELECT e.row, ARRAY(SELECT unnest(e.places) EXCEPT SELECT unnest(a.places) ORDER BY 1) AS rest
    FROM asked a CROSS JOIN LATERAL (SELECT e.ctid AS row, e.places FROM @.completions e WHERE e.block = a.block OFFSET 0) e WHERE e.places && a.places
  ), gone AS (
    DELETE FROM @.completions e WHERE e.ctid = ANY (ARRAY(SELECT f.row FROM found f WHERE f.rest = '{}'))
  )
  UPDATE @.completions e SET places = f.rest FROM found f WHERE e.ctid = f.row AND f.rest <> '{}';
END $$;

-- A statement for the completed ones whose seq is as _beyond says: at least _most of them, and all that lie between; below 0: all. By completions_block.
CREATE FUNCTION @.completed_beyond(_beyond text, _most int) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  _operator text := split_part(_beyond, ' ', 2);
  _blocks text := format('e.block %s= %s >> ${bits}', _operator, split_part(_beyond, ' ', 3));
  _last bigint;
BEGIN
  IF _most >= 0 THEN
    -- Up to the block by which there are enough: of the first block all may be on this side.
    EXECUTE format('SELECT b.block FROM (SELECT e.block, sum(cardinality(e.places)) OVER (ORDER BY e.block %1$s) AS jobs FROM @.completions e WHERE %2$s) b WHERE b.jobs >= %3$s ORDER BY b.block %1$s LIMIT 1',
      CASE _operator WHEN '<' THEN 'DESC' ELSE 'ASC' END, _blocks, _most + ${blockSize}) INTO _last;
    IF _last IS NOT NULL THEN _blocks := format('%s AND e.block %s= %s', _blocks, translate(_operator, '<>', '><'), _last); END IF;
  END IF;
  RETURN format('SELECT u.seq FROM (SELECT (e.block << ${bits}) + p.place AS seq FROM @.completions e CROSS JOIN LATERAL unnest(e.places) p (place) WHERE %s) u WHERE u.%s', _blocks, _beyond);
END $$;

-- Those that are due to be looked at, at most _limit. Nobody looks at them there again.
CREATE FUNCTION @.take_due_completions(_limit int, OUT _seqs bigint[], OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _row record;
  _taken smallint[];
  _rows tid[] := '{}';
BEGIN
  _seqs := '{}';
  _has_more := false;
  -- By completions_purge.
  FOR _row IN SELECT c.ctid, c.block, c.ended_at, c.purge_at, c.places FROM @.completions c WHERE c.purge_at <= @.now() ORDER BY c.purge_at LIMIT _limit + 1 LOOP
    _taken := _row.places[1 : _limit - cardinality(_seqs)];
    _seqs := _seqs || ARRAY(SELECT (_row.block << ${bits}) + p.place FROM unnest(_taken) p (place));
    IF cardinality(_taken) = cardinality(_row.places) THEN
      _rows := _rows || _row.ctid;
      CONTINUE;
    END IF;
    _has_more := true;
    UPDATE @.completions c SET places = _row.places[cardinality(_taken) + 1 :] WHERE c.ctid = _row.ctid;
    IF cardinality(_taken) > 0 THEN INSERT INTO @.completions (block, ended_at, purge_at, places) VALUES (_row.block, _row.ended_at, NULL, _taken); END IF;
    EXIT;
  END LOOP;
  UPDATE @.completions c SET purge_at = NULL WHERE c.ctid = ANY (_rows);
END $$;
`;
