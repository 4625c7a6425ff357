/** Locks with fences (G17): one line of tickets for each name. */
import type { Grant, LockRequest, Waiting } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { permitsConflict } from "../core/refusals.ts";
import { leaseTo, processAsking } from "./processes.ts";
import type { Transaction } from "./transaction.ts";

/** By UNIQUE (name, ticket). */
const findTicket = "SELECT place, fence FROM errand_tickets WHERE name = ? AND ticket = ?";
const addTicket = "INSERT INTO errand_tickets (name, ticket, process, mode, permits) VALUES (?, ?, ?, ?, ?) RETURNING place";
const dropTicket = "DELETE FROM errand_tickets WHERE name = ? AND ticket = ?";
/** By UNIQUE (name, ticket): as many as wait for one lock. */
const modesAhead = "SELECT mode, count(*) FROM errand_tickets WHERE name = ? AND place < ? GROUP BY mode";
/** By UNIQUE (name, ticket): as many as wait for one lock. */
const otherPermits = "SELECT permits FROM errand_tickets WHERE name = ? AND mode = 'write' AND permits <> ? LIMIT 1";
/** By rowid. */
const grant = "UPDATE errand_tickets SET fence = ? WHERE place = ?";

export function lock(tx: Transaction, request: LockRequest): Grant | Waiting {
  refuseOtherPermits(tx, request);
  const asking = processAsking(tx, request.process);
  if (asking?.isLost) {
    throw new ErrandError("lease-lost", `the lease of process ${request.process} was taken back; ask for lock ${request.name} as a new process`);
  }
  const process = leaseTo(tx, asking, request.process, request.leaseMs);
  const [known] = tx.sql.tuples<[place: number, fence: number | null]>(findTicket, request.name, request.ticket);
  if (known && known[1] !== null) return { is: "granted", fence: known[1], now: tx.now };
  const place = known?.[0] ?? tx.sql.value<number>(addTicket, request.name, request.ticket, process, request.mode, request.permits ?? 1) ?? 0;
  const ahead = aheadOf(tx, request, place);
  if (ahead > 0) return { is: "waiting", ahead, now: tx.now };
  const fence = tx.takeFence(request.lastFence);
  tx.sql.run(grant, fence, place);
  return { is: "granted", fence, now: tx.now };
}

export function unlock(tx: Transaction, { name, ticket }: { readonly name: string; readonly ticket: string }): boolean {
  const isHeld = tx.sql.run(dropTicket, name, ticket) > 0;
  // Whoever waits for it may ask again.
  if (isHeld) tx.isReadied = true;
  return isHeld;
}

function refuseOtherPermits(tx: Transaction, { name, mode, permits = 1 }: LockRequest): void {
  const others = mode === "read" ? undefined : tx.sql.value<number>(otherPermits, name, permits);
  if (others !== undefined) throw permitsConflict(name, permits, others);
}

/** How many tickets must go before this one is granted. A reader waits for the writers ahead of it; a writer for all, but for `permits` - 1 writers. */
function aheadOf(tx: Transaction, request: LockRequest, place: number): number {
  const modes = new Map(tx.sql.tuples<[mode: string, count: number]>(modesAhead, request.name, place));
  const writers = modes.get("write") ?? 0;
  if (request.mode === "read") return writers;
  return (modes.get("read") ?? 0) + Math.max(0, writers - (request.permits ?? 1) + 1);
}
