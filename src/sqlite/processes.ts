/** Processes that hold something: jobs, locks, or a place in a lock's line. One lease covers it all (G3). */
import type { Ms } from "../core/runtime.ts";
import type { Transaction } from "./transaction.ts";

export interface Process {
  readonly id: number;
  readonly isLost: boolean;
}

/** By UNIQUE (process). */
const findProcess = "SELECT id, is_lost FROM errand_processes WHERE process = ?";
const addProcess = "INSERT INTO errand_processes (process, since, lease_until) VALUES (?, ?, ?) RETURNING id";
/** By rowid. */
const extend = "UPDATE errand_processes SET lease_until = max(lease_until, ?) WHERE id = ?";

export function processAsking(tx: Transaction, process: string): Process | undefined {
  const [row] = tx.sql.tuples<[number, number]>(findProcess, process);
  return row && { id: row[0], isLost: row[1] === 1 };
}

/** Its lease lasts at least `leaseMs` from now; it is made known if it is not. Answers its number. */
export function leaseTo(tx: Transaction, known: Process | undefined, process: string, leaseMs: Ms): number {
  if (known === undefined) return tx.sql.value<number>(addProcess, process, tx.now, tx.now + leaseMs) ?? 0;
  tx.sql.run(extend, tx.now + leaseMs, known.id);
  return known.id;
}
