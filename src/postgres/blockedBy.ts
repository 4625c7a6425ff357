/** What a blocked job waits for: its join, what it comes after, a key limit, or its lane. */
import { beforeJoined, endedOf } from "./after.ts";
import { flags } from "./flags.ts";
import { joinStates } from "./join.ts";

export const blockedByFunctions: string = `
-- By primary keys.
CREATE FUNCTION @.blocked_by(_seq bigint, _flags int, _lane text, OUT _reason text, OUT _on text) LANGUAGE plpgsql STABLE AS $$
DECLARE
  _own @.joins;
  _at int;
BEGIN
  IF _flags & ${flags.isLimited} <> 0 THEN
    _reason := 'limit';
    _on := coalesce((SELECT w.key FROM @.key_waits w WHERE w.seq = _seq), '');
    RETURN;
  ELSIF _flags & ${flags.isHeld} = 0 THEN
    _reason := 'key';
    _on := coalesce(_lane, '');
    RETURN;
  END IF;
  _own := @.own_join_of(_seq, _flags);
  IF _own.seq IS NOT NULL AND @.is_held_by_join(_own, _seq) THEN
    _reason := 'join';
    _on := _own.id;
    RETURN;
  END IF;
  -- The first that is open, or else the first.
  SELECT q.at INTO _at FROM (SELECT a.at, ${endedOf} AS ended FROM @.after a ${beforeJoined} WHERE a.node = _seq) q ORDER BY q.ended > 0, q.at LIMIT 1;
  _reason := 'after';
  _on := coalesce((SELECT j.extra -> 'after' -> coalesce(_at, 0) ->> 'id' FROM @.jobs j WHERE j.seq = _seq), '');
END $$;

-- It is not open; or it is, and has not come to this one yet. One that was let go by it before it was cancelled waits for the rest.
CREATE FUNCTION @.is_held_by_join(_own @.joins, _seq bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN _own.state <> ${joinStates.open} OR (NOT _own.is_cancelled AND NOT @.has_come(_own, _seq));
END $$;
`;
