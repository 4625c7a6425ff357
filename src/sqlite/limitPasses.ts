/** Gives the room of key limits, at the end of each verb: to the most urgent first, of all that arrived and of all lines that may go on. */
import type { KeyLimit } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { isLate, jobAt } from "./job.ts";
import type { Job } from "./job.ts";
import { limitsOf } from "./keyLimit.ts";
import { skipLate } from "./life.ts";
import { place } from "./move.ts";
import type { Transaction } from "./transaction.ts";

type Place = readonly [urgency: number, seq: number];

/** By errand_key_waits_line. */
const firstOf = "SELECT urgency, seq FROM errand_key_waits WHERE key = ? ORDER BY urgency, seq LIMIT 1";
const anyAhead = "SELECT 1 FROM errand_key_waits WHERE key = ? AND (urgency, seq) < (?, ?) LIMIT 1";
/** By rowid. */
const standInLine =
  "INSERT INTO errand_key_waits (seq, key, urgency) VALUES (?, ?, ?) ON CONFLICT (seq) DO UPDATE SET key = excluded.key, urgency = excluded.urgency";
/** By primary key. */
const startEnd = "SELECT until FROM errand_key_starts WHERE key = ? ORDER BY until LIMIT 1 OFFSET ?";

/** One that just arrived, or the first of a key's line. */
interface Asking {
  readonly key: string | undefined;
  at: Place;
}

/** At most `limit` in a verb; the rest is left to tidy. */
export function giveRoom(tx: Transaction, limit: number): void {
  if (!tx.keys.hasWork) return;
  // Lines that were looked at: their time to come free may be another.
  const lines = new Set<string>();
  const heap = new Heap<Asking>([...arrived(tx), ...firstInLines(tx, lines)], ({ at: a }, { at: b }) => isAhead(a, b));
  for (let asking = heap.first; asking; asking = heap.first) {
    if (asking.key !== undefined && tx.keys.given >= limit) {
      heap.removeFirst();
      continue;
    }
    const stays = ask(tx, asking, lines);
    const next = asking.key === undefined || stays ? undefined : firstIn(tx, asking.key);
    if (next === undefined) heap.removeFirst();
    else {
      asking.at = next;
      heap.sinkFirst();
    }
  }
  for (const key of lines) tx.keys.use(tx, key).freeAt = freeAt(tx, key);
}

function arrived(tx: Transaction): Asking[] {
  const asking = [...tx.keys.arrivals].flatMap((seq): Asking[] => {
    const job = jobAt(tx, seq);
    return job ? [{ key: undefined, at: [job.urgency, seq] }] : [];
  });
  tx.keys.arrivals.clear();
  return asking;
}

function firstInLines(tx: Transaction, lines: Set<string>): Asking[] {
  const asking = [...tx.keys.changed].flatMap((key): Asking[] => {
    const at = firstIn(tx, key);
    if (at || tx.keys.use(tx, key).freeAt !== null) lines.add(key);
    return at ? [{ key, at }] : [];
  });
  tx.keys.changed.clear();
  return asking;
}

/** Answers whether it stays where it is: then its line cannot go on. */
function ask(tx: Transaction, { key, at }: Asking, lines: Set<string>): boolean {
  const job = jobAt(tx, at[1]);
  if (job === undefined) return false;
  const limits = limitsOf(job);
  const own = limits.find((limit) => limit.key === key);
  // Whether the others have room is asked when its own line has.
  if (own && !hasRoom(tx, own, at)) return true;
  const full = limits.find((limit) => !hasRoom(tx, limit, at));
  if (full) {
    tx.sql.run(standInLine, job.seq, full.key, job.urgency);
    lines.add(full.key);
    return false;
  }
  goOn(tx, job);
  // Its line is gone on with here.
  if (key !== undefined) tx.keys.changed.delete(key);
  return false;
}

/** It passes a limit where nobody is ahead of it and its own number leaves room. */
function hasRoom(tx: Transaction, { key, is }: KeyLimit, at: Place): boolean {
  const most = "running" in is ? is.running : is.starts;
  return tx.keys.use(tx, key).used < most && tx.sql.value(anyAhead, key, ...at) === undefined;
}

/** One that had to wait takes its place among the ready as of now, so that many keys take turns. */
function goOn(tx: Transaction, job: Job): void {
  tx.keys.given += 1;
  if (isLate(job, tx.now)) return skipLate(tx, job);
  const hasWaited = (job.since ?? job.enqueuedAt) < tx.now;
  place(tx, job, "ready", hasWaited ? { urgency: tx.now - job.headStartMs } : {});
}

/** When the first in the line may go on by the passing of time alone; at once where there was too much for one verb. */
function freeAt(tx: Transaction, key: string): Instant | null {
  const first = firstIn(tx, key);
  const job = first && jobAt(tx, first[1]);
  const limit = job && limitsOf(job).find((one) => one.key === key);
  if (limit === undefined) return null;
  const over = tx.keys.use(tx, key).used - ("running" in limit.is ? limit.is.running : limit.is.starts);
  return over < 0 ? tx.now : (tx.sql.value<number>(startEnd, key, over) ?? null);
}

function firstIn(tx: Transaction, key: string): Place | undefined {
  return tx.sql.tuples<[number, number]>(firstOf, key)[0];
}

function isAhead(a: Place, b: Place): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
