/** Takes one join in, or seals one that is there. */
import type { Enqueued, NewJoin } from "../core/engine.ts";
import type { Losers } from "./accept.ts";
import { comeAfter } from "./after.ts";
import { endedCodes, joinStates, nodeOf } from "./join.ts";
import type { Join } from "./join.ts";
import { countNew, touch } from "./membership.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid. */
const idOf = "SELECT id FROM errand_jobs WHERE seq = ?";

export function acceptJoin(tx: Transaction, work: NewJoin, losers: Losers): Enqueued {
  const known = tx.joins.find(tx.sql, work.id);
  const join = known ?? storeJoin(tx, work, losers);
  touch(tx, join);
  if (work.isSealed && join.state === joinStates.staged) {
    // What it holds is looked at when the atom is stored: its members may stand behind it there.
    tx.joins.change(join, { state: joinStates.waiting });
    tx.ties.toLookAt.add(join.seq);
  }
  return { id: work.id, isDuplicate: known !== undefined };
}

function storeJoin(tx: Transaction, work: NewJoin, losers: Losers): Join {
  const parent = work.join === undefined ? undefined : tx.joins.find(tx.sql, work.join);
  const edges = (work.after ?? []).map(({ id, when }) => ({ before: losers.get(id) ?? nodeOf(tx, id), when }));
  const after = (work.after ?? []).map(({ id, when }, at) => ({ id: tx.sql.value<string>(idOf, edges[at]?.before ?? 0) ?? id, when }));
  const join: Join = {
    seq: tx.takeSeq(),
    id: work.id,
    name: work.name,
    content: work.content,
    parent: parent?.seq ?? null,
    after: after.length > 0 ? JSON.stringify(after) : null,
    storedAt: tx.now,
    rememberUntil: work.rememberMs > 0 ? tx.now + work.rememberMs : null,
    state: joinStates.staged,
    ended: endedCodes.open,
    size: work.size ?? null,
    given: 0,
    members: 0,
    live: 0,
    succeeded: 0,
    failed: 0,
    isCancelled: 0,
    fate: null,
    reason: null,
    touchedAt: tx.now,
    closedAt: null,
    purgeAt: null,
  };
  tx.joins.add(tx.sql, join);
  // Jobs and joins are numbered in one sequence, and jobs look only at jobs for the next.
  tx.spendSeq(join.seq);
  comeAfter(tx, join.seq, edges);
  if (parent) countNew(tx, parent, undefined);
  return join;
}
