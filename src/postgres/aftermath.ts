/** The end of every verb: all that follows from what it did, in bounded passes. What is too much for one commit is left to tidy. */
import { tidyMax } from "../core/defaults.ts";
import { passKinds } from "./passKinds.ts";

const ties = ["endings", "join_counts", "ended", "to_close", "to_look_at", "passes"];
const bags = (names: readonly string[]): string => names.map((name) => `current_setting('errand.bag_${name}', true)`).join(", ");

export const aftermathFunctions: string = `
-- Each kind of work has _limit as its bound.
CREATE FUNCTION @.aftermath(_limit int DEFAULT ${tidyMax}) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WHILE @.has_aftermath() LOOP
    -- All are let go before lanes admit: in its lane each stands by its order of enqueue among them.
    WHILE concat(${bags(ties)}) <> '' LOOP
      PERFORM @.close_and_look(_limit);
      PERFORM @.walk_passes(_limit);
    END LOOP;
    IF @.is_gathered('lanes') THEN PERFORM @.admit_marked(); END IF;
    IF @.is_gathered('key_arrivals') OR @.is_gathered('key_changes') THEN PERFORM @.give_room(_limit); END IF;
  END LOOP;
END $$;

-- Something follows from what was done that has not been looked at.
CREATE FUNCTION @.has_aftermath() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN concat(${bags([...ties, "lanes", "key_arrivals", "key_changes"])}) <> '';
END $$;

-- By primary key.
CREATE FUNCTION @.is_any_pass_left() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.passes p WHERE p.kind > 0);
END $$;

-- For tidy: what earlier verbs left. By primary key.
CREATE FUNCTION @.resume_passes(_limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _pass record;
  _found int := 0;
BEGIN
  FOR _pass IN SELECT p.kind, p.node, p.cursor FROM @.passes p WHERE p.kind > 0 ORDER BY p.kind, p.node LIMIT _limit LOOP
    _found := _found + 1;
    IF _pass.kind = ${passKinds.look} THEN
      PERFORM @.gather('to_look_at', _pass.node::text);
    ELSIF _pass.kind = ${passKinds.followers} THEN
      PERFORM @.append('ended', _pass.node || ':' || _pass.cursor);
    ELSE
      PERFORM @.begin_pass(_pass.kind, _pass.node, _pass.cursor);
    END IF;
    IF _pass.kind >= ${passKinds.followers} THEN DELETE FROM @.passes p WHERE p.kind = _pass.kind AND p.node = _pass.node; END IF;
  END LOOP;
  -- There may be more than these.
  IF _found >= _limit THEN PERFORM @.tally('left'); END IF;
END $$;

-- What can close is closed before anything that may come after it is looked at; of that, the first stored first.
CREATE FUNCTION @.close_and_look(_limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _nodes bigint[] := '{}';
  _at int := 1;
BEGIN
  LOOP
    PERFORM @.count_endings();
    PERFORM @.close_joins(_limit);
    IF @.is_gathered('ended') THEN PERFORM @.note_followers(_limit, cardinality(_nodes) - _at + 1); END IF;
    IF @.is_gathered('to_look_at') THEN
      _nodes := ARRAY(SELECT q.node FROM unnest(_nodes[_at:]) q (node) UNION SELECT i.item::bigint FROM unnest(@.take_gathered('to_look_at')) i (item) ORDER BY 1);
      _at := 1;
    END IF;
    EXIT WHEN _at > cardinality(_nodes);
    IF @.tallied('looked') < _limit THEN
      PERFORM @.look_at_node(_nodes[_at]);
    ELSE
      PERFORM @.leave_pass(${passKinds.look}, _nodes[_at], 0);
    END IF;
    PERFORM @.tally('looked');
    _at := _at + 1;
  END LOOP;
END $$;

-- One that closes may be the last of what it is within.
CREATE FUNCTION @.close_joins(_limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _seq text;
  _join @.joins;
BEGIN
  WHILE @.is_gathered('to_close') LOOP
    FOREACH _seq IN ARRAY @.take_gathered('to_close') LOOP
      _join := @.join_at(_seq::bigint);
      IF _join.seq IS NULL OR NOT @.is_closable(_join) THEN
        CONTINUE;
      ELSIF @.tallied('closed') < _limit THEN
        PERFORM @.close_join(_join);
      ELSE
        PERFORM @.leave_pass(${passKinds.look}, _join.seq, 0);
      END IF;
    END LOOP;
    PERFORM @.count_endings();
  END LOOP;
END $$;

-- _waiting: how many others are yet to be looked at. By after_live.
CREATE FUNCTION @.note_followers(_limit int, _waiting int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _most int := _limit - @.tallied('looked') - _waiting - cardinality(@.gathered('to_look_at'));
  _ended record;
  _followers bigint[];
BEGIN
  FOR _ended IN SELECT split_part(i.item, ':', 1)::bigint AS node, min(split_part(i.item, ':', 2)::bigint) AS cursor
    FROM unnest(@.take_gathered('ended')) WITH ORDINALITY i (item, nth) GROUP BY 1 ORDER BY min(i.nth)
  LOOP
    _followers := CASE WHEN _most > 0 THEN
      ARRAY(SELECT a.node FROM @.after a WHERE a.before = _ended.node AND a.is_live AND a.node > _ended.cursor GROUP BY a.node ORDER BY a.node LIMIT _most) ELSE '{}' END;
    PERFORM @.gather('to_look_at', f.node::text) FROM unnest(_followers) f (node);
    IF cardinality(_followers) >= _most THEN
      PERFORM @.leave_pass(${passKinds.followers}, _ended.node, coalesce(_followers[cardinality(_followers)], _ended.cursor));
    END IF;
    _most := _most - cardinality(_followers);
  END LOOP;
END $$;

-- By primary key.
CREATE FUNCTION @.walk_passes(_limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _kind int;
  _node bigint;
  _walked record;
BEGIN
  WHILE @.is_gathered('passes') LOOP
    SELECT split_part(i.items[1], ':', 1)::int, split_part(i.items[1], ':', 2)::bigint INTO _kind, _node FROM (SELECT @.gathered('passes')) i (items);
    _walked := @.walk_on(_kind, _node, _limit, @.cursor_of_pass(_kind, _node));
    IF _walked._is_at_end THEN
      DELETE FROM @.passes p WHERE p.kind = _kind AND p.node = _node;
    ELSE
      PERFORM @.leave_pass(_kind, _node, _walked._cursor);
    END IF;
    PERFORM @.end_pass(_kind, _node);
  END LOOP;
END $$;

-- By primary key.
CREATE FUNCTION @.leave_pass(_kind int, _node bigint, _cursor bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.passes (kind, node, cursor) VALUES (_kind, _node, _cursor) ON CONFLICT (kind, node) DO UPDATE SET cursor = excluded.cursor;
  PERFORM @.tally('left');
END $$;
`;
