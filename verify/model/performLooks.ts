/** find and readNote. */
import type { JobRow, Query } from "../../src/core/engine.ts";
import { subscriptionPrefix } from "../../src/core/notes.ts";
import type { Command } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { at, plainNotes } from "./plans.ts";
import { selectionOf } from "./performChange.ts";
import type { World } from "./world.ts";

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

export async function performFind(world: World, command: Of<"find">): Promise<void> {
  const which = selectionOf(world, command.which);
  if ("ids" in which) {
    const { rows } = await world.call("find", which, () => world.engine.find({ of: "jobs", ids: which.ids }, { now: world.now }));
    return mustEqual("the jobs found by id", rows.map((row) => row.id).toSorted(), which.ids.filter((id) => world.view.byId.has(id)).toSorted());
  }
  const where = "join" in which ? { join: which.join } : which.jobs;
  const newestFirst = command.newestFirst ?? false;
  const rows = await pages(world, { of: "jobs", where, limit: command.limit, newestFirst });
  const expected = world.model.find(where).map((row) => row.id);
  mustEqual(
    `the jobs found, page by page${newestFirst ? ", newest first" : ""}`,
    rows.map((row) => row.id),
    newestFirst ? expected.toReversed() : expected,
  );
  for (const row of rows) mustEqual(`job ${row.id} in a page`, row, world.view.byId.get(row.id));
}

/** Without an order stated for it, a listing's pages must be the whole listing, each row once. */
export async function performPage(world: World, command: Of<"page">): Promise<void> {
  const { limit } = command;
  const parent = world.model.state.joins.findLast((join) => join.join !== undefined)?.join;
  const queries: readonly Extract<Query, { readonly limit: number }>[] = [
    { of: "events", limit },
    { of: "events", name: "placed", limit },
    { of: "notes", prefix: subscriptionPrefix, limit },
    { of: "lanes", limit },
    { of: "processes", limit },
    { of: "locks", limit },
    { of: "joins", limit },
    ...(parent === undefined ? [] : [{ of: "joins" as const, parent, limit }]),
  ];
  const query = at(queries, command.of);
  const all = await world.engine.find({ ...query, limit: 1_000 }, { now: world.now });
  const rows: unknown[] = [];
  let after: string | undefined;
  do {
    const asked = { ...query, ...(after !== undefined && { after }) };
    const page = await world.call("find", asked, () => world.engine.find(asked, { now: world.now }));
    must(page.rows.length <= limit && rows.length <= all.rows.length, `pages of ${query.of} are too long, or never end`);
    rows.push(...page.rows);
    after = page.rows.length === 0 ? undefined : page.next;
  } while (after !== undefined);
  mustEqual(`the ${query.of}, page by page`, rows, all.rows);
  if (query.of === "joins" && !("ids" in query)) mustEqual("the joins of a parent, by order of storing", rows, world.model.findJoins(query.parent));
  if (query.of === "events" && query.name !== undefined)
    mustEqual("the events of a name", ids(rows), ids(world.model.state.events.filter((event) => event.name === "placed")));
}

const ids = (rows: readonly unknown[]): unknown[] => rows.map((row) => (row as { readonly id: string }).id).toSorted();

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
