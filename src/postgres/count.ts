/** How many jobs in each (queue, task, state): changes appended with each commit, never a walk over jobs. */
import { countsPlace, floorOf } from "./floors.ts";
import { verbSettings } from "./transaction.ts";

/** Above that many rows, tidy sums them up. */
const foldAbove = 2_000;

export const countFunctions: string = `
-- O(lines), and what was appended since they were last summed up.
CREATE FUNCTION @.verb_count(_stated bigint) RETURNS jsonb ${verbSettings} AS $$
BEGIN
  IF NOT @.see_inbox(_stated) THEN RETURN '{"isReadied": true}'; END IF;
  PERFORM @.begin_look(_stated);
  RETURN jsonb_build_object('isReadied', false, 'answer', coalesce((
    SELECT jsonb_agg(jsonb_build_object('queue', l.queue, 'task', l.task, 'state', @.state_of_code(q.state), 'jobs', q.jobs) ORDER BY q.line, q.state)
    FROM (SELECT c.line, c.state, sum(c.jobs) AS jobs FROM @.counts c WHERE c.n >= ${floorOf(countsPlace)} GROUP BY c.line, c.state HAVING sum(c.jobs) > 0) q
      CROSS JOIN LATERAL (SELECT l.queue, l.task FROM @.lines l WHERE l.id = q.line OFFSET 0) l), '[]'));
END $$;

CREATE FUNCTION @.has_counts_to_fold() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.counts c WHERE c.n >= ${floorOf(countsPlace)} OFFSET ${foldAbove} LIMIT 1);
END $$;

-- For tidy: one row for each line and state again. Answers whether there was something to do, as there is after some 1,000 verbs.
CREATE FUNCTION @.fold_counts() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _first bigint;
BEGIN
  IF NOT @.has_counts_to_fold() THEN RETURN false; END IF;
  WITH gone AS (DELETE FROM @.counts c WHERE c.n >= ${floorOf(countsPlace)} RETURNING c.line, c.state, c.jobs)
  INSERT INTO @.counts (line, state, jobs)
  SELECT g.line, g.state, sum(g.jobs) FROM gone g GROUP BY g.line, g.state HAVING sum(g.jobs) <> 0;
  SELECT c.n INTO _first FROM @.counts c WHERE c.n >= ${floorOf(countsPlace)} ORDER BY c.n LIMIT 1;
  IF _first IS NOT NULL AND @.may_raise_floors('counts', '{0}') THEN PERFORM @.raise_floor(${countsPlace}, _first); END IF;
  RETURN true;
END $$;
`;
