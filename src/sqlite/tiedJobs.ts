/** Jobs found by what they belong to: members of a join, what came after something, what something came after. */
import type { JobFilter } from "../core/engine.ts";
import type { Value } from "./driver.ts";
import { nodeOf } from "./join.ts";
import type { Transaction } from "./transaction.ts";

type Tied = Pick<JobFilter, "join" | "after" | "before">;

interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** By primary key. */
const members = "SELECT seq FROM errand_joined WHERE joined = ?";
const isMember = "EXISTS (SELECT 1 FROM errand_joined x WHERE x.joined = ? AND x.seq = j.seq)";
/** By errand_after_before. */
const followers = "SELECT node AS seq FROM errand_after WHERE before = ?";
const isFollower = "EXISTS (SELECT 1 FROM errand_after x WHERE x.before = ? AND x.node = j.seq)";
/** By primary keys. */
const before = `SELECT seq FROM (SELECT before AS seq FROM errand_after WHERE node = ?
  UNION SELECT x.seq FROM errand_after a CROSS JOIN errand_joined x ON x.joined = a.before WHERE a.node = ?) WHERE 1`;
const isBefore = `(EXISTS (SELECT 1 FROM errand_after x WHERE x.node = ? AND x.before = j.seq)
  OR EXISTS (SELECT 1 FROM errand_after x CROSS JOIN errand_joined y ON y.joined = x.before AND y.seq = j.seq WHERE x.node = ?))`;

/** What no row names. */
const nobody = Number.MIN_SAFE_INTEGER;

/** Candidates beyond `from`, where it is asked for such; `beyond` says on which side. */
export function tiedCandidates(look: Transaction, where: Tied, beyond: string, from: number): Condition | undefined {
  if (where.join !== undefined) return { sql: `${members} AND ${beyond}`, values: [joinOf(look, where.join), from] };
  if (where.after !== undefined) return { sql: `${followers} AND ${beyond.replace("seq", "node")} GROUP BY node`, values: [anyOf(look, where.after), from] };
  if (where.before === undefined) return undefined;
  const job = anyOf(look, where.before);
  return { sql: `${before} AND ${beyond}`, values: [job, job, from] };
}

export function tiedConditions(look: Transaction, where: Tied): Condition[] {
  const conditions: Condition[] = [];
  if (where.join !== undefined) conditions.push({ sql: isMember, values: [joinOf(look, where.join)] });
  if (where.after !== undefined) conditions.push({ sql: isFollower, values: [anyOf(look, where.after)] });
  if (where.before !== undefined) {
    const job = anyOf(look, where.before);
    conditions.push({ sql: isBefore, values: [job, job] });
  }
  return conditions;
}

function joinOf(look: Transaction, id: string): number {
  return look.joins.find(look.sql, id)?.seq ?? nobody;
}

function anyOf(look: Transaction, id: string): number {
  return nodeOf(look, id) || nobody;
}
