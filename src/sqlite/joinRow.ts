/** Joins as `find` answers them. */
import { pageMax } from "../core/defaults.ts";
import type { After, JoinRow, Query } from "../core/engine.ts";
import { joinStates } from "./join.ts";
import type { Transaction } from "./transaction.ts";

interface JoinRecord {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly state: number;
  readonly isCancelled: number;
  readonly members: number;
  readonly live: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly storedAt: number;
  readonly closedAt: number | null;
  readonly parentId: string | null;
  readonly after: string | null;
}

const columns = `n.seq, n.id, n.name, n.state, n.is_cancelled AS isCancelled, n.members, n.live, n.succeeded, n.failed, n.stored_at AS storedAt,
  n.closed_at AS closedAt, p.id AS parentId, n.after FROM errand_joins n LEFT JOIN errand_joins p ON p.seq = n.parent`;
/** By UNIQUE (id), then rowids. */
const withIds = `SELECT ${columns} WHERE n.id IN (SELECT value FROM json_each(?)) ORDER BY n.seq`;
/** By UNIQUE (id). */
const seqOf = "SELECT seq FROM errand_joins WHERE id = ?";
/** By errand_joins_parent, then rowids. */
const within = `SELECT ${columns} WHERE n.parent IS ? AND n.seq > ? ORDER BY n.seq LIMIT ?`;
const withinBackwards = `SELECT ${columns} WHERE n.parent IS ? AND n.seq < ? ORDER BY n.seq DESC LIMIT ?`;

const states: Readonly<Record<number, JoinRow["state"]>> = {
  [joinStates.staged]: "staged",
  [joinStates.waiting]: "waiting",
  [joinStates.open]: "open",
  [joinStates.closed]: "closed",
  [joinStates.removed]: "staged",
};

/** By order of storing; unknown ids are left out. */
export function joinsWithIds(look: Transaction, ids: readonly string[]): JoinRow[] {
  return look.sql.all<JoinRecord>(withIds, JSON.stringify(ids.slice(0, pageMax))).map(joinRow);
}

/** Those within a join, or within none. */
export function joinsWithin(look: Transaction, query: Extract<Query, { of: "joins"; limit: number }>, limit: number): (readonly [string, JoinRow])[] {
  const parent = query.parent === undefined ? null : (look.sql.value<number>(seqOf, query.parent) ?? -1);
  const records = query.newestFirst
    ? look.sql.all<JoinRecord>(withinBackwards, parent, query.after === undefined ? Number.MAX_SAFE_INTEGER : Number(query.after), limit)
    : look.sql.all<JoinRecord>(within, parent, Number(query.after ?? 0), limit);
  return records.map((record) => [String(record.seq), joinRow(record)]);
}

function joinRow(record: JoinRecord): JoinRow {
  const { id, name, members, live, succeeded, failed, storedAt, closedAt, parentId, after } = record;
  return {
    id,
    name,
    state: states[record.state] ?? "closed",
    isCancelled: record.isCancelled === 1,
    members,
    live,
    succeeded,
    failed,
    storedAt,
    ...(closedAt !== null && { closedAt }),
    ...(parentId !== null && { join: parentId }),
    ...(after !== null && { after: JSON.parse(after) as After[] }),
  };
}
