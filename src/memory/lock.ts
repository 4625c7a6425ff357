/** Locks with fences (G17): one line of tickets for each name. */
import type { Grant, LockRequest, LockRow, Waiting } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { permitsConflict } from "../core/refusals.ts";
import type { Instant } from "../core/runtime.ts";
import type { Store } from "./store.ts";

interface Ticket {
  readonly request: LockRequest;
  /** Undefined while it waits. */
  fence: number | undefined;
}

export class Locks {
  readonly #lines = new Map<string, Map<string, Ticket>>();

  /** The tickets of one lock, in the order of their asking; the new one included. */
  lineWith(request: LockRequest): Map<string, Ticket> {
    const line = this.#lines.get(request.name) ?? new Map<string, Ticket>();
    this.#lines.set(request.name, line);
    if (!line.has(request.ticket)) line.set(request.ticket, { request, fence: undefined });
    return line;
  }

  /** What a writer in the line named, if not the same. */
  otherPermits({ name, mode, permits = 1 }: LockRequest): number | undefined {
    const line = this.#lines.get(name);
    if (line === undefined || mode === "read") return undefined;
    const other = [...line.values()].find(({ request }) => request.mode === "write" && (request.permits ?? 1) !== permits);
    return other && (other.request.permits ?? 1);
  }

  drop(name: string, ticket: string): boolean {
    const line = this.#lines.get(name);
    const had = line?.delete(ticket) ?? false;
    if (line?.size === 0) this.#lines.delete(name);
    return had;
  }

  /** Drops all that a process holds and waits for. Answers how many tickets that were. */
  dropAllOf(process: string): number {
    const dropped = [...this.#tickets()].filter(({ request }) => request.process === process);
    for (const { request } of dropped) this.drop(request.name, request.ticket);
    return dropped.length;
  }

  /** Whether a process holds a lock or waits for one. */
  isAsking(process: string): boolean {
    return [...this.#tickets()].some(({ request }) => request.process === process);
  }

  hasTicketOf(process: string): boolean {
    return [...this.#tickets()].some(({ request }) => request.process === process);
  }

  rows(): LockRow[] {
    return [...this.#tickets()].map(({ request, fence }) => {
      const { name, mode, ticket, process } = request;
      return { name, mode, ticket, process, fence: fence ?? 0, isGranted: fence !== undefined };
    });
  }

  *#tickets(): Generator<Ticket> {
    for (const line of this.#lines.values()) yield* line.values();
  }
}

export function lock(store: Store, request: LockRequest, now: Instant): Grant | Waiting {
  refuseOtherPermits(store, request);
  const process = store.processes.of(request.process, request.leaseMs, now);
  if (process.isLost) {
    throw new ErrandError("lease-lost", `the lease of process ${request.process} was taken back; ask for lock ${request.name} as a new process`);
  }
  const line = store.locks.lineWith(request);
  const ahead = aheadOf(request, line);
  const ticket = line.get(request.ticket);
  if (ticket === undefined || ahead > 0) return { is: "waiting", ahead, now };
  ticket.fence ??= store.nextFence(request.lastFence, now);
  return { is: "granted", fence: ticket.fence, now };
}

export function unlock(store: Store, grant: { readonly name: string; readonly ticket: string }): boolean {
  const had = store.locks.drop(grant.name, grant.ticket);
  if (had) store.wake();
  return had;
}

function refuseOtherPermits({ locks }: Store, request: LockRequest): void {
  const others = locks.otherPermits(request);
  if (others !== undefined) throw permitsConflict(request.name, request.permits ?? 1, others);
}

/** How many tickets must go before this one is granted. A reader waits for the writers ahead of it; a writer for all, but for `permits` - 1 writers. */
function aheadOf(request: LockRequest, line: ReadonlyMap<string, Ticket>): number {
  const modes: LockRequest["mode"][] = [];
  for (const { request: other } of line.values()) {
    if (other.ticket === request.ticket) break;
    modes.push(other.mode);
  }
  const writers = modes.filter((mode) => mode === "write").length;
  if (request.mode === "read") return writers;
  const readers = modes.length - writers;
  return readers + Math.max(0, writers - (request.permits ?? 1) + 1);
}
