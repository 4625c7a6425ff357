/** Reads a page. */
import { pageMax } from "../core/defaults.ts";
import type { EventRow, LaneRow, LockRow, Note, Page, ProcessRow, Query, Row } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import type { StoredEvent } from "./events.ts";
import { matches } from "./filter.ts";
import { gateRows } from "./gateRow.ts";
import type { Job } from "./job.ts";
import { jobRow } from "./jobRow.ts";
import { joinsByIds, joinsWithin } from "./joinRow.ts";
import { membersInOrder } from "./joinTree.ts";
import type { Store } from "./store.ts";

type AnyRow = Row<Query["of"]>;
/** A row, and where it stands: what `after` names. */
type Placed = readonly [place: string, row: AnyRow];

export function find<Q extends Query>(store: Store, query: Q, now: Instant): Page<Q> {
  const page = pageOf(store, query, now);
  return page as Page<Q>;
}

function pageOf(store: Store, query: Query, now: Instant): Page {
  if (query.of === "gates") return { rows: gateRows(store, query.names.slice(0, pageMax), now), now };
  if ("ids" in query) return { rows: byIds(store, query.of, query.ids.slice(0, pageMax)), now };
  const limit = Math.min(query.limit, pageMax);
  const placed = firstFew(rowsOf(store, query), limit + 1);
  const rows = placed.slice(0, limit).map(([, row]) => row);
  const last = placed[limit - 1];
  return placed.length > limit && last ? { rows, now, next: last[0] } : { rows, now };
}

function rowsOf(store: Store, query: Exclude<Query, { ids: unknown } | { of: "gates" }>): Iterable<Placed> {
  switch (query.of) {
    case "jobs":
      return jobs(store, query);
    case "joins":
      return joinsWithin(store, query);
    case "events":
      return events(store, query);
    case "notes":
      return byPlace(
        store.notes.startingWith(query.prefix).map((note: Note) => [note.key, note]),
        query.after,
      );
    case "processes":
      return byPlace(
        [...store.processes.known()].map(({ id, leaseUntil, since, running }) => [
          id,
          { process: id, leaseUntil, since, running: running.size } satisfies ProcessRow,
        ]),
        query.after,
      );
    case "lanes":
      return byPlace(
        closedLanes(store).map((row) => [row.lane, row]),
        query.after,
      );
    case "locks":
      return byPlace(
        store.locks.rows().map((row: LockRow, at) => [JSON.stringify([row.name, String(at).padStart(9, "0")]), row]),
        query.after,
      );
  }
}

function byIds(store: Store, of: "jobs" | "joins", ids: readonly string[]): AnyRow[] {
  if (of === "joins") return joinsByIds(store, ids);
  return ids.flatMap((id) => {
    const job = store.jobs.get(id);
    return job === undefined ? [] : jobRow(store, job);
  });
}

function* jobs(store: Store, query: Extract<Query, { where: unknown }>): Generator<Placed> {
  for (const job of inOrder(store, query)) if (matches(store, job, query.where)) yield [String(job.seq), jobRow(store, job)];
}

/** The members of a join, and the jobs of a unique key, are walked by themselves, however many others there are. */
function inOrder(store: Store, { where, after, newestFirst }: Extract<Query, { where: unknown }>): Iterable<Job> {
  const join = where.join === undefined ? undefined : store.joins.find(where.join);
  if (join && !newestFirst) return membersInOrder(join, Number(after ?? 0));
  const jobs = where.unique === undefined ? store.jobsInOrder : store.jobsOfKey.get(where.unique);
  if (jobs === undefined) return [];
  return newestFirst ? jobs.before(after === undefined ? Infinity : Number(after)) : jobs.after(Number(after ?? 0));
}

function* events(store: Store, query: Extract<Query, { of: "events" }>): Generator<Placed> {
  for (const stored of store.events.after(Number(query.after ?? 0), query.name)) yield [String(stored.seq), eventRow(stored)];
}

function eventRow({ event, publishedAt }: StoredEvent): EventRow {
  const { id, name, payload, orderedBy } = event;
  return { id, name, payload, publishedAt, ...(orderedBy && { orderedBy }) };
}

function closedLanes(store: Store): LaneRow[] {
  return [...store.lanes.all()].flatMap(({ key, closed }) => (closed ? { lane: key, closedBy: closed.by, closedAt: closed.at } : []));
}

function byPlace(rows: readonly Placed[], after = ""): Placed[] {
  return rows.filter(([place]) => place > after).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function firstFew<T>(items: Iterable<T>, limit: number): T[] {
  const few: T[] = [];
  for (const item of items) {
    if (few.length === limit) break;
    few.push(item);
  }
  return few;
}
