/** A join with those within it. */
import { joinStates } from "./join.ts";
import type { Join } from "./join.ts";
import { passKinds } from "./ties.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_joins_parent. */
const treeFrom = `WITH RECURSIVE tree (seq) AS (SELECT ? UNION SELECT n.seq FROM tree t CROSS JOIN errand_joins n ON n.parent = t.seq) SELECT seq FROM tree ORDER BY seq`;

/** By primary key. */
const leavePass = "INSERT INTO errand_passes (kind, node, cursor) VALUES (?, ?, ?) ON CONFLICT (kind, node) DO UPDATE SET cursor = excluded.cursor";
const forgetPass = "DELETE FROM errand_passes WHERE kind = ? AND node = ?";

/** In the order of storing: the named one first. */
export function treeOf(tx: Transaction, id: string): Join[] {
  const root = tx.joins.find(tx.sql, id);
  const seqs = root ? tx.sql.tuples<[number]>(treeFrom, root.seq) : [];
  return seqs.flatMap(([seq]) => tx.joins.at(tx.sql, seq) ?? []);
}

/** They take no members any more, and let none go. */
export function cancelJoins(tx: Transaction, joins: readonly Join[], reason: string): void {
  for (const join of joins) {
    if (join.state >= joinStates.closed || join.isCancelled === 1) continue;
    tx.joins.change(join, { isCancelled: 1, reason });
    if (join.live === 0) tx.ties.toClose.add(join.seq);
  }
}

/** Members that the caller did not come to are cancelled by tidy; it begins anew where a pass had another meaning before. */
export function leaveToCancel(tx: Transaction, joins: readonly Join[], hasMore: boolean): void {
  for (const { seq, isCancelled, state } of joins) {
    if (hasMore && isCancelled === 1 && state <= joinStates.closed) tx.sql.run(leavePass, passKinds.members, seq, 0);
    else tx.sql.run(forgetPass, passKinds.members, seq);
  }
}
