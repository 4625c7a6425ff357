/** The common cases of admitting, for many lanes at once: nobody is to be admitted, or the first member, which waits for nothing but its turn. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import { flags } from "./flags.ts";
import { places } from "./lane.ts";
import { readyPlaceOf } from "./readyPlace.ts";

const isPlain = `m.width = 1 AND j.flags & ${flags.hasStartBy | flags.hasKeyLimits} = 0 AND j.suspects < ${suspectsBeforeAlone} AND j.due_at <= _now`;

export const admitFirstsFunctions: string = `
-- Takes the lanes it has done out of those that may have room. All by primary keys. top is the highest place at which a member stands.
-- A lane that is closed, or that tidy has work with, stands in lanes: it is left to others.
CREATE FUNCTION @.admit_firsts(_limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _others text[];
  _lanes text[];
  _rows tid[];
  _seqs bigint[];
  _lines int[];
  _places int[];
  _urgencies bigint[];
  _flags int[];
BEGIN
  -- The subquery's order is the lists' order; with it, what decides is asked once.
  SELECT array_agg(q.lane) FILTER (WHERE q.admits = 'other'), array_agg(q.lane) FILTER (WHERE q.admits = 'first'),
      array_agg(q.row) FILTER (WHERE q.admits = 'first'), array_agg(q.seq) FILTER (WHERE q.admits = 'first'),
      array_agg(q.line) FILTER (WHERE q.admits = 'first'), array_agg(q.ready_place) FILTER (WHERE q.admits = 'first'),
      array_agg(q.urgency) FILTER (WHERE q.admits = 'first'), array_agg(q.flags) FILTER (WHERE q.admits = 'first')
    INTO _others, _lanes, _rows, _seqs, _lines, _places, _urgencies, _flags
    FROM (
      SELECT e.lane, m.row, m.seq, j.line, j.ready_place, j.urgency, j.flags, CASE
          WHEN t.top > ${places.admitted} OR t.is_known THEN 'other'
          WHEN m.seq IS NULL OR EXISTS (SELECT 1 FROM @.running r WHERE r.seq = m.seq) THEN 'nobody'
          WHEN t.top = ${places.admitted} THEN CASE WHEN m.width = 1 THEN 'nobody' ELSE 'other' END
          WHEN ${isPlain} THEN 'first' ELSE 'other' END AS admits
      FROM unnest(@.gathered('lanes')) WITH ORDINALITY e (lane, nth)
        CROSS JOIN LATERAL (
          SELECT (SELECT m.place FROM @.members m WHERE m.lane = e.lane ORDER BY m.place DESC, m.seq DESC LIMIT 1) AS top,
            EXISTS (SELECT 1 FROM @.lanes l WHERE l.lane = e.lane) AS is_known OFFSET 0
        ) t
        LEFT JOIN LATERAL (
          SELECT m.ctid AS row, m.seq, m.width FROM @.members m WHERE m.lane = e.lane AND m.place = ${places.blocked} ORDER BY m.seq LIMIT 1
        ) m ON true
        LEFT JOIN LATERAL (
          SELECT j.line, ${readyPlaceOf("j")} AS ready_place, j.urgency, j.flags, j.suspects, j.due_at
          FROM @.jobs j WHERE j.seq = m.seq AND t.top = ${places.blocked} OFFSET 0
        ) j ON true
      ORDER BY e.nth
    ) q;
  PERFORM @.leave_gathered('lanes', coalesce(_others, '{}') || _lanes[greatest(_limit, 0) + 1:]);
  IF _seqs IS NULL OR _limit <= 0 THEN RETURN; END IF;
  _rows := _rows[:_limit];
  _lines := _lines[:_limit];
  UPDATE @.members m SET place = ${places.admitted} WHERE m.ctid = ANY (_rows);
  INSERT INTO @.ready (line, urgency, seq, flags, since)
  SELECT e.line, e.urgency, e.seq, e.flags, _now FROM unnest(_places, _urgencies, _seqs, _flags) e (line, urgency, seq, flags) LIMIT _limit;
  PERFORM @.count_moved(q.line, 'blocked', 'ready', q.jobs) FROM (SELECT e.line, count(*)::int AS jobs FROM unnest(_lines) e (line) GROUP BY e.line) q;
  PERFORM @.tally('admitted', cardinality(_lines)), @.tell_readied();
END $$;

-- The list is that from now on.
CREATE FUNCTION @.leave_gathered(_bag text, _items text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('errand.bag_' || _bag, CASE WHEN cardinality(_items) = 0 THEN '' ELSE chr(30) || array_to_string(_items, chr(30)) || chr(30) END, true);
END $$;
`;
