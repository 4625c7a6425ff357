/** How jobs stand when all that follows from a verb has happened. */
import type { JobState } from "../core/states.ts";
import { stateFrom } from "./job.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_jobs_id, then rowids and a primary key. */
const standings = `SELECT j.id, j.state, r.seq IS NOT NULL, d.seq IS NOT NULL, m.seq IS NOT NULL FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value
  LEFT JOIN errand_running r ON r.seq = j.seq LEFT JOIN errand_done d ON d.seq = j.seq
  LEFT JOIN errand_members m ON m.lane = j.lane AND m.place = 0 AND m.seq = j.seq`;

export function statesOf(tx: Transaction, ids: readonly string[]): Map<string, JobState> {
  if (ids.length === 0) return new Map();
  const rows = tx.sql.tuples<[id: string, code: number, isRunning: number, isDone: number, isBehind: number]>(standings, JSON.stringify(ids));
  return new Map(
    rows.map(([id, code, isRunning, isDone, isBehind]) => [
      id,
      stateFrom({ code, isRunning: isRunning === 1, isDone: isDone === 1, isBehind: isBehind === 1 }),
    ]),
  );
}
