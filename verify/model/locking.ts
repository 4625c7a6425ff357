/** Locks (G17): tickets in the order they came. Readers share; writers wait in their order and let no later reader pass. */
import type { Grant, LockRequest, Waiting } from "../../src/core/engine.ts";
import { permitsConflict } from "../../src/core/refusals.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { renew } from "./claiming.ts";
import type { ModelState, ModelTicket } from "./state.ts";

/** Throws where writers hold it or wait for it who named another number. */
export function requestLock(state: ModelState, request: LockRequest, now: Instant, fence: number): Grant | Waiting {
  refuseOtherPermits(state, request);
  const ticket = ticketOf(state, request) ?? newTicket(state, request);
  renew(state, request.process, now + request.leaseMs);
  const ahead = ticketsAhead(state, ticket);
  if (!ticket.isGranted && canHold(ticket, ahead)) {
    ticket.isGranted = true;
    ticket.fence = fence;
  }
  return ticket.isGranted ? { is: "granted", fence: ticket.fence, now } : { is: "waiting", ahead: ahead.length, now };
}

/** True: there was such a ticket, granted or waiting. */
export function returnLock(state: ModelState, name: string, ticket: string): boolean {
  const before = state.tickets.length;
  state.tickets = state.tickets.filter((known) => known.name !== name || known.ticket !== ticket);
  return state.tickets.length < before;
}

function refuseOtherPermits(state: ModelState, { name, mode, permits = 1 }: LockRequest): void {
  if (mode === "read") return;
  const other = state.tickets.find((known) => known.name === name && known.mode === "write" && known.permits !== permits);
  if (other) throw permitsConflict(name, permits, other.permits);
}

function ticketOf(state: ModelState, request: LockRequest): ModelTicket | undefined {
  return state.tickets.find((known) => known.name === request.name && known.ticket === request.ticket);
}

function newTicket(state: ModelState, request: LockRequest): ModelTicket {
  const { name, mode, ticket, process } = request;
  const made: ModelTicket = { name, mode, ticket, process, permits: request.permits ?? 1, isGranted: false, fence: 0 };
  state.tickets.push(made);
  return made;
}

function ticketsAhead(state: ModelState, ticket: ModelTicket): ModelTicket[] {
  const all = state.tickets.filter((known) => known.name === ticket.name);
  return all.slice(0, all.indexOf(ticket));
}

/** Who stands before it and has not come back for its grant is not passed: there is room for both. */
export function canHold(ticket: ModelTicket, ahead: readonly ModelTicket[]): boolean {
  if (ticket.mode === "read") return ahead.every((other) => other.mode === "read");
  return ahead.every((other) => other.mode === "write") && ahead.length < ticket.permits;
}
