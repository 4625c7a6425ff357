/** Who is a member of which join, and how the endings of members are counted: once for all that a verb ended. */
import { flags } from "./flags.ts";
import { joinStates } from "./join.ts";
import { passKinds } from "./passKinds.ts";

export const membershipFunctions: string = `
-- seq null: it has none. By joined_seq.
CREATE FUNCTION @.own_join_of(_seq bigint, _flags int) RETURNS @.joins LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN @.join_at(@.own_join_seq(_seq, _flags));
END $$;

-- Null: it has none. By joined_seq.
CREATE FUNCTION @.own_join_seq(_seq bigint, _flags int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF _flags & ${flags.hasJoin} = 0 THEN RETURN NULL; END IF;
  RETURN (SELECT m.joined FROM @.joined m WHERE m.seq = _seq AND m.nth = 0 LIMIT 1);
END $$;

-- Whether an open join, which lets its members go in their order and in passes, has come to this one. By primary key.
CREATE FUNCTION @.has_come(_join @.joins, _seq bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  _cursor bigint := coalesce(@.cursor_of_pass(${passKinds.members}, _join.seq), (SELECT p.cursor FROM @.passes p WHERE p.kind = ${passKinds.members} AND p.node = _join.seq));
BEGIN
  RETURN _cursor IS NULL OR _seq <= _cursor;
END $$;

-- Something was added to it, which for those around it is an addition too. By primary keys: at most once in a verb.
CREATE FUNCTION @.touch_join(_join bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _at record;
BEGIN
  WHILE _join IS NOT NULL LOOP
    SELECT n.touched_at, n.parent INTO _at FROM @.joins n WHERE n.seq = _join;
    IF _at.touched_at < _now THEN UPDATE @.joins n SET touched_at = _now WHERE n.seq = _join; END IF;
    _join := _at.parent;
  END LOOP;
END $$;

-- A work named it. _origin: 'outside', or 'run', whose members do not count for its size.
CREATE FUNCTION @.give(_id text, _origin text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _join record;
BEGIN
  SELECT n.seq, n.state INTO _join FROM @.joins n WHERE n.id = _id;
  IF _join.seq IS NULL THEN RETURN; END IF;
  IF _join.state = ${joinStates.staged} AND _origin = 'outside' THEN PERFORM @.change_counts(_join.seq, 0, 0, 0, 0, 1); END IF;
  PERFORM @.touch_join(_join.seq);
END $$;

-- A job that names it is stored; it counts as it stands.
CREATE FUNCTION @.enroll(_join bigint, _seq bigint, _state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.joined (joined, seq, nth) VALUES (_join, _seq, 0);
  PERFORM @.count_new(_join, @.ended_as(_state));
END $$;

-- A job that stands instead of one that named it becomes a member too, unless it would wait for itself. By primary keys, and by joined_seq.
CREATE FUNCTION @.adopt(_join bigint, INOUT _job @.job) LANGUAGE plpgsql AS $$
DECLARE
  _seq bigint := _job.seq;
  _nth int;
BEGIN
  IF NOT @.takes_members(@.join_at(_join)) OR EXISTS (SELECT 1 FROM @.joined m WHERE m.joined = _join AND m.seq = _seq) THEN RETURN; END IF;
  IF _job.flags & ${flags.isHeld} <> 0 AND @.waits_for(_seq, _join) THEN RETURN; END IF;
  -- It counts as it stands now: what was noted of it before is counted first.
  PERFORM @.count_endings();
  SELECT m.nth INTO _nth FROM @.joined m WHERE m.seq = _seq ORDER BY m.nth DESC LIMIT 1;
  INSERT INTO @.joined (joined, seq, nth) VALUES (_join, _seq, coalesce(_nth, 0) + 1);
  PERFORM @.tie_running(_seq);
  UPDATE @.jobs j SET flags = j.flags | ${flags.hasJoin} WHERE j.seq = _seq AND j.flags & ${flags.hasJoin} = 0;
  _job.flags := _job.flags | ${flags.hasJoin};
  PERFORM @.count_new(_join, @.ended_as(_job.state));
END $$;

-- A member more: a job or a join. _ended: 'well', 'badly', or null.
CREATE FUNCTION @.count_new(_join bigint, _ended text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.change_counts(_join, 1, CASE WHEN _ended IS NULL THEN 1 ELSE 0 END, CASE WHEN _ended = 'well' THEN 1 ELSE 0 END, CASE WHEN _ended = 'badly' THEN 1 ELSE 0 END, 0);
END $$;

-- Tells the joins of all that ended or lives again; whoever came after it is looked at later. The counts of one that has closed stand for ever.
-- By joined_seq and primary keys.
CREATE FUNCTION @.count_endings() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _endings text[] := @.take_gathered('endings');
  _counts text[] := @.take_gathered('join_counts');
  _joined bigint[];
  _seq bigint;
  _join @.joins;
BEGIN
  IF cardinality(_endings) + cardinality(_counts) = 0 THEN RETURN; END IF;
  WITH noted AS (
    SELECT split_part(i.item, ':', 1)::bigint AS seq, split_part(i.item, ':', 2)::int AS flags, split_part(i.item, ':', 3) AS was, split_part(i.item, ':', 4) AS is_now, i.nth
    FROM unnest(_endings) WITH ORDINALITY i (item, nth)
  ), told AS (
    SELECT o.seq, bit_or(o.flags) AS flags, (array_agg(o.was ORDER BY o.nth))[1] AS was, (array_agg(o.is_now ORDER BY o.nth DESC))[1] AS is_now, min(o.nth) AS nth
    FROM noted o GROUP BY o.seq
  ), followed AS (
    SELECT string_agg(t.seq || ':0', chr(30) ORDER BY t.nth) AS items FROM told t WHERE t.flags & ${flags.hasFollowers} <> 0 AND t.is_now <> ''
  ), changes AS (
    SELECT m.joined, 0 AS members, (t.was <> '')::int - (t.is_now <> '')::int AS live, (t.is_now = 'well')::int - (t.was = 'well')::int AS succeeded,
      (t.is_now = 'badly')::int - (t.was = 'badly')::int AS failed, 0 AS given
    FROM told t CROSS JOIN LATERAL (SELECT m.joined FROM @.joined m WHERE m.seq = t.seq OFFSET 0) m
    WHERE t.flags & ${flags.hasJoin} <> 0 AND t.was <> t.is_now AND (SELECT n.state FROM @.joins n WHERE n.seq = m.joined) < ${joinStates.closed}
    UNION ALL
    SELECT split_part(c.item, ':', 1)::bigint, split_part(c.item, ':', 2)::int, split_part(c.item, ':', 3)::int, split_part(c.item, ':', 4)::int,
      split_part(c.item, ':', 5)::int, split_part(c.item, ':', 6)::int FROM unnest(_counts) c (item)
  ), written AS (
    INSERT INTO @.join_changes (joined, members, live, succeeded, failed, given)
    SELECT c.joined, sum(c.members), sum(c.live), sum(c.succeeded), sum(c.failed), sum(c.given) FROM changes c GROUP BY c.joined RETURNING joined
  )
  SELECT ARRAY(SELECT w.joined FROM written w ORDER BY 1), CASE WHEN f.items IS NULL THEN NULL ELSE @.append_ended(f.items) END INTO _joined, _seq FROM followed f;
  FOREACH _seq IN ARRAY _joined LOOP
    _join := @.join_at(_seq);
    IF _join.live = 0 THEN PERFORM @.gather('to_close', _seq::text); END IF;
    PERFORM @.fold_where_many(_join);
  END LOOP;
END $$;

CREATE FUNCTION @.append_ended(_items text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.append('ended', _items);
  RETURN 0;
END $$;

-- The join was given up. Answers whether the job is its own; one that only stood for another goes on as it is.
CREATE FUNCTION @.leave_join(_join bigint, _job @.job) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF @.own_join_seq(_job.seq, _job.flags) = _join THEN RETURN true; END IF;
  DELETE FROM @.joined m WHERE m.joined = _join AND m.seq = _job.seq;
  RETURN false;
END $$;

-- A job is gone: its joins may go too, when it was their last. By joined_seq, then primary key.
CREATE FUNCTION @.forget_membership(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _joined bigint;
BEGIN
  IF _job.flags & ${flags.hasJoin} = 0 THEN RETURN; END IF;
  FOR _joined IN DELETE FROM @.joined m WHERE m.seq = _job.seq RETURNING m.joined LOOP
    PERFORM @.gather('joins_to_purge', _joined::text);
  END LOOP;
END $$;
`;
