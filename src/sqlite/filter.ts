/** Which jobs a filter means, found by the index that fits it best. */
import type { JobFilter } from "../core/engine.ts";
import type { JobState } from "../core/states.ts";
import { codeOf } from "./numbers.ts";
import { alonePlace, triedPlace } from "./readyPlace.ts";
import { rowColumns, rowJoins } from "./row.ts";
import type { RowRecord } from "./row.ts";
import type { Value } from "./driver.ts";
import type { Statements } from "./statements.ts";
import { tiedCandidates, tiedConditions } from "./tiedJobs.ts";
import type { Transaction } from "./transaction.ts";

export interface Slice {
  /** Exclusive. */
  readonly after: number | undefined;
  readonly limit: number;
  readonly newestFirst: boolean;
  /** How many candidates are looked at, at most; -1: as many as there are. */
  readonly walkMax: number;
}

export interface Found {
  readonly records: readonly RowRecord[];
  /** Where to go on, if the slice or the walk was full. */
  readonly next: number | undefined;
}

/** A condition on j, r, d, m, w and l, with its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** Above that many, ready jobs and members of lanes are not sorted into the order of enqueue but found by walking it. */
const readySortMax = 50_000;

/** Walks the rows, no more than there are hands; then by primary key. */
const inRows = "SELECT m.seq FROM errand_rows w CROSS JOIN errand_members m ON m.lane = w.lane AND m.place = 0 AND m.seq BETWEEN w.first AND w.last";
/** All lines: there are few. */
const linesNamed = "SELECT id FROM errand_lines WHERE queue = coalesce(?, queue) AND task = coalesce(?, task)";
/** All lines: there are few. More than there are blocked or parked members of lanes. */
const laneCount = `SELECT sum(value) FROM errand_numbers WHERE line > 0 AND what IN (${codeOf("blocked")}, ${codeOf("parked")})`;
/** By primary key. */
const readyCount = `SELECT sum(value) FROM errand_numbers WHERE line IN (SELECT value FROM json_each(?)) AND what = ${codeOf("ready")}`;

export function findJobs(look: Transaction, where: JobFilter, slice: Slice, only?: Condition): Found {
  const { sql } = look;
  const candidates = candidatesOf(look, where, slice);
  const conditions = [...conditionsOf(look, where), ...(only ? [only] : [])];
  const direction = slice.newestFirst ? "DESC" : "ASC";
  const text = `WITH candidates (seq) AS (${candidates.sql} ORDER BY 1 ${direction} LIMIT ${slice.walkMax})
    SELECT ${rowColumns} FROM candidates c CROSS JOIN errand_jobs j ON j.seq = c.seq ${rowJoins}
    WHERE ${conditions.map((condition) => condition.sql).join(" AND ") || "1"} ORDER BY c.seq ${direction} LIMIT ?`;
  const values = [...candidates.values, ...conditions.flatMap((condition) => condition.values)];
  const records = sql.all<RowRecord>(text, ...values, slice.limit + 1);
  if (records.length > slice.limit) return { records: records.slice(0, slice.limit), next: records[slice.limit - 1]?.seq };
  return { records, next: slice.walkMax < 0 ? undefined : endOfFullWalk(sql, candidates, direction, slice.walkMax) };
}

/** The last candidate, if there may be more behind it. */
function endOfFullWalk(sql: Statements, candidates: Condition, direction: string, walkMax: number): number | undefined {
  return sql.value<number>(`SELECT seq FROM (${candidates.sql} ORDER BY 1 ${direction} LIMIT ${walkMax}) LIMIT 1 OFFSET ${walkMax - 1}`, ...candidates.values);
}

