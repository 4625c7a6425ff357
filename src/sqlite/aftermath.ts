/** The end of every verb: all that follows from what it did, in bounded passes. What is too much for one commit is left to tidy. */
import { tidyMax } from "../core/defaults.ts";
import { closeJoin, isClosable, lookAtNode, walkOn } from "./joinPasses.ts";
import { admitMarked } from "./lanePasses.ts";
import { giveRoom } from "./limitPasses.ts";
import { countEndings } from "./membership.ts";
import type { Statements } from "./statements.ts";
import { passKinds } from "./ties.ts";
import type { Pass } from "./ties.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_after_live. */
const followersFrom = "SELECT node FROM errand_after WHERE before = ? AND is_live = 1 AND node > ? GROUP BY node ORDER BY node LIMIT ?";
/** By primary key. */
const anyPass = "SELECT 1 FROM errand_passes LIMIT 1";
const passesLeft = "SELECT kind, node, cursor FROM errand_passes ORDER BY kind, node LIMIT ?";
const forgetPass = "DELETE FROM errand_passes WHERE kind = ? AND node = ?";
const leavePass = "INSERT INTO errand_passes (kind, node, cursor) VALUES (?, ?, ?) ON CONFLICT (kind, node) DO UPDATE SET cursor = excluded.cursor";

/** Each kind of work has `limit` as its bound. */
export function aftermath(tx: Transaction, limit: number = tidyMax): void {
  while (tx.hasAftermath) {
    // All are let go before lanes admit: in its lane each stands by its order of enqueue among them.
    while (tx.ties.hasWork) {
      closeAndLook(tx, limit);
      walkPasses(tx, limit);
    }
    admitMarked(tx);
    giveRoom(tx, limit);
  }
}

export function isAnyPassLeft(sql: Statements): boolean {
  return sql.value(anyPass) !== undefined;
}

/** For tidy: what earlier verbs left. */
export function resumePasses(tx: Transaction, limit: number): void {
  const left = tx.sql.tuples<[number, number, number]>(passesLeft, limit);
  // There may be more than these.
  tx.ties.hasLeft = left.length === limit;
  for (const [kind, node, cursor] of left) {
    if (kind === passKinds.look) tx.ties.toLookAt.add(node);
    else if (kind === passKinds.followers) tx.ties.ended.set(node, cursor);
    else tx.ties.begin(kind, node, cursor);
    if (kind === passKinds.look || kind === passKinds.followers) tx.sql.run(forgetPass, kind, node);
  }
}

/** What can close is closed before anything that may come after it is looked at. */
function closeAndLook(tx: Transaction, limit: number): void {
  const { ties } = tx;
  for (;;) {
    countEndings(tx);
    closeJoins(tx, limit);
    noteFollowers(tx, limit);
    const node = ties.toLookAt.take();
    if (node === undefined) return;
    if (ties.looked < limit) lookAtNode(tx, node);
    else leave(tx, { kind: passKinds.look, node, cursor: 0 });
    ties.looked += 1;
  }
}

function closeJoins(tx: Transaction, limit: number): void {
  const { toClose } = tx.ties;
  for (const seq of toClose) {
    toClose.delete(seq);
    const join = tx.joins.at(tx.sql, seq);
    if (join === undefined || !isClosable(join)) continue;
    if (tx.ties.closed < limit) closeJoin(tx, join);
    else leave(tx, { kind: passKinds.look, node: seq, cursor: 0 });
  }
}

function noteFollowers(tx: Transaction, limit: number): void {
  const { ended, looked, toLookAt } = tx.ties;
  for (const [node, cursor] of ended) {
    ended.delete(node);
    const most = limit - looked - toLookAt.size;
    const followers = most > 0 ? tx.sql.tuples<[number]>(followersFrom, node, cursor, most).map(([follower]) => follower) : [];
    for (const follower of followers) toLookAt.add(follower);
    if (followers.length >= most) leave(tx, { kind: passKinds.followers, node, cursor: followers.at(-1) ?? cursor });
  }
}

function walkPasses(tx: Transaction, limit: number): void {
  for (const pass of tx.ties.passes.values()) {
    if (!isDone(tx, pass, limit)) leave(tx, pass);
    tx.ties.end(pass);
  }
}

/** Walks on, as far as it may. */
function isDone(tx: Transaction, pass: Pass, limit: number): boolean {
  const isAtEnd = walkOn(tx, pass, limit);
  if (isAtEnd) tx.sql.run(forgetPass, pass.kind, pass.node);
  return isAtEnd;
}

function leave(tx: Transaction, { kind, node, cursor }: Pass): void {
  tx.sql.run(leavePass, kind, node, cursor);
  tx.ties.hasLeft = true;
}
