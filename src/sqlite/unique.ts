/** Unique keys: which live jobs hold one, and which keys outlive their job (G6). */
import type { Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { flags, jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import { codeOf } from "./numbers.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key. Two at most: one runs, one waits. */
const holders = "SELECT seq FROM errand_uniques WHERE key = ? ORDER BY seq LIMIT 3";
/** By primary key, then rowids. */
const gatherer = `SELECT j.seq FROM (SELECT seq FROM errand_uniques WHERE key = ? ORDER BY seq DESC LIMIT 100) q CROSS JOIN errand_jobs j ON j.seq = q.seq
  LEFT JOIN errand_running r ON r.seq = j.seq
  WHERE (j.flags & ${flags.isGathering | flags.isFull}) = ${flags.isGathering} AND j.state <> ${codeOf("parked")} AND r.seq IS NULL ORDER BY j.seq LIMIT 1`;
/** By primary key. */
const hold = "INSERT INTO errand_uniques (key, seq) VALUES (?, ?)";
const release = "DELETE FROM errand_uniques WHERE key = ? AND seq = ?";
/** By rowids, then the primary key. */
const releaseAll =
  "DELETE FROM errand_uniques WHERE (key, seq) IN (SELECT j.unique_key, j.seq FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value)";
const readWindow = "SELECT job_id FROM errand_windows WHERE key = ? AND until > ?";
const writeWindow =
  "INSERT INTO errand_windows (key, job_id, until) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET job_id = excluded.job_id, until = excluded.until";
/** By errand_windows_until. */
const purgeWindows = "DELETE FROM errand_windows WHERE key IN (SELECT key FROM errand_windows WHERE until <= ? ORDER BY until LIMIT ?)";

/** The live job that `unique` loses to; or the id of the one whose window lasts; or undefined: the key is free. */
export function winnerOf(tx: Transaction, unique: Uniqueness): Job | string | undefined {
  if (unique.mode.is === "gather") return gathererOf(tx, unique.key) ?? tx.sql.value<string>(readWindow, unique.key, tx.now);
  const live = tx.sql.tuples<[number]>(holders, unique.key).flatMap(([seq]) => jobAt(tx, seq) ?? []);
  const waiting = live.find((job) => job.state !== "running");
  if (unique.mode.is === "one-more" && waiting === undefined && live.length > 0) return undefined;
  return waiting ?? live[0] ?? tx.sql.value<string>(readWindow, unique.key, tx.now);
}

/** The first that waits and takes more, of the last that hold the key. */
function gathererOf(tx: Transaction, key: string): Job | undefined {
  const seq = tx.sql.value<number>(gatherer, key);
  return seq === undefined ? undefined : jobAt(tx, seq);
}

export function isKeyHeld(tx: Transaction, key: string): boolean {
  return tx.sql.value(holders, key) !== undefined;
}

export function holdKey(tx: Transaction, job: Pick<Job, "uniqueKey" | "seq">): void {
  if (job.uniqueKey !== null) tx.sql.run(hold, job.uniqueKey, job.seq);
}

export function releaseKey(tx: Transaction, job: Pick<Job, "uniqueKey" | "seq">): void {
  if (job.uniqueKey !== null) tx.sql.run(release, job.uniqueKey, job.seq);
}

export function releaseKeys(tx: Transaction, seqs: readonly number[]): void {
  tx.sql.run(releaseAll, JSON.stringify(seqs));
}

export function keepKeyUntil(tx: Transaction, key: string, jobId: string, until: Instant): void {
  tx.sql.run(writeWindow, key, jobId, until);
}

/** Forgets windows that ended. Answers how many. */
export function purgeEndedWindows(tx: Transaction, limit: number): number {
  return tx.sql.run(purgeWindows, tx.now, limit);
}
