/** Two small dictionaries: lines (queue and task) and keeps (how long an ended job is kept). Rows are never removed. */
export const lineFunctions: string = `
-- By UNIQUE (queue, task). Called also without the write lock: another may add the same line meanwhile.
CREATE FUNCTION @.line_of(_queue text, _task text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _id int;
BEGIN
  SELECT l.id INTO _id FROM @.lines l WHERE l.queue = _queue AND l.task = _task;
  IF _id IS NOT NULL THEN RETURN _id; END IF;
  INSERT INTO @.lines (queue, task) VALUES (_queue, _task) ON CONFLICT DO NOTHING RETURNING id INTO _id;
  IF _id IS NULL THEN SELECT l.id INTO _id FROM @.lines l WHERE l.queue = _queue AND l.task = _task; END IF;
  RETURN _id;
END $$;

-- By UNIQUE (completed, skipped, cancelled, dead).
CREATE FUNCTION @.keep_of(_keep jsonb) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _id int;
  _completed bigint := (_keep ->> 'completed')::numeric::bigint;
  _skipped bigint := (_keep ->> 'skipped')::numeric::bigint;
  _cancelled bigint := (_keep ->> 'cancelled')::numeric::bigint;
  _dead bigint := (_keep ->> 'dead')::numeric::bigint;
BEGIN
  SELECT k.id INTO _id FROM @.keeps k WHERE k.completed = _completed AND k.skipped = _skipped AND k.cancelled = _cancelled AND k.dead = _dead;
  IF _id IS NOT NULL THEN RETURN _id; END IF;
  INSERT INTO @.keeps (completed, skipped, cancelled, dead) VALUES (_completed, _skipped, _cancelled, _dead) ON CONFLICT DO NOTHING RETURNING id INTO _id;
  IF _id IS NULL THEN RETURN @.keep_of(_keep); END IF;
  RETURN _id;
END $$;

-- By primary key.
CREATE FUNCTION @.keep_ms(_keep int, _state text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE _state WHEN 'completed' THEN k.completed WHEN 'skipped' THEN k.skipped WHEN 'cancelled' THEN k.cancelled ELSE k.dead END
  FROM @.keeps k WHERE k.id = _keep
$$;
`;
