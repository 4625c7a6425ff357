/** Unique keys: which live jobs hold one, and which keys outlive their job (G6). */
import type { Uniqueness } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key. Two at most: one runs, one waits. */
const holders = "SELECT seq FROM errand_uniques WHERE key = ? ORDER BY seq LIMIT 3";
const hold = "INSERT INTO errand_uniques (key, seq) VALUES (?, ?)";
const release = "DELETE FROM errand_uniques WHERE key = ? AND seq = ?";
const readWindow = "SELECT job_id FROM errand_windows WHERE key = ? AND until > ?";
const writeWindow =
  "INSERT INTO errand_windows (key, job_id, until) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET job_id = excluded.job_id, until = excluded.until";
/** By errand_windows_until. */
const purgeWindows = "DELETE FROM errand_windows WHERE key IN (SELECT key FROM errand_windows WHERE until <= ? ORDER BY until LIMIT ?)";

/** The live job that `unique` loses to; or the id of the one whose window lasts; or undefined: the key is free. */
export function winnerOf(tx: Transaction, unique: Uniqueness): Job | string | undefined {
  const live = tx.sql.tuples<[number]>(holders, unique.key).flatMap(([seq]) => jobAt(tx, seq) ?? []);
  const waiting = live.find((job) => job.state !== "running");
  if (unique.mode.is === "one-more" && waiting === undefined && live.length > 0) return undefined;
  return waiting ?? live[0] ?? tx.sql.value<string>(readWindow, unique.key, tx.now);
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

export function keepKeyUntil(tx: Transaction, key: string, jobId: string, until: Instant): void {
  tx.sql.run(writeWindow, key, jobId, until);
}

/** Forgets windows that ended. Answers how many. */
export function purgeEndedWindows(tx: Transaction, limit: number): number {
  return tx.sql.run(purgeWindows, tx.now, limit);
}
