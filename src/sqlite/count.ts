/** How many jobs in each (queue, task, state): counters kept with each commit, never a walk over jobs. */
import type { CountRow } from "../core/engine.ts";
import { stateOfCode } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key: O(lines). */
const counters = "SELECT line, what, value FROM errand_numbers WHERE line > 0 AND value > 0 ORDER BY line, what";

export function count(look: Transaction): CountRow[] {
  return look.sql.tuples<[line: number, code: number, jobs: number]>(counters).map(([line, code, jobs]) => {
    const { queue, task } = look.dictionary.lineById(look.sql, line);
    return { queue, task, state: stateOfCode(code), jobs };
  });
}
