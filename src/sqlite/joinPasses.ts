/** Joins through their life (G11): opening, closing, their fate; and bounded passes over their members and the joins within them. */
import { joinsKeptMs, tidyMax } from "../core/defaults.ts";
import { isEnded } from "../core/states.ts";
import { met, turnFollowers, verdictOn, waits } from "./after.ts";
import type { Verdict } from "./after.ts";
import { cancelLive } from "./cancel.ts";
import { jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import { endedCodes, isOpen, joinStates } from "./join.ts";
import type { Join } from "./join.ts";
import { letGoByJoin, lookAtHeld } from "./letGo.ts";
import { letGoPlain } from "./letGoPlain.ts";
import { end } from "./life.ts";
import { countChange, leaveJoin } from "./membership.ts";
import { passKinds } from "./ties.ts";
import type { Pass } from "./ties.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key. */
const membersFrom = "SELECT seq FROM errand_joined WHERE joined = ? AND seq > ? ORDER BY seq LIMIT ?";
/** By errand_joined_kept. */
const keptFrom = "SELECT seq FROM errand_joined WHERE joined = ? AND is_kept = 1 AND seq > ? ORDER BY seq LIMIT ?";
const keepNoLonger = "UPDATE errand_joined SET is_kept = 0 WHERE joined = ? AND seq = ?";
/** By errand_joins_parent. */
const childrenFrom = "SELECT seq FROM errand_joins WHERE parent = ? AND seq > ? ORDER BY seq LIMIT ?";
/** By primary key. */
const forgetPass = "DELETE FROM errand_passes WHERE kind = ? AND node = ?";

/** Something that it came after has ended, or it was sealed, or what it is within has opened. */
export function lookAtNode(tx: Transaction, node: number): void {
  const job = jobAt(tx, node);
  const join = job ? undefined : tx.joins.at(tx.sql, node);
  if (job) lookAtHeld(tx, job);
  else if (join) lookAtJoin(tx, join);
}

export function isClosable({ state, live, isCancelled, fate }: Join): boolean {
  return state < joinStates.closed && live === 0 && (state === joinStates.open || isCancelled === 1 || fate !== null);
}

export function closeJoin(tx: Transaction, join: Join): void {
  const isBad = join.fate === null ? join.isCancelled === 1 || join.failed > 0 : join.fate === "cancelled";
  tellEnded(tx, join, isBad ? endedCodes.badly : endedCodes.well);
  tx.joins.change(join, { state: joinStates.closed, closedAt: tx.now, purgeAt: Math.max(tx.now + joinsKeptMs, join.rememberUntil ?? 0) });
  tx.ties.closed += 1;
  // Parked members have ended for their join, and are cancelled with it all the same.
  for (const kind of join.isCancelled === 1 ? [] : [passKinds.members, passKinds.children]) {
    tx.ties.end({ kind, node: join.seq });
    tx.sql.run(forgetPass, kind, join.seq);
  }
  tx.ties.begin(passKinds.kept, join.seq);
}

/** A staged join that was given up, or one within it: it takes nothing more, and has ended badly, unless it had ended before; its members go in passes. */
export function beginRemoval(tx: Transaction, join: Join): void {
  if (join.state === joinStates.removed) return;
  if (join.state !== joinStates.closed) tellEnded(tx, join, endedCodes.badly);
  tx.joins.change(join, { state: joinStates.removed, purgeAt: null });
  tx.ties.joinsToPurge.add(join.seq);
  walkMembers(tx, join);
}

/** Goes on with a pass, for at most `limit` things done and tidyMax rows seen. Answers whether it came to the end. */
export function walkOn(tx: Transaction, pass: Pass, limit: number): boolean {
  const join = tx.joins.at(tx.sql, pass.node);
  if (join === undefined) return true;
  if (pass.kind === passKinds.members) return walkOnMembers(tx, join, pass, limit);
  const rows = tx.sql.tuples<[number]>(pass.kind === passKinds.kept ? keptFrom : childrenFrom, pass.node, pass.cursor, limit).map(([row]) => row);
  for (const row of rows) {
    if (pass.kind === passKinds.kept) keepNoMore(tx, join, row);
    else visitChild(tx, join, row);
    pass.cursor = row;
  }
  return rows.length < limit;
}

function lookAtJoin(tx: Transaction, join: Join): void {
  if (join.state === joinStates.waiting && join.isCancelled === 0 && join.fate === null) goOn(tx, join);
  if (join.live === 0) tx.ties.toClose.add(join.seq);
}

/** Sealed: it opens when nothing holds it; or ends as its predecessor's ending says. */
function goOn(tx: Transaction, join: Join): void {
  const verdict = verdictOnJoin(tx, join);
  if (verdict.is === "cancelled" || verdict.is === "skipped") meetFate(tx, join, verdict.is, verdict.reason);
  else if (verdict.is === "met") {
    tx.joins.change(join, { state: joinStates.open });
    walkMembers(tx, join);
  }
}

function verdictOnJoin(tx: Transaction, join: Join): Verdict {
  const parent = join.parent === null ? undefined : tx.joins.at(tx.sql, join.parent);
  const verdict = join.after === null ? met : verdictOn(tx, join.seq);
  return verdict.is === "met" && parent && !isOpen(parent) ? waits : verdict;
}

function meetFate(tx: Transaction, join: Join, fate: "cancelled" | "skipped", reason: string): void {
  tx.joins.change(join, { fate, reason });
  if (join.live === 0) tx.ties.toClose.add(join.seq);
  walkMembers(tx, join);
}

function walkMembers(tx: Transaction, join: Join): void {
  if (join.members === 0) return;
  tx.ties.begin(passKinds.members, join.seq);
  tx.ties.begin(passKinds.children, join.seq);
}

/** To what it is within, and to whatever comes after it. */
function tellEnded(tx: Transaction, join: Join, ended: number): void {
  tx.joins.end(tx.sql, join, ended);
  tx.ties.ended.set(join.seq, 0);
  if (join.after !== null) turnFollowers(tx, [join.seq], false);
  const parent = join.parent === null ? undefined : tx.joins.at(tx.sql, join.parent);
  if (parent) countChange(tx, parent, undefined, ended === endedCodes.well ? "well" : "badly");
}

/** What it means to be visited is told by how the join stands now. */
function walkOnMembers(tx: Transaction, join: Join, pass: Pass, limit: number): boolean {
  const most = isOpen(join) ? Math.min(limit - tx.ties.released, tidyMax) : tidyMax;
  if (most <= 0) return false;
  const seqs = tx.sql.tuples<[number]>(membersFrom, join.seq, pass.cursor, most).map(([seq]) => seq);
  const done = isOpen(join) ? letGoPlain(tx, join, seqs) : new Set<number>();
  for (const seq of seqs) {
    const job = done.has(seq) ? undefined : jobAt(tx, seq);
    if (isOpen(join) ? false : isSpent(tx, join, limit)) return false;
    if (job) visitMember(tx, join, job);
    pass.cursor = seq;
  }
  return seqs.length < most;
}

function isSpent({ ties }: Transaction, join: Join, limit: number): boolean {
  return (join.state === joinStates.removed ? ties.givenUp.length : ties.dropped) >= limit;
}

function visitMember(tx: Transaction, join: Join, job: Job): void {
  if (join.state === joinStates.removed) giveUp(tx, join, job);
  else if (join.isCancelled === 1) cancelMember(tx, join, job);
  else letGoByJoin(tx, join, job);
}

function cancelMember(tx: Transaction, join: Join, job: Job): void {
  if (job.isCancelling === 1 || isEnded(job.state)) return;
  cancelLive(tx, job, join.reason ?? "");
  tx.ties.dropped += 1;
}

/** One that only stood for another goes on as it is; its own are removed once whoever came after them has heard of it. */
function giveUp(tx: Transaction, join: Join, job: Job): void {
  const isOwn = leaveJoin(tx, join, job);
  if (isOwn && !isEnded(job.state)) end(tx, job, "cancelled", { reason: `not started: the rest of ${join.name} ${join.id} was never stored` });
  if (isOwn) tx.ties.givenUp.push(job.seq);
  tx.purgeAt(tx.now, job.seq);
}

function visitChild(tx: Transaction, { state, fate, reason }: Join, seq: number): void {
  const child = tx.joins.at(tx.sql, seq);
  if (child === undefined) return;
  if (state === joinStates.removed) beginRemoval(tx, child);
  else if (fate === null) tx.ties.toLookAt.add(seq);
  else if (child.state < joinStates.closed && child.fate === null) meetFate(tx, child, fate, reason ?? "");
}

/** Its time may have come: a member goes no sooner than its keep after its join has closed. */
function keepNoMore(tx: Transaction, join: Join, seq: number): void {
  tx.sql.run(keepNoLonger, join.seq, seq);
  tx.purgeAt(tx.now, seq);
}
