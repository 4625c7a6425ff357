/** Members of a lane that are handed out in a row, behind one that is. */
import { flags } from "./job.ts";
import { places } from "./places.ts";

export const inRowFunctions: string = `
-- At most _most, in their order. By primary keys. The row ends at the first that does not fit, or was parked. None of them runs: those that ran behind the head
-- when it came back count as admitted since then.
CREATE FUNCTION @.followers_of(_head bigint, _most int) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  _lane text;
  _line int;
  _now bigint := @.now();
  _parked bigint;
  _row record;
  _seqs bigint[] := '{}';
BEGIN
  SELECT j.lane, j.line INTO _lane, _line FROM @.jobs j WHERE j.seq = _head AND j.lane_width = 1;
  IF _lane IS NULL OR NOT EXISTS (SELECT 1 FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} LIMIT 1) THEN RETURN _seqs; END IF;
  IF EXISTS (SELECT 1 FROM @.members m WHERE m.lane = _lane AND m.place = ${places.head} LIMIT 1) THEN RETURN _seqs; END IF;
  SELECT m.seq INTO _parked FROM @.members m WHERE m.lane = _lane AND m.place = ${places.parked} ORDER BY m.seq LIMIT 1;
  FOR _row IN
    SELECT q.seq, q.width = 1 AND q.seq > _head AND j.line = _line AND j.suspects = 0 AND j.flags & ${flags.hasKeyLimits} = 0
      AND j.due_at <= _now AND (j.start_by IS NULL OR j.start_by >= _now OR j.starts > 0) AS fits
    FROM (SELECT m.seq, m.width FROM @.members m WHERE m.lane = _lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT _most) q
    CROSS JOIN LATERAL (SELECT j.line, j.suspects, j.flags, j.due_at, j.start_by, j.starts FROM @.jobs j WHERE j.seq = q.seq OFFSET 0) j ORDER BY q.seq
  LOOP
    EXIT WHEN NOT _row.fits OR _row.seq > _parked;
    _seqs := _seqs || _row.seq;
  END LOOP;
  RETURN _seqs;
END $$;
`;
