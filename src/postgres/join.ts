/** Jobs that belong together (G11): their rows and their counts. What happens to the members is in joinPasses.ts. */

/** removed: its storing was given up; its members are being removed. */
export const joinStates = { staged: 0, waiting: 1, open: 2, closed: 3, removed: 4 } as const;

export const endedCodes = { open: 0, well: 1, badly: 2 } as const;

/** So many changes of a join's counts are summed up by each reader at most. */
const changesMax = 50;

export const joinFunctions: string = `
-- With its counts as of now. seq null: there is none. By primary keys.
CREATE FUNCTION @.join_at(_seq bigint) RETURNS @.joins LANGUAGE plpgsql STABLE AS $$
DECLARE
  _join @.joins;
BEGIN
  SELECT n.* INTO _join FROM @.joins n WHERE n.seq = _seq;
  IF _join.seq IS NOT NULL AND _join.state <> ${joinStates.closed} THEN RETURN @.with_changes(_join); END IF;
  RETURN _join;
END $$;

-- By UNIQUE (id), then primary key.
CREATE FUNCTION @.find_join(_id text) RETURNS @.joins LANGUAGE plpgsql STABLE AS $$
DECLARE
  _join @.joins;
BEGIN
  SELECT n.* INTO _join FROM @.joins n WHERE n.id = _id;
  IF _join.seq IS NOT NULL AND _join.state <> ${joinStates.closed} THEN RETURN @.with_changes(_join); END IF;
  RETURN _join;
END $$;

-- By UNIQUE (id).
CREATE FUNCTION @.join_seq_of(_id text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT n.seq FROM @.joins n WHERE n.id = _id);
END $$;

-- The number of the job or join of that id; a job goes before a join. 0: there is none. By jobs_id and UNIQUE (id).
CREATE FUNCTION @.node_of(_id text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((SELECT j.seq FROM @.jobs j WHERE j.id = _id), (SELECT n.seq FROM @.joins n WHERE n.id = _id), 0);
END $$;

-- One that was cancelled lets nobody go.
CREATE FUNCTION @.is_open_join(_join @.joins) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN _join.state = ${joinStates.open} AND NOT _join.is_cancelled;
END $$;

-- New works may name it.
CREATE FUNCTION @.takes_members(_join @.joins) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN _join.state < ${joinStates.closed} AND NOT _join.is_cancelled AND _join.fate IS NULL;
END $$;

-- By primary key.
CREATE FUNCTION @.with_changes(INOUT _join @.joins) LANGUAGE plpgsql STABLE AS $$
DECLARE
  _more record;
BEGIN
  SELECT sum(c.members) AS members, sum(c.live) AS live, sum(c.succeeded) AS succeeded, sum(c.failed) AS failed, sum(c.given) AS given
    INTO _more FROM @.join_changes c WHERE c.joined = _join.seq AND c.n > _join.folded;
  IF _more.members IS NULL THEN RETURN; END IF;
  _join.members := _join.members + _more.members;
  _join.live := _join.live + _more.live;
  _join.succeeded := _join.succeeded + _more.succeeded;
  _join.failed := _join.failed + _more.failed;
  _join.given := _join.given + _more.given;
END $$;

-- Written before the verb ends, and before anything is decided by it.
CREATE FUNCTION @.change_counts(_join bigint, _members int, _live int, _succeeded int, _failed int, _given int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.append('join_counts', concat_ws(':', _join, _members, _live, _succeeded, _failed, _given));
END $$;

-- What a reader of its counts sums up is bounded; the rows that are gone stand before what readers look at. By primary keys.
CREATE FUNCTION @.fold_join(_seq bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _join @.joins;
  _last bigint;
BEGIN
  SELECT n.* INTO _join FROM @.joins n WHERE n.seq = _seq;
  SELECT c.n INTO _last FROM @.join_changes c WHERE c.joined = _seq AND c.n > _join.folded ORDER BY c.n DESC LIMIT 1;
  IF _last IS NULL THEN RETURN; END IF;
  _join := @.with_changes(_join);
  UPDATE @.joins n SET members = _join.members, live = _join.live, succeeded = _join.succeeded, failed = _join.failed, given = _join.given, folded = _last
    WHERE n.seq = _seq;
  DELETE FROM @.join_changes c WHERE c.joined = _seq AND c.n > _join.folded;
END $$;

-- By primary key.
CREATE FUNCTION @.fold_where_many(_join @.joins) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM (SELECT 1 FROM @.join_changes c WHERE c.joined = _join.seq AND c.n > _join.folded LIMIT ${changesMax}) q) = ${changesMax} THEN
    PERFORM @.fold_join(_join.seq);
  END IF;
END $$;

-- By primary keys. Nothing may be noted of it any more.
CREATE FUNCTION @.remove_join(_join @.joins) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.join_changes c WHERE c.joined = _join.seq AND c.n > _join.folded;
  DELETE FROM @.joins n WHERE n.seq = _join.seq;
END $$;
`;
