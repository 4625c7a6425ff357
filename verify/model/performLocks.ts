/** lock and unlock. */
import type { Grant, Waiting } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Command } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { performBeat } from "./performTime.ts";
import { at, leaseMs, locks } from "./plans.ts";
import { processNamed } from "./state.ts";
import type { World } from "./world.ts";

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

export async function performLock(world: World, command: Of<"lock">): Promise<void> {
  const process = await workerInTime(world, command.worker);
  const { name, permits: usual } = at(locks, command.lock);
  const permits = command.permits ?? usual;
  const mode = command.isRead ? "read" : "write";
  const request = { name, mode, process, ticket: `${process}/${command.ticket}/${mode}`, leaseMs, lastFence: world.lastFence(process), permits } as const;
  const answer = await world.call("lock", request, () => orRefusal(() => world.engine.lock(request, { now: world.now })));
  const view = await world.look();
  world.dropExpiredTickets(view);
  const isHeld = world.model.state.tickets.some((ticket) => ticket.ticket === request.ticket && ticket.name === name && ticket.isGranted);
  const fence = "fence" in answer ? answer.fence : 0;
  const expected = world.model.lock(request, world.now, { fence });
  mustEqual("the answer to a lock request", wordOf(answer), wordOf(expected));
  if ("fence" in expected) {
    if (isHeld) mustEqual("the fence of a lock held", fence, expected.fence);
    else world.takeFence(process, fence, request.lastFence);
    world.model.state.fence = Math.max(world.model.state.fence, fence);
  }
  if ("ahead" in answer && "ahead" in expected)
    must(answer.ahead >= 1 && answer.ahead <= expected.ahead, `ahead ${answer.ahead}, expected up to ${expected.ahead}`);
  world.check(view, "lock", [], process);
}

async function orRefusal<T>(ask: () => T | Promise<T>): Promise<T | ErrandError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ErrandError) return error;
    throw error;
  }
}

const wordOf = (answer: Grant | Waiting | ErrandError): string => (answer instanceof ErrandError ? answer.code : answer.is);

/** A process whose lease is over hears of it before it asks for a lock. */
async function workerInTime(world: World, slot: number): Promise<string> {
  const process = world.livingWorker(slot);
  if ((processNamed(world.model.state, process)?.leaseUntil ?? world.now) < world.now) await performBeat(world, slot);
  return world.livingWorker(slot);
}

export async function performUnlock(world: World, command: Of<"unlock">): Promise<void> {
  const { name } = at(locks, command.lock);
  const tickets = world.model.state.tickets.filter((known) => known.name === name);
  const known = tickets[command.ticket % Math.max(tickets.length, 1)];
  const ticket = known?.ticket ?? "nobody";
  const answer = await world.call("unlock", { name, ticket }, () => world.engine.unlock({ name, ticket }, { now: world.now }));
  const view = await world.look();
  const wasGranted = known?.isGranted ?? false;
  const expected = world.model.unlock(name, ticket);
  if (wasGranted || known === undefined) mustEqual("the answer to an unlock", answer, expected);
  world.check(view, "unlock", []);
}
