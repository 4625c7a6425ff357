/** Joins as \`find\` answers them. */
import { pageMax } from "../core/defaults.ts";
import { joinStates } from "./join.ts";

const stateNames = ["staged", "waiting", "open", "closed", "staged"].map((name, state) => `WHEN ${state} THEN '${name}'`).join(" ");
const seqMax = "9223372036854775807";

export const joinRowFunctions: string = `
-- By order of storing; unknown ids are left out. By UNIQUE (id), then primary keys.
CREATE FUNCTION @.joins_with_ids(_ids text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(@.join_row(n, p.id) ORDER BY n.seq), '[]')
    FROM @.joins n LEFT JOIN @.joins p ON p.seq = n.parent WHERE n.id = ANY (_ids[:${pageMax}]));
END $$;

-- Those within a join, or within none, from where the page before ended. By joins_parent, then primary keys.
CREATE FUNCTION @.joins_within(_query jsonb, _limit int) RETURNS TABLE (place text, found jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
  _parent bigint := coalesce(@.join_seq_of(_query ->> 'parent'), -1);
  _is_backwards boolean := coalesce((_query ->> 'newestFirst')::boolean, false);
  _from bigint := coalesce((_query ->> 'after')::bigint, CASE WHEN _is_backwards THEN ${seqMax} ELSE 0 END);
BEGIN
  IF _query ? 'parent' AND _is_backwards THEN
    RETURN QUERY SELECT n.seq::text, @.join_row(n, p.id) FROM @.joins n LEFT JOIN @.joins p ON p.seq = n.parent
      WHERE n.parent = _parent AND n.seq < _from ORDER BY n.seq DESC LIMIT _limit;
  ELSIF _query ? 'parent' THEN
    RETURN QUERY SELECT n.seq::text, @.join_row(n, p.id) FROM @.joins n LEFT JOIN @.joins p ON p.seq = n.parent
      WHERE n.parent = _parent AND n.seq > _from ORDER BY n.seq LIMIT _limit;
  ELSIF _is_backwards THEN
    RETURN QUERY SELECT n.seq::text, @.join_row(n, NULL) FROM @.joins n
      WHERE n.parent IS NULL AND n.seq < _from ORDER BY n.parent DESC, n.seq DESC LIMIT _limit;
  ELSE
    RETURN QUERY SELECT n.seq::text, @.join_row(n, NULL) FROM @.joins n WHERE n.parent IS NULL AND n.seq > _from ORDER BY n.parent, n.seq LIMIT _limit;
  END IF;
END $$;

CREATE FUNCTION @.join_row(_stored @.joins, _within text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _join @.joins := CASE WHEN _stored.state <> ${joinStates.closed} THEN @.with_changes(_stored) ELSE _stored END;
BEGIN
  RETURN jsonb_build_object('id', _join.id, 'name', _join.name, 'state', CASE _join.state ${stateNames} END, 'isCancelled', _join.is_cancelled,
      'members', _join.members, 'live', _join.live, 'succeeded', _join.succeeded, 'failed', _join.failed, 'storedAt', _join.stored_at)
    || CASE WHEN _join.closed_at IS NULL THEN '{}' ELSE jsonb_build_object('closedAt', _join.closed_at) END
    || CASE WHEN _within IS NULL THEN '{}' ELSE jsonb_build_object('join', _within) END
    || CASE WHEN _join.after IS NULL THEN '{}' ELSE jsonb_build_object('after', _join.after) END;
END $$;
`;
