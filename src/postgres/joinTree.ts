/** A join with those within it. */
import { joinStates } from "./join.ts";
import { passKinds } from "./passKinds.ts";

export const joinTreeFunctions: string = `
-- In the order of storing: the named one first. Empty: there is none. By joins_parent.
CREATE FUNCTION @.tree_of(_id text) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY(
    WITH RECURSIVE tree (seq) AS (SELECT n.seq FROM @.joins n WHERE n.id = _id UNION
      SELECT n.seq FROM tree t CROSS JOIN LATERAL (SELECT n.seq FROM @.joins n WHERE n.parent = t.seq OFFSET 0) n)
    SELECT t.seq FROM tree t ORDER BY t.seq);
END $$;

-- They take no members any more, and let none go. By primary key.
CREATE FUNCTION @.cancel_joins(_joins bigint[], _reason text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _seq bigint;
BEGIN
  FOR _seq IN UPDATE @.joins n SET is_cancelled = true, reason = _reason WHERE n.seq = ANY (_joins) AND n.state < ${joinStates.closed} AND NOT n.is_cancelled RETURNING n.seq LOOP
    PERFORM @.gather('to_close', _seq::text);
  END LOOP;
END $$;

-- Members that the caller did not come to are cancelled by tidy; it begins anew where a pass had another meaning before. By primary keys.
CREATE FUNCTION @.leave_to_cancel(_joins bigint[], _has_more boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.passes p WHERE p.kind = ${passKinds.members} AND p.node = ANY (_joins);
  IF NOT _has_more THEN RETURN; END IF;
  INSERT INTO @.passes (kind, node, cursor)
  SELECT ${passKinds.members}, n.seq, 0 FROM @.joins n WHERE n.seq = ANY (_joins) AND n.is_cancelled AND n.state <= ${joinStates.closed};
END $$;
`;
