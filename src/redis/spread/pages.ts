/** Reads a page over all homes. */
import { pageMax } from "../../core/defaults.ts";
import type { At, EventRow, GateRow, JoinRow, LaneRow, LockRow, Page, ProcessRow, Query } from "../../core/engine.ts";
import type { Instant } from "../../core/runtime.ts";
import { namedRows, rowOf } from "../find.ts";
import type { Named, Paged } from "../find.ts";
import { JobRows, shown } from "./jobRows.ts";
import type { Reader } from "./jobRows.ts";
import { byBytes, merged, readingOf } from "./merging.ts";

type Of<Kind extends Query["of"]> = Extract<Paged, { readonly of: Kind }>;

export async function findOver<Q extends Query>(homes: readonly Reader[], query: Q, at: At): Promise<Page<Q>> {
  return (await ("limit" in query ? pageOf(homes, { ...query, limit: Math.min(query.limit, pageMax) }, at) : named(homes, query, at))) as Page as Page<Q>;
}

async function pageOf(homes: readonly Reader[], query: Paged, at: At): Promise<Page> {
  switch (query.of) {
    case "jobs":
      return await jobsPage(homes, query, at);
    // One home decides them, and the others are told.
    case "notes":
      return await mergedPage<object>(homes.slice(0, 1), query, at, () => 0);
    case "events":
      return await mergedPage<EventRow>(homes, query, at, (one, other) => inTime(one.publishedAt, other.publishedAt, one.id, other.id));
    case "joins": {
      const sign = query.newestFirst === true ? -1 : 1;
      return await mergedPage<JoinRow>(homes, query, at, (one, other) => sign * inTime(one.storedAt, other.storedAt, one.id, other.id));
    }
    case "processes":
      return await mergedPage<ProcessRow>(homes, query, at, (one, other) => byBytes(one.process, other.process), united);
    case "lanes":
      return await mergedPage<LaneRow>(homes, query, at, (one, other) => byBytes(one.lane, other.lane));
    // One line is in one home.
    case "locks":
      return await mergedPage<LockRow>(homes, query, at, () => 0);
  }
}

async function jobsPage(homes: readonly Reader[], { where, limit, after, newestFirst }: Of<"jobs">, at: At): Promise<Page> {
  const page = await new JobRows(homes).page({ where, limit, ...(after !== undefined && { after }), ...(newestFirst !== undefined && { newestFirst }) }, at);
  return { ...page, rows: page.rows.map(shown) };
}

async function mergedPage<T extends object>(
  homes: readonly Reader[],
  query: Exclude<Paged, { readonly of: "jobs" }>,
  at: At,
  compare: (one: T, other: T) => number,
  unite?: (one: T, other: T) => T,
): Promise<Page> {
  const { after, limit, ...asked } = query;
  const page = await merged<T>({
    limit,
    after,
    compare,
    ...(unite && { unite }),
    reads: homes.map(({ verbs }) => async (behind, most) => {
      const told = await verbs.read({ ...asked, limit: most, ...(behind !== undefined && { after: behind }) }, at);
      return readingOf<T>(told, most);
    }),
  });
  return { ...page, rows: page.rows.map((row) => rowOf(query.of, row)) };
}

/** What a process holds in each home. */
function united(one: ProcessRow, other: ProcessRow): ProcessRow {
  return {
    process: one.process,
    leaseUntil: Math.max(one.leaseUntil, other.leaseUntil),
    since: Math.min(one.since, other.since),
    running: one.running + other.running,
  };
}

function inTime(one: Instant, other: Instant, id: string, otherId: string): number {
  if (one !== other) return one - other;
  return id < otherId ? -1 : Number(id > otherId);
}

async function named(homes: readonly Reader[], query: Named, at: At): Promise<Page> {
  if (query.of === "jobs") {
    const { found, now } = await new JobRows(homes).byIds(query.ids, at);
    const rows = query.ids.slice(0, pageMax).flatMap((id) => found.get(id) ?? []);
    return { rows: rows.map(shown), now };
  }
  const tolds = await Promise.all(homes.map(({ verbs }) => namedRows((asked) => verbs.read(asked, at), query)));
  const rows = tolds.flatMap((told) => told.rows);
  const now = Math.max(...tolds.map((told) => told.now));
  return { rows: query.of === "joins" ? inOrderOfStoring(rows as readonly JoinRow[]) : summed(rows as readonly GateRow[]), now };
}

function inOrderOfStoring(rows: readonly JoinRow[]): readonly JoinRow[] {
  return rows.toSorted((one, other) => inTime(one.storedAt, other.storedAt, one.id, other.id));
}

/** By name; a limit before a resource. */
function summed(rows: readonly GateRow[]): readonly GateRow[] {
  const sums = new Map<string, GateRow>();
  for (const row of rows) {
    const name = `${row.kind}\n${row.name}`;
    const sum = sums.get(name);
    sums.set(name, { ...sum, ...row, used: row.used + (sum?.used ?? 0) });
  }
  return [...sums.values()].toSorted((one, other) => byBytes(one.name, other.name) || byBytes(one.kind, other.kind));
}
