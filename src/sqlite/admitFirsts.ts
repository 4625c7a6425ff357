/** The common cases of admitting, for many lanes at once: nobody is to be admitted, or the first member, which waits for nothing but its turn. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import { flags } from "./job.ts";
import { places } from "./lane.ts";
import { readyPlaceOf } from "./readyPlace.ts";
import type { Transaction } from "./transaction.ts";

const isPlain = `m.width = 1 AND (j.flags & ${flags.hasStartBy | flags.hasKeyLimits}) = 0 AND j.suspects < ${suspectsBeforeAlone}`;
/**
 * All by primary keys, then by rowids. `top` is the highest place at which a member stands. A lane that is closed, or that tidy has work with, stands in
 * errand_lanes: it is left to others.
 */
const firsts = `SELECT q.lane, q.first, j.line, CASE
    WHEN q.top > ${places.admitted} OR EXISTS (SELECT 1 FROM errand_lanes k WHERE k.lane = q.lane) THEN 'other'
    WHEN q.first IS NULL OR EXISTS (SELECT 1 FROM errand_rows w WHERE w.lane = q.lane) OR EXISTS (SELECT 1 FROM errand_running r WHERE r.seq = q.first) THEN 'nobody'
    WHEN q.top = ${places.admitted} THEN iif(m.width = 1, 'nobody', 'other')
    ELSE iif(${isPlain} AND j.due_at <= ?, 'first', 'other') END
  FROM (SELECT value AS lane, (SELECT min(seq) FROM errand_members WHERE lane = value AND place = 0) AS first,
      (SELECT max(place) FROM errand_members WHERE lane = value) AS top FROM json_each(?) e) q
    LEFT JOIN errand_members m ON m.lane = q.lane AND m.place = 0 AND m.seq = q.first LEFT JOIN errand_jobs j ON j.seq = q.first`;
const admit = "UPDATE errand_members SET place = 1 WHERE lane = ? AND place = 0 AND seq = ?";
/** By rowids. */
const enterReady = `INSERT INTO errand_ready (line, urgency, seq, flags, since)
  SELECT ${readyPlaceOf("j")}, j.urgency, j.seq, j.flags, ? FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value`;

type First = [lane: string, seq: number, line: number, admits: "nobody" | "first" | "other"];

/** Takes the lanes it has done out of those that may have room. */
export function admitFirsts(tx: Transaction, limit: number): void {
  const rows = tx.sql.tuples<First>(firsts, tx.now, JSON.stringify([...tx.lanesToAdmit]));
  for (const [lane, , , admits] of rows) if (admits === "nobody") tx.lanesToAdmit.delete(lane);
  const plain = rows.filter(([, , , admits]) => admits === "first").slice(0, limit);
  if (plain.length === 0) return;
  tx.sql.run(enterReady, tx.now, JSON.stringify(plain.map(([, seq]) => seq)));
  for (const [lane, seq, line] of plain) {
    tx.sql.run(admit, lane, seq);
    tx.lanesToAdmit.delete(lane);
    tx.counters.add(line, "blocked", -1);
    tx.counters.add(line, "ready", 1);
  }
  tx.admitted += plain.length;
  tx.isReadied = true;
}
