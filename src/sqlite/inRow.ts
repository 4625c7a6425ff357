/** Members of a lane that are handed out in a row, behind one that is: read with what is needed to start them, so that none is read twice. */
import { flags } from "./job.ts";
import { takenColumns } from "./start.ts";
import type { Taken } from "./start.ts";
import type { Transaction } from "./transaction.ts";

/**
 * By rowid, then the primary key of errand_members, then rowids. The row ends at the first that does not fit, or was parked. None of them runs: those that
 * ran behind the head when it came back count as admitted since then; while they do, nobody follows it, since he would pass them.
 */
const behind = `SELECT ${takenColumns}, j.keep, m.width = 1 AND m.seq > h.seq AND j.line = h.line AND j.suspects = 0 AND (j.flags & ${flags.hasKeyLimits}) = 0
    AND j.due_at <= ? AND (j.start_by IS NULL OR j.start_by >= ? OR j.starts > 0)
  FROM errand_jobs h CROSS JOIN errand_members m ON m.lane = h.lane AND m.place = 0 CROSS JOIN errand_jobs j ON j.seq = m.seq
  WHERE h.seq = ? AND h.lane_width = 1 AND m.seq < coalesce((SELECT min(seq) FROM errand_members WHERE lane = h.lane AND place = 2), ${Number.MAX_SAFE_INTEGER})
    AND NOT EXISTS (SELECT 1 FROM errand_members WHERE lane = h.lane AND place = 3)
    AND NOT EXISTS (SELECT 1 FROM errand_members WHERE lane = h.lane AND place = 1 AND seq <> h.seq)
  ORDER BY m.seq LIMIT ?`;

export type Follower = [...taken: Taken, keep: number, fits: number];

/** At most `most`, in their order. */
export function followersOf(tx: Transaction, head: number, most: number): Follower[] {
  const rows = tx.sql.tuples<Follower>(behind, tx.now, tx.now, head, most);
  const end = rows.findIndex((row) => row[fitsAt] !== 1);
  return end < 0 ? rows : rows.slice(0, end);
}

const fitsAt = 12;
