/** What comes after what. Jobs and joins are numbered in one sequence: a node is the number of either. */
import type { After } from "../core/engine.ts";
import { answerTo, jobBefore, joinBefore, unmetReason } from "../core/joining.ts";
import type { JobState } from "../core/states.ts";
import { flags, hasFlag, jobAt } from "./job.ts";
import { splitRowAround } from "./laneRow.ts";
import type { Job } from "./job.ts";
import { isOpen } from "./join.ts";
import type { Join } from "./join.ts";
import { codeOf } from "./numbers.ts";
import { passKinds } from "./ties.ts";
import type { Transaction } from "./transaction.ts";

export const wantedCodes: Readonly<Record<After["when"], number>> = { well: 1, badly: 2, ended: 3 };

/** What stands before a node, by the states of now. */
export type Verdict =
  /** All have ended as asked. */
  | { readonly is: "met" }
  | { readonly is: "waits" }
  /** One has ended otherwise: so does the node. */
  | { readonly is: "cancelled" | "skipped"; readonly reason: string };

export const met: Verdict = { is: "met" };
export const waits: Verdict = { is: "waits" };

const endedWell = `d.seq IS NOT NULL OR j.state = ${codeOf("skipped")}`;
const endedBadly = `j.state IN (${(["parked", "cancelled", "dead"] satisfies JobState[]).map(codeOf).join(", ")})`;
/** One that was deleted counts as it was asked for. */
export const endedOf: string = `CASE WHEN j.seq IS NOT NULL THEN iif(${endedWell}, 1, iif(${endedBadly}, 2, 0)) WHEN n.seq IS NOT NULL THEN n.ended ELSE a.wanted END`;
export const beforeJoined: string = `LEFT JOIN errand_jobs j ON j.seq = a.before LEFT JOIN errand_done d ON d.seq = a.before LEFT JOIN errand_joins n ON n.seq = a.before`;

const addEdge = "INSERT INTO errand_after (node, at, before, wanted, is_live) VALUES (?, ?, ?, ?, 1)";
/** By primary key, then rowids. */
const standing = `SELECT min(iif(ended > 0 AND wanted <> ${wantedCodes.ended} AND ended <> wanted, at, NULL)), min(iif(ended = 0, at, NULL))
  FROM (SELECT a.at, a.wanted, ${endedOf} AS ended FROM errand_after a ${beforeJoined} WHERE a.node = ?)`;
const edgeAt = `SELECT a.before, a.wanted, ${endedOf} FROM errand_after a ${beforeJoined} WHERE a.node = ? AND a.at = ?`;
/** By primary key: at most 500 of a node. */
const turnEdges = "UPDATE errand_after SET is_live = ? WHERE node IN (SELECT value FROM json_each(?))";
const removeEdges = "DELETE FROM errand_after WHERE node = ?";
/** By errand_after_live. */
const anyFollower = "SELECT 1 FROM errand_after WHERE before = ? AND is_live = 1 LIMIT 1";
/** By primary key. */
const followersLeft = "SELECT 1 FROM errand_passes WHERE kind = ? AND node = ?";
/** By rowids. */
const tellFollowers = `UPDATE errand_jobs SET flags = flags | ${flags.hasFollowers} WHERE seq = ?`;
const tellRunning = `UPDATE errand_running SET flags = flags | ${flags.hasFollowers} WHERE seq = ?`;
/** By primary key, then rowids. */
const keptBefore = `SELECT DISTINCT a.before FROM json_each(?) e CROSS JOIN errand_after a ON a.node = e.value CROSS JOIN errand_jobs j ON j.seq = a.before
  WHERE j.flags & ${flags.isKept}`;
const joinsBefore = "SELECT DISTINCT n.seq FROM json_each(?) e CROSS JOIN errand_after a ON a.node = e.value CROSS JOIN errand_joins n ON n.seq = a.before";

export interface Edge {
  readonly before: number;
  readonly when: After["when"];
}

/** before 0: what is gone already. */
export function comeAfter(tx: Transaction, node: number, edges: readonly Edge[]): void {
  edges.forEach(({ before, when }, at) => {
    tx.sql.run(addEdge, node, at, before, wantedCodes[when]);
    tx.sql.run(tellFollowers, before);
    splitRowAround(tx, before);
    tx.sql.run(tellRunning, before);
  });
}

/** The first of its list that has ended otherwise decides, also while others are open. */
export function verdictOn(tx: Transaction, node: number): Verdict {
  const [row] = tx.sql.tuples<[unmet: number | null, open: number | null]>(standing, node);
  const [unmet, open] = row ?? [null, null];
  if (unmet !== null) return unmetAt(tx, node, unmet);
  return open === null ? met : waits;
}

/** What holds a job back, if anything does: what it comes after, and its own join. */
export function verdictOnJob(tx: Transaction, job: Pick<Job, "seq" | "flags">, own: Join | undefined): Verdict {
  const verdict = hasFlag(job, flags.hasAfter) ? verdictOn(tx, job.seq) : met;
  if (verdict.is === "cancelled" || verdict.is === "skipped" || own === undefined) return verdict;
  if (own.fate !== null) return { is: own.fate, reason: own.reason ?? "" };
  return isOpen(own) ? verdict : waits;
}

/** They live, and keep what they came after; or they ended, and keep it no longer. */
export function turnFollowers(tx: Transaction, nodes: readonly number[], isLive: boolean): void {
  const text = JSON.stringify(nodes);
  tx.sql.run(turnEdges, isLive ? 1 : 0, text);
  if (isLive) return;
  for (const [seq] of tx.sql.tuples<[number]>(keptBefore, text)) tx.purgeAt(tx.now, seq);
  for (const [seq] of tx.sql.tuples<[number]>(joinsBefore, text)) tx.ties.joinsToPurge.add(seq);
}

export function forgetEdges(tx: Transaction, node: number): void {
  tx.sql.run(removeEdges, node);
}

/** Whether something that lives came after it. */
export function hasLiveFollowers(tx: Transaction, node: number): boolean {
  return tx.sql.value(anyFollower, node) !== undefined;
}

/** Whether some of those that came after it have yet to hear of its ending. */
export function isYetToBeTold(tx: Transaction, node: number): boolean {
  return tx.ties.ended.has(node) || tx.sql.value(followersLeft, passKinds.followers, node) !== undefined;
}

function unmetAt(tx: Transaction, node: number, at: number): Verdict {
  const [edge] = tx.sql.tuples<[before: number, wanted: number, ended: number]>(edgeAt, node, at);
  const [before, wanted, ended] = edge ?? [0, wantedCodes.well, wantedCodes.badly];
  const answer = answerTo(wanted === wantedCodes.well ? "well" : "badly", ended === wantedCodes.well ? "well" : "badly");
  return answer === "met" ? met : { is: answer, reason: unmetReason(answer, whatStood(tx, before, ended)) };
}

function whatStood(tx: Transaction, before: number, ended: number): string {
  const job = jobAt(tx, before);
  if (job) return jobBefore(job.id, job.state);
  const join = tx.joins.at(tx.sql, before);
  return join ? joinBefore(join.name, join.id, ended === wantedCodes.well ? "well" : "badly") : "what is gone";
}
