/** Leases the chosen jobs, all at once: out of `ready`, into one row of `claims`; those that are more than bare, into `running`. */
import { isBare } from "./claims.ts";
import { flags } from "./flags.ts";
import { codeOf } from "./numbers.ts";

/** As claimed.ts reads them. */
const numbers = ["seq", "line", "attempts", "starts", "suspects", "enqueued_at", "due_at", "flags"].map((name) => `j.${name}`).join(", ");

/**
 * Jobs as claimed.ts reads them, of rows j of `taken`: ids as lines and numbers as words of one text, since a list of JSON costs five times as much, and by their numbers what
 * only some of them have. `_order`: theirs, where it is not that of their numbers.
 */
const claimedJobs = `json_build_object('ids', string_agg(j.id, chr(10)), 'numbers', string_agg(concat_ws(' ', ${numbers}), ' '), 'order', _order, 'payloads', json_agg(j.payload),
  'named', (SELECT json_object_agg(l.id, json_build_object('task', l.task, 'queue', l.queue)) FROM @.lines l WHERE l.id = ANY (array_agg(j.line))),
  'lanes', json_object_agg(j.seq, j.lane) FILTER (WHERE j.lane_width = 1),
  'more', json_object_agg(j.seq, json_strip_nulls(json_build_object('checkpoint', j.checkpoint,
      'join', CASE WHEN j.flags & ${flags.hasJoin} <> 0 THEN (SELECT (SELECT n.id FROM @.joins n WHERE n.seq = m.joined) FROM @.joined m WHERE m.seq = j.seq AND m.nth = 0) END,
      'expecting', j.extra -> 'expecting', 'version', j.extra -> 'version', 'from', j.extra -> 'from', 'slotAt', j.extra -> 'slot' -> 'at')))
    FILTER (WHERE j.checkpoint IS NOT NULL OR j.extra IS NOT NULL OR j.flags & ${flags.hasJoin} <> 0))`;

/** What is needed of a job to start it and to hand it out. */
const columns = `j.seq, j.id, j.line, j.keep, j.flags, j.payload, j.enqueued_at, j.due_at, j.attempts, j.starts, j.suspects, j.lane, j.lane_width, j.checkpoint, j.extra`;

export const startFunctions: string = `
-- Answers them in the order in which they were chosen. One that follows in a row has no row in ready. Its lane goes along into running, so that its end needs no
-- look at the wide row. _carried: by task, the number of its terms. By primary keys, joined_seq.
CREATE FUNCTION @.start_jobs(_process int, _fence bigint, _claim text, _carried jsonb, _seqs bigint[], _rows tid[]) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _flags int;
  _jobs json;
  _in_order bigint[] := ARRAY(SELECT u.seq FROM unnest(_seqs) u (seq) ORDER BY 1);
  _order json := CASE WHEN _in_order <> _seqs THEN to_json(_seqs) END;
  _following bigint[] := CASE WHEN array_position(_rows, NULL) IS NULL THEN '{}' ELSE ARRAY(SELECT u.seq FROM unnest(_seqs, _rows) u (seq, ready_row) WHERE u.ready_row IS NULL) END;
BEGIN
  DELETE FROM @.ready r WHERE r.ctid = ANY (_rows);
  WITH taken AS MATERIALIZED (
    SELECT ${columns}, j.seq = ANY (_following) AS follows FROM @.jobs j WHERE j.seq = ANY (_seqs) ORDER BY j.seq
  ), termed AS MATERIALIZED (
    SELECT q.line, CASE WHEN _carried IS NOT NULL THEN (_carried ->> (SELECT l.task FROM @.lines l WHERE l.id = q.line))::int END AS terms FROM (SELECT DISTINCT j.line FROM taken j) q
  ), started_together AS (
    INSERT INTO @.claims (fence, line, keep, process, claim, started_at, terms, low, beyond, seqs)
    SELECT _fence, j.line, j.keep, _process, _claim, _now, (SELECT t.terms FROM termed t WHERE t.line = j.line), min(j.seq), max(j.seq) + 1, array_agg(j.seq ORDER BY j.seq)
    FROM taken j WHERE ${isBare} GROUP BY j.line, j.keep
  ), started AS (
    INSERT INTO @.running (seq, line, keep, flags, process, fence, claim, started_at, terms, lane)
    SELECT j.seq, j.line, j.keep, CASE WHEN j.follows THEN j.flags | ${flags.isFollowing} ELSE j.flags END, _process, _fence, _claim, _now,
      (SELECT t.terms FROM termed t WHERE t.line = j.line), CASE WHEN j.flags & ${flags.hasLane} <> 0 THEN j.lane END FROM taken j WHERE NOT (${isBare})
  ), counted AS (
    INSERT INTO @.counts (line, state, jobs) SELECT c.line, n.state, n.jobs
    FROM (SELECT j.line, count(*) AS all_jobs, count(*) FILTER (WHERE j.follows) AS following FROM taken j GROUP BY j.line) c
      CROSS JOIN LATERAL (VALUES (${codeOf("running")}, c.all_jobs), (${codeOf("ready")}, c.following - c.all_jobs), (${codeOf("blocked")}, -c.following)) n (state, jobs)
    WHERE n.jobs <> 0
  )
  SELECT bit_or(j.flags), ${claimedJobs} INTO _flags, _jobs FROM taken j;
  IF _flags & ${flags.hasStartBy} <> 0 THEN
    DELETE FROM @.deadlines d WHERE d.ctid = ANY (ARRAY(SELECT l.ctid FROM @.jobs j
      CROSS JOIN LATERAL (SELECT l.ctid FROM @.deadlines l WHERE l.start_by = j.start_by AND l.seq = j.seq OFFSET 0) l WHERE j.seq = ANY (_seqs)));
  END IF;
  IF _flags & ${flags.hasKeyLimits} <> 0 THEN PERFORM @.count_starts(_seqs, _fence); END IF;
  RETURN _jobs;
END $$;
`;
