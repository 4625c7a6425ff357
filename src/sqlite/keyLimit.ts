/** What jobs hold of the keys that bound them (G9): counts, read once and written at most once in a transaction. Who gets room is decided in limitPasses.ts. */
import type { KeyLimit } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { flags, hasFlag } from "./job.ts";
import type { Job } from "./job.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key. */
const readKey = "SELECT used, free_at FROM errand_keys WHERE key = ?";
const writeKey =
  "INSERT INTO errand_keys (key, used, free_at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET used = excluded.used, free_at = excluded.free_at";
const forgetKey = "DELETE FROM errand_keys WHERE key = ?";
const addStart = "INSERT INTO errand_key_starts (key, until, seq, fence) VALUES (?, ?, ?, ?)";
const takeStartBack = "DELETE FROM errand_key_starts WHERE key = ? AND until = ? AND seq = ? AND fence = ?";
const forgetStarts = "DELETE FROM errand_key_starts WHERE key = ? AND until <= ?";
/** By rowid. */
const leaveLine = "DELETE FROM errand_key_waits WHERE seq = ? RETURNING key";
/** By rowids. */
const limitsOfAll = "SELECT j.extra -> '$.keyLimits' FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value";
const changePlace = "UPDATE errand_key_waits SET urgency = ? WHERE seq = ? RETURNING key";
/** By errand_keys_free, errand_key_starts_until: the first. */
const firstFree = "SELECT min(free_at) FROM errand_keys WHERE free_at IS NOT NULL";
const firstStartEnd = "SELECT min(until) FROM errand_key_starts";
const freedKeys = "SELECT key FROM errand_keys WHERE free_at <= ? ORDER BY free_at LIMIT ?";
const endedStarts = "SELECT DISTINCT key FROM (SELECT key FROM errand_key_starts WHERE until <= ? ORDER BY until LIMIT ?)";

interface KeyUse {
  used: number;
  freeAt: Instant | null;
}

export class Keys {
  /** By seq: jobs that would be ready, if their limits had room. */
  readonly arrivals: Set<number> = new Set();
  /** Keys whose line may go on: something was given back, or somebody left. */
  readonly changed: Set<string> = new Set();
  /** How many were given room. */
  given = 0;
  readonly #byKey = new Map<string, KeyUse>();

  get hasWork(): boolean {
    return this.arrivals.size + this.changed.size > 0;
  }

  use(tx: Transaction, key: string): KeyUse {
    const known = this.#byKey.get(key);
    if (known) return known;
    const [row] = tx.sql.tuples<[number, number | null]>(readKey, key);
    const use = { used: row?.[0] ?? 0, freeAt: row?.[1] ?? null };
    const over = use.used > 0 ? tx.sql.run(forgetStarts, key, tx.now) : 0;
    use.used -= over;
    if (over > 0) this.changed.add(key);
    this.#byKey.set(key, use);
    return use;
  }

  add(tx: Transaction, key: string, amount: number): void {
    const use = this.use(tx, key);
    use.used += amount;
    if (amount < 0) this.changed.add(key);
  }

  write(sql: Statements): void {
    for (const [key, { used, freeAt }] of this.#byKey) {
      if (used === 0 && freeAt === null) sql.run(forgetKey, key);
      else sql.run(writeKey, key, used, freeAt);
    }
    this.#byKey.clear();
  }
}

export function limitsOf(job: Pick<Job, "keyLimits">): readonly KeyLimit[] {
  return job.keyLimits === null ? [] : (JSON.parse(job.keyLimits) as KeyLimit[]);
}

/** When a key has room again by the passing of time alone, with somebody who waits for it. */
export function firstFreeAt(sql: Statements): Instant | undefined {
  return sql.value<number | null>(firstFree) ?? undefined;
}

export function isAnyStartOver(sql: Statements, now: Instant): boolean {
  return (sql.value<number | null>(firstStartEnd) ?? Infinity) <= now;
}

/** Lines that may go on because time has passed. */
export function noteFreed(tx: Transaction, limit: number): void {
  if ((firstFreeAt(tx.sql) ?? Infinity) > tx.now) return;
  for (const [key] of tx.sql.tuples<[string]>(freedKeys, tx.now, limit)) tx.keys.changed.add(key);
}

/** Starts that count no more are forgotten, also of keys that nobody asks for. Answers whether there may be more. */
export function forgetEndedStarts(tx: Transaction, limit: number): boolean {
  if (!isAnyStartOver(tx.sql, tx.now)) return false;
  for (const [key] of tx.sql.tuples<[string]>(endedStarts, tx.now, limit)) tx.keys.use(tx, key);
  return isAnyStartOver(tx.sql, tx.now);
}

/** It became ready. */
export function takeKeys(tx: Transaction, job: Job): void {
  for (const { key } of limitsOf(job)) tx.keys.add(tx, key, 1);
}

/** Before it leaves its state: what it held is given back, but for starts, which last. */
export function leaveKeys(tx: Transaction, job: Job): void {
  if (job.state === "ready") for (const { key } of limitsOf(job)) tx.keys.add(tx, key, -1);
  else if (job.state === "running") giveBackRunning(tx, limitsOf(job));
  else if (hasFlag(job, flags.isLimited)) {
    tx.keys.arrivals.delete(job.seq);
    const key = tx.sql.value<string>(leaveLine, job.seq);
    if (key !== undefined) tx.keys.changed.add(key);
  }
}

/** Its urgency has changed: so has its place in the line where it waits. */
export function standAnew(tx: Transaction, job: Job): void {
  const key = tx.sql.value<string>(changePlace, job.urgency, job.seq);
  if (key !== undefined) tx.keys.changed.add(key);
}

export function giveBackRunning(tx: Transaction, limits: readonly KeyLimit[]): void {
  for (const { key, is } of limits) if ("running" in is) tx.keys.add(tx, key, -1);
}

export function giveBackKeys(tx: Transaction, seqs: readonly number[]): void {
  for (const [keyLimits] of tx.sql.tuples<[string | null]>(limitsOfAll, JSON.stringify(seqs))) giveBackRunning(tx, limitsOf({ keyLimits }));
}

/** It is handed out: what it held while it was ready counts from now on. */
export function countStarts(tx: Transaction, seq: number, fence: number, limits: readonly KeyLimit[]): void {
  for (const { key, is } of limits) {
    if ("running" in is) continue;
    tx.sql.run(addStart, key, tx.now + is.everyMs, seq, fence);
    tx.keys.changed.add(key);
  }
}

/** It is handed back, as if it had never been handed out. */
export function takeStartsBack(tx: Transaction, job: Job): void {
  if (!hasFlag(job, flags.hasKeyLimits) || job.startedAt === null || job.fence === null) return;
  for (const { key, is } of limitsOf(job)) {
    if (!("running" in is) && tx.sql.run(takeStartBack, key, job.startedAt + is.everyMs, job.seq, job.fence) > 0) tx.keys.add(tx, key, -1);
  }
}
