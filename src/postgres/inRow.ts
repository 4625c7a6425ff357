/** Members of a lane that are handed out in a row, behind one that is. */
import { claimMax } from "../core/defaults.ts";
import { standsAt } from "./floors.ts";
import { flags } from "./flags.ts";
import { places } from "./lane.ts";
import { isLateHead, standing } from "./ready.ts";

/**
 * At most `most` behind `head`, in their order. By primary keys. The row ends at the first that does not fit, or was parked. None of them runs: those that ran
 * behind the head when it came back count as admitted since then; while they do, nobody follows it, since he would pass them.
 */
const rowBehind = (head: string, most: string): string => `
  SELECT q.seq FROM (
    SELECT m.seq, bool_and(m.width = 1 AND m.seq > ${head} AND j.line = h.line AND j.suspects = 0 AND j.flags & ${flags.hasKeyLimits} = 0
        AND j.due_at <= _now AND (j.start_by IS NULL OR j.start_by >= _now OR j.starts > 0)
        AND m.seq < coalesce((SELECT p.seq FROM @.members p WHERE p.lane = h.lane AND p.place = ${places.parked} ORDER BY p.seq LIMIT 1), m.seq + 1)
        AND NOT EXISTS (SELECT 1 FROM @.members p WHERE p.lane = h.lane AND p.place = ${places.head} LIMIT 1)
        AND NOT EXISTS (SELECT 1 FROM @.members a WHERE a.lane = h.lane AND a.place = ${places.admitted} AND a.seq <> ${head} LIMIT 1)) OVER (ORDER BY m.seq) AS fits
    FROM (SELECT j.lane, j.line FROM @.jobs j WHERE j.seq = ${head} AND j.lane_width = 1 OFFSET 0) h
      CROSS JOIN LATERAL (SELECT m.seq, m.width FROM @.members m WHERE m.lane = h.lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT ${most}) m
      CROSS JOIN LATERAL (SELECT j.line, j.suspects, j.flags, j.due_at, j.start_by, j.starts FROM @.jobs j WHERE j.seq = m.seq OFFSET 0) j) q
  WHERE q.fits`;

export const inRowFunctions: string = `
CREATE FUNCTION @.followers_of(_head bigint, _most int) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
BEGIN
  RETURN ARRAY(SELECT f.seq FROM (${rowBehind("_head", "_most")}) f ORDER BY f.seq);
END $$;

-- All at once, where nothing but slots and what may be held ahead bounds what is chosen: the first of each queue as many as it has slots, and the rows behind them,
-- as far as may be held ahead. _seqs null: somebody without a lane may come after them, so they are to be chosen by turns. By primary keys.
CREATE FUNCTION @.choose_in_rows(_wanted jsonb, _lines int[], _queues int[], OUT _seqs bigint[], OUT _rows tid[]) LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _in_row int := (_wanted ->> 'inRow')::int;
  _slots int[] := ARRAY(SELECT greatest((e.queue ->> 'slots')::int, 0) FROM jsonb_array_elements(_wanted -> 'queues') WITH ORDINALITY e (queue, nth) ORDER BY e.nth);
  _ahead int[] := ARRAY(SELECT greatest((e.queue ->> 'ahead')::int, 0) FROM jsonb_array_elements(_wanted -> 'queues') WITH ORDINALITY e (queue, nth) ORDER BY e.nth);
  _is_open boolean;
BEGIN
  IF (SELECT sum(s.slots + s.ahead) FROM unnest(_slots, _ahead) s (slots, ahead)) > ${claimMax} THEN RETURN; END IF;
  WITH heads AS MATERIALIZED (
    SELECT h.*, min(h.nth) FILTER (WHERE h.is_late) OVER (PARTITION BY h.queue) AS stop FROM (
      SELECT s.queue, _slots[s.queue] AS slots, r.urgency, r.seq, r.flags, r.ready_row, row_number() OVER (PARTITION BY s.queue ORDER BY r.urgency, r.seq) AS nth,
        ${isLateHead} AS is_late
      FROM ${standing} s (place, queue)
        CROSS JOIN LATERAL (SELECT r.urgency, r.seq, r.flags, r.ctid AS ready_row FROM @.ready r WHERE ${standsAt("s.place")} ORDER BY r.urgency, r.seq LIMIT _slots[s.queue] + 1) r) h
    WHERE h.nth <= h.slots + 1
  ), picked AS (
    SELECT h.* FROM heads h WHERE h.nth <= h.slots AND (h.stop IS NULL OR h.nth < h.stop)
  ), chosen AS (
    SELECT p.urgency, p.seq AS head, p.seq, p.ready_row FROM picked p
    UNION ALL SELECT f.urgency, f.head, f.seq, NULL FROM (
      SELECT p.queue, p.urgency, p.seq AS head, b.seq, row_number() OVER (PARTITION BY p.queue ORDER BY p.nth, b.seq) AS nth
      FROM picked p CROSS JOIN LATERAL (${rowBehind("p.seq", "least(_in_row - 1, _ahead[p.queue])")}) b) f WHERE f.nth <= _ahead[f.queue]
  )
  SELECT array_agg(c.seq ORDER BY c.urgency, c.head, c.seq), array_agg(c.ready_row ORDER BY c.urgency, c.head, c.seq),
      EXISTS (SELECT 1 FROM heads h WHERE h.nth > h.slots AND _ahead[h.queue] > 0 AND h.stop IS NULL AND h.flags & ${flags.hasLane} = 0)
    INTO _seqs, _rows, _is_open FROM chosen c;
  IF _is_open THEN _seqs := NULL; ELSE _seqs := coalesce(_seqs, '{}'); END IF;
END $$;
`;
