/** How many jobs in each (queue, task, state): changes appended with each commit, never a walk over jobs. */
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
    FROM (SELECT c.line, c.state, sum(c.jobs) AS jobs FROM @.counts c GROUP BY c.line, c.state HAVING sum(c.jobs) > 0) q
      CROSS JOIN LATERAL (SELECT l.queue, l.task FROM @.lines l WHERE l.id = q.line OFFSET 0) l), '[]'));
END $$;

CREATE FUNCTION @.has_counts_to_fold() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.counts c OFFSET ${foldAbove} LIMIT 1);
END $$;

-- For tidy: one row for each line and state again.
CREATE FUNCTION @.fold_counts() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.has_counts_to_fold() THEN RETURN; END IF;
  WITH gone AS (DELETE FROM @.counts c RETURNING c.line, c.state, c.jobs)
  INSERT INTO @.counts (line, state, jobs)
  SELECT g.line, g.state, sum(g.jobs) FROM gone g GROUP BY g.line, g.state HAVING sum(g.jobs) <> 0;
END $$;
`;