function candidatesOf(look: Transaction, where: JobFilter, slice: Slice): Condition {
  const { sql } = look;
  const from = slice.after ?? (slice.newestFirst ? Number.MAX_SAFE_INTEGER : 0);
  const beyond = slice.newestFirst ? "seq < ?" : "seq > ?";
  // By errand_jobs_unique, errand_jobs_lane.
  if (where.unique !== undefined) return { sql: `SELECT seq FROM errand_jobs WHERE unique_key = ? AND ${beyond}`, values: [where.unique, from] };
  if (where.lane !== undefined) return { sql: `SELECT seq FROM errand_jobs WHERE lane = ? AND ${beyond}`, values: [where.lane, from] };
  const tied = tiedCandidates(look, where, beyond, from);
  if (tied) return tied;
  const arms = where.states && [...new Set(where.states)].map((state) => armOf(sql, state, where, beyond, from, slice.walkMax));
  if (arms?.length === 0) return { sql: "SELECT 0 AS seq WHERE 0", values: [] };
  const known = arms?.filter((arm) => arm !== undefined);
  if (known && known.length === arms?.length) return { sql: known.map((arm) => arm.sql).join(" UNION "), values: known.flatMap((arm) => arm.values) };
  // By rowid.
  return { sql: `SELECT seq FROM errand_jobs WHERE ${beyond}`, values: [from] };
}

/** Rowids of the small tables, errand_jobs_state, or errand_ready by line; undefined where walking errand_jobs is better. */
function armOf(sql: Statements, state: JobState, where: JobFilter, beyond: string, from: number, walkMax: number): Condition | undefined {
  if (state === "running")
    return { sql: `SELECT seq FROM errand_running WHERE ${beyond} UNION SELECT seq FROM (${inRows}) WHERE ${beyond}`, values: [from, from] };
  if (state === "completed") return { sql: `SELECT seq FROM errand_done WHERE ${beyond}`, values: [from] };
  if (state === "blocked") return blockedArm(sql, beyond, from, walkMax);
  if (state !== "ready") return { sql: inState(state, beyond), values: [from] };
  const lines = sql.tuples<[number]>(linesNamed, where.queue ?? null, where.task ?? null).map(([id]) => id);
  if (walkMax >= 0 && (sql.value<number | null>(readyCount, JSON.stringify(lines)) ?? 0) > readySortMax) return undefined;
  const places = JSON.stringify(lines.flatMap((id) => [id, triedPlace(id), alonePlace(id)]));
  return { sql: `SELECT seq FROM errand_ready WHERE line IN (SELECT value FROM json_each(?)) AND ${beyond}`, values: [places, from] };
}

/** By errand_jobs_state; and all live members of lanes (one that runs in a row is among them: UNION, so that it is met once), unless walking errand_jobs is better. */
function blockedArm(sql: Statements, beyond: string, from: number, walkMax: number): Condition | undefined {
  if (walkMax >= 0 && (sql.value<number | null>(laneCount) ?? 0) > readySortMax) return undefined;
  return { sql: `${inState("blocked", beyond)} UNION SELECT seq FROM errand_members WHERE place = 0 AND ${beyond}`, values: [from, from] };
}

/** By errand_jobs_state. */
function inState(state: JobState, beyond: string): string {
  return `SELECT seq FROM errand_jobs WHERE state = ${codeOf(state)} AND state > 0 AND ${beyond}`;
}

function conditionsOf(look: Transaction, where: JobFilter): Condition[] {
  const { states, queue, task, lane, unique } = where;
  const conditions: Condition[] = [];
  if (states) conditions.push({ sql: `(${states.map(isInState).join(" OR ") || "0"})`, values: [] });
  if (queue !== undefined) conditions.push({ sql: "l.queue = ?", values: [queue] });
  if (task !== undefined) conditions.push({ sql: "l.task = ?", values: [task] });
  if (lane !== undefined) conditions.push({ sql: "j.lane = ?", values: [lane] });
  if (unique !== undefined) conditions.push({ sql: "j.unique_key = ?", values: [unique] });
  return [...conditions, ...tiedConditions(look, where)];
}

function isInState(state: JobState): string {
  if (state === "running") return "(j.state = 0 AND (r.seq IS NOT NULL OR w.lane IS NOT NULL))";
  if (state === "completed") return "(j.state = 0 AND d.seq IS NOT NULL)";
  const isIdle = "j.state = 0 AND r.seq IS NULL AND d.seq IS NULL AND w.lane IS NULL";
  if (state === "ready") return `(${isIdle} AND m.seq IS NULL)`;
  return state === "blocked" ? `(j.state = ${codeOf(state)} OR (${isIdle} AND m.seq IS NOT NULL))` : `j.state = ${codeOf(state)}`;
}
