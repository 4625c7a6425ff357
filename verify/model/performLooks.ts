/** find, readNote and the locks. */
import type { JobRow, Query } from "../../src/core/engine.ts";
import type { Command } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { at, leaseMs, locks, plainNotes } from "./plans.ts";
import { performBeat } from "./performTime.ts";
import { selectionOf } from "./performChange.ts";
import { processNamed } from "./state.ts";
import type { World } from "./world.ts";

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

export async function performFind(world: World, command: Of<"find">): Promise<void> {
  const which = selectionOf(world, command.which);
  if ("ids" in which) {
    const { rows } = await world.call("find", which, () => world.engine.find({ of: "jobs", ids: which.ids }, { now: world.now }));
    return mustEqual("the jobs found by id", rows.map((row) => row.id).toSorted(), which.ids.filter((id) => world.view.byId.has(id)).toSorted());
  }
  const newestFirst = command.newestFirst ?? false;
  const rows = await pages(world, { of: "jobs", where: which.jobs, limit: command.limit, newestFirst });
  const expected = world.model.find(which.jobs).map((row) => row.id);
  mustEqual(
    `the jobs found, page by page${newestFirst ? ", newest first" : ""}`,
    rows.map((row) => row.id),
    newestFirst ? expected.toReversed() : expected,
  );
  for (const row of rows) mustEqual(`job ${row.id} in a page`, row, world.view.byId.get(row.id));
}

async function pages(world: World, query: Extract<Query, { of: "jobs"; where: unknown }>): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  let after: string | undefined;
  do {
    const asked = { ...query, ...(after !== undefined && { after }) };
    const page = await world.call("find", asked, () => world.engine.find(asked, { now: world.now }));
    must(page.rows.length <= query.limit, `a page of ${page.rows.length} rows, limit ${query.limit}`);
    rows.push(...page.rows);
    must(rows.length <= world.view.jobs.length, "pages repeat rows, or never end");
    after = page.rows.length === 0 ? undefined : page.next;
  } while (after !== undefined);
  return rows;
}

export async function performReadNote(world: World, command: Of<"readNote">): Promise<void> {
  const key = at(plainNotes, command.note);
  mustEqual(`note ${key}`, await world.call("readNote", key, () => world.engine.readNote(key, { now: world.now })), world.model.readNote(key));
}

export async function performLock(world: World, command: Of<"lock">): Promise<void> {
  const process = await workerInTime(world, command.worker);
  const { name, permits } = at(locks, command.lock);
  const mode = command.isRead ? "read" : "write";
  const request = { name, mode, process, ticket: `${process}/${command.ticket}/${mode}`, leaseMs, lastFence: world.lastFence(process), permits } as const;
  const answer = await world.call("lock", request, () => world.engine.lock(request, { now: world.now }));
  const view = await world.look();
  world.dropExpiredTickets(view);
  const isHeld = world.model.state.tickets.some((ticket) => ticket.ticket === request.ticket && ticket.name === name && ticket.isGranted);
  const expected = world.model.lock(request, world.now, { fence: answer.is === "granted" ? answer.fence : 0 });
  mustEqual("the answer to a lock request", answer.is, expected.is);
  if (answer.is === "granted" && expected.is === "granted") {
    if (isHeld) mustEqual("the fence of a lock held", answer.fence, expected.fence);
    else world.takeFence(process, answer.fence, request.lastFence);
    world.model.state.fence = Math.max(world.model.state.fence, answer.fence);
  }
  if (answer.is === "waiting" && expected.is === "waiting")
    must(answer.ahead >= 1 && answer.ahead <= expected.ahead, `ahead ${answer.ahead}, expected up to ${expected.ahead}`);
  world.check(view, "lock", [], process);
}

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
