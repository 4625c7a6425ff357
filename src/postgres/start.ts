/** Leases the chosen jobs: out of `ready`, into `running`, all at once. */
import { flags } from "./job.ts";

/** A job as its worker gets it: of rows j of \`jobs\` and l of \`lines\`. As text: objects built key by key take three times as long. */
const claimedJob = `concat('{"id":', to_json(j.id), ',"task":', to_json(l.task), ',"queue":', to_json(l.queue), ',"payload":', to_json(j.payload),
  ',"attempt":', j.attempts + 1, ',"starts":', j.starts + 1, ',"suspects":', j.suspects, ',"enqueuedAt":', j.enqueued_at, ',"dueAt":', j.due_at,
  CASE WHEN j.flags & ${flags.hasLane} = 0 THEN ',"isOrdered":false' ELSE ',"isOrdered":true' END,
  CASE WHEN j.lane_width = 1 THEN ',"lane":' || to_json(j.lane)::text END, ',"checkpoint":' || to_json(j.checkpoint)::text,
  CASE WHEN j.flags & ${flags.hasAfter} <> 0 THEN ',"isAfter":true' END,
  CASE WHEN j.flags & ${flags.hasJoin} <> 0 THEN
    (SELECT ',"join":' || to_json((SELECT n.id FROM @.joins n WHERE n.seq = m.joined))::text FROM @.joined m WHERE m.seq = j.seq AND m.nth = 0) END,
  CASE WHEN j.extra IS NOT NULL THEN concat(',"expecting":' || (j.extra -> 'expecting')::text, ',"version":' || (j.extra -> 'version')::text, ',"from":' || (j.extra -> 'from')::text,
    ',"slotAt":' || (j.extra -> 'slot' -> 'at')::text) END, '}')`;

export const startFunctions: string = `
-- Answers them in the order in which they were chosen. _carried: by task, the number of its terms. By primary keys, joined_seq.
CREATE FUNCTION @.start_jobs(_process int, _fence bigint, _claim text, _carried jsonb, _seqs bigint[], _rows tid[])
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  _flags int;
  _jobs text;
BEGIN
  DELETE FROM @.ready r WHERE r.ctid = ANY (_rows);
  PERFORM @.enter_running(_process, _fence, _claim, _carried, _seqs, _rows);
  SELECT bit_or(j.flags), string_agg(${claimedJob}, ',' ORDER BY u.nth) INTO _flags, _jobs
    FROM unnest(_seqs) WITH ORDINALITY u (seq, nth) CROSS JOIN LATERAL (SELECT j.* FROM @.jobs j WHERE j.seq = u.seq OFFSET 0) j
      CROSS JOIN LATERAL (SELECT l.task, l.queue FROM @.lines l WHERE l.id = j.line OFFSET 0) l;
  IF _flags & ${flags.hasStartBy} <> 0 THEN
    DELETE FROM @.deadlines d WHERE d.ctid = ANY (ARRAY(SELECT l.ctid FROM @.jobs j
      CROSS JOIN LATERAL (SELECT l.ctid FROM @.deadlines l WHERE l.start_by = j.start_by AND l.seq = j.seq OFFSET 0) l WHERE j.seq = ANY (_seqs)));
  END IF;
  IF _flags & ${flags.hasKeyLimits} <> 0 THEN PERFORM @.count_starts(_seqs, _fence); END IF;
  RETURN '[' || _jobs || ']';
END $$;

-- Its lane goes along, so that its end needs no look at the wide row. One that follows in a row has no row in ready. By primary keys.
CREATE FUNCTION @.enter_running(_process int, _fence bigint, _claim text, _carried jsonb, _seqs bigint[], _rows tid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _line record;
BEGIN
  FOR _line IN WITH come AS (
    INSERT INTO @.running (seq, line, keep, flags, process, fence, claim, started_at, terms, lane)
    SELECT j.seq, j.line, j.keep, CASE WHEN u.ready_row IS NULL THEN j.flags | ${flags.isFollowing} ELSE j.flags END, _process, _fence, _claim, _now,
      CASE WHEN _carried IS NOT NULL THEN (_carried ->> (SELECT l.task FROM @.lines l WHERE l.id = j.line))::int END,
      CASE WHEN j.flags & ${flags.hasLane} <> 0 THEN j.lane END
    FROM unnest(_seqs, _rows) u (seq, ready_row) CROSS JOIN LATERAL (SELECT j.* FROM @.jobs j WHERE j.seq = u.seq OFFSET 0) j RETURNING line, flags & ${flags.isFollowing} <> 0 AS follows
  ) SELECT c.line, count(*)::int AS jobs, count(*) FILTER (WHERE c.follows)::int AS following FROM come c GROUP BY c.line LOOP
    PERFORM @.count_change(_line.line, 'running', _line.jobs), @.count_change(_line.line, 'ready', _line.following - _line.jobs);
    IF _line.following > 0 THEN PERFORM @.count_change(_line.line, 'blocked', -_line.following); END IF;
  END LOOP;
END $$;
`;
