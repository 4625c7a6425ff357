/** Whether a job that is held waits, over whatever, for a join to close: as a member it would wait for itself for ever. */
import { endedOf, beforeJoined } from "./after.ts";
import { flags } from "./job.ts";
import { joinStates } from "./join.ts";
import type { Join } from "./join.ts";
import type { Transaction } from "./transaction.ts";

/** How many things are looked at; beyond, it counts as waiting. */
const searchMax = 1_000;

/** By primary key, then rowids: those that have not ended. */
const openBefore = `SELECT before FROM (SELECT a.before, ${endedOf} AS ended FROM errand_after a ${beforeJoined} WHERE a.node = ?) WHERE ended = 0`;
/** By errand_joined_seq. */
const ownJoin = "SELECT joined FROM errand_joined WHERE seq = ? AND nth = 0";
/** By rowid. */
const isHeld = `SELECT 1 FROM errand_jobs WHERE seq = ? AND flags & ${flags.isHeld}`;
/** By primary key, and by errand_joins_parent. */
const membersOf = "SELECT seq FROM errand_joined WHERE joined = ? LIMIT ?";
const childrenOf = "SELECT seq FROM errand_joins WHERE parent = ? AND state < 3 LIMIT ?";

/** What must happen: a job or a join must end, or a join must open. */
interface Wish {
  readonly node: number;
  readonly is: "end" | "open";
}

export function waitsFor(tx: Transaction, seq: number, join: Join): boolean {
  const targets = around(tx, join);
  const wishes: Wish[] = [{ node: seq, is: "end" }];
  const known = new Set<string>();
  for (const wish of wishes) {
    if (wish.is === "end" && targets.has(wish.node)) return true;
    for (const before of whatMustBefore(tx, wish)) {
      const name = `${before.is} ${before.node}`;
      if (known.has(name)) continue;
      if (known.size >= searchMax) return true;
      known.add(name);
      wishes.push(before);
    }
  }
  return false;
}

/** The join, and those it is within: they close after it. */
function around(tx: Transaction, join: Join): Set<number> {
  const nodes = new Set<number>();
  for (let at: Join | undefined = join; at; at = at.parent === null ? undefined : tx.joins.at(tx.sql, at.parent)) nodes.add(at.seq);
  return nodes;
}

function whatMustBefore(tx: Transaction, { node, is }: Wish): Wish[] {
  const join = tx.joins.at(tx.sql, node);
  if (join === undefined) return beforeJob(tx, node);
  if (is === "end") return [{ node, is: "open" }, ...toEnd(tx, membersOf, node, searchMax + 1), ...toEnd(tx, childrenOf, node, searchMax + 1)];
  if (join.state === joinStates.open) return [];
  return [...toEnd(tx, openBefore, node), ...toOpen(join.parent)];
}

function beforeJob(tx: Transaction, seq: number): Wish[] {
  if (tx.sql.value(isHeld, seq) === undefined) return [];
  return [...toEnd(tx, openBefore, seq), ...toOpen(tx.sql.value<number>(ownJoin, seq) ?? null)];
}

function toEnd(tx: Transaction, sql: string, ...values: number[]): Wish[] {
  return tx.sql.tuples<[number]>(sql, ...values).map(([node]) => ({ node, is: "end" }));
}

function toOpen(node: number | null): Wish[] {
  return node === null ? [] : [{ node, is: "open" }];
}
