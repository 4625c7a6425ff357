/** How long joins are kept (G19): closed ones until their members are gone and nobody who came after them lives; staged ones that were given up, not at all. */
import { stagedKeptMs } from "../core/defaults.ts";
import type { Instant } from "../core/runtime.ts";
import { forgetEdges, hasLiveFollowers, isYetToBeTold } from "./after.ts";
import { joinStates } from "./join.ts";
import type { Join } from "./join.ts";
import { beginRemoval } from "./joinPasses.ts";
import type { Statements } from "./statements.ts";
import type { Ties } from "./ties.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_joins_purge: the first. */
const firstPurge = "SELECT min(purge_at) FROM errand_joins WHERE purge_at IS NOT NULL";
const duePurges = "SELECT seq FROM errand_joins WHERE purge_at <= ? ORDER BY purge_at, seq LIMIT ?";
/** By errand_joins_staged: the first. */
const leftBefore = "SELECT seq FROM errand_joins WHERE state = 0 AND touched_at <= ? AND is_cancelled = 0 ORDER BY touched_at, seq LIMIT ?";
/** By primary key, and by errand_joins_parent. */
const anyMember = "SELECT 1 FROM errand_joined WHERE joined = ? LIMIT 1";
const anyChild = "SELECT 1 FROM errand_joins WHERE parent = ? LIMIT 1";

export function isAnyJoinPurgeDue(sql: Statements, now: Instant): boolean {
  return (sql.value<number | null>(firstPurge) ?? Infinity) <= now || sql.value(leftBefore, now - stagedKeptMs, 1) !== undefined;
}

/** Staged joins to which nothing was added for long. Answers how many. */
export function removeLeftovers(tx: Transaction, limit: number): number {
  const left = tx.sql.tuples<[number]>(leftBefore, tx.now - stagedKeptMs, limit);
  for (const [seq] of left) {
    const join = tx.joins.at(tx.sql, seq);
    if (join) beginRemoval(tx, join);
  }
  return left.length;
}

/** Answers how many were removed. One that something holds back is looked at again when that is gone. */
export function purgeJoins(tx: Transaction, limit: number): number {
  for (const [seq] of tx.sql.tuples<[number]>(duePurges, tx.now, limit)) tx.ties.joinsToPurge.add(seq);
  let purged = 0;
  for (const seq of tx.ties.joinsToPurge) {
    if (purged === limit) break;
    tx.ties.joinsToPurge.delete(seq);
    const join = tx.joins.at(tx.sql, seq);
    if (join && purgeOne(tx, join)) purged += 1;
  }
  return purged;
}

/** Before the transaction ends: what was not looked at is left to the next tidy. */
export function leaveToPurge(tx: Transaction, { joinsToPurge }: Ties): void {
  for (const seq of joinsToPurge) {
    const join = tx.joins.at(tx.sql, seq);
    if (join && join.state >= joinStates.closed && join.purgeAt === null) tx.joins.change(join, { purgeAt: tx.now });
  }
}

function purgeOne(tx: Transaction, join: Join): boolean {
  if (join.state < joinStates.closed || (join.state === joinStates.closed && join.purgeAt !== null && join.purgeAt > tx.now)) return false;
  const isNamed = join.state === joinStates.removed ? isYetToBeTold(tx, join.seq) : hasLiveFollowers(tx, join.seq);
  const isHeld = isNamed || tx.sql.value(anyMember, join.seq) !== undefined || tx.sql.value(anyChild, join.seq) !== undefined;
  if (isHeld) {
    if (join.purgeAt !== null) tx.joins.change(join, { purgeAt: null });
    return false;
  }
  if (join.after !== null) forgetEdges(tx, join.seq);
  if (join.parent !== null) tx.ties.joinsToPurge.add(join.parent);
  tx.joins.remove(tx.sql, join);
  return true;
}
