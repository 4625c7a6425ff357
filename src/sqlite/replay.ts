/** History for new subscriptions: a job for each stored event, oldest first, with the ids of the live fan-out. */
import { jobFor } from "../core/fanOut.ts";
import { replayKey, replayPrefix, subscriptionKey } from "../core/notes.ts";
import type { StoredReplay, StoredSubscription } from "../core/notes.ts";
import { acceptJob } from "./accept.ts";
import { setNote, readNote } from "./note.ts";
import { endOf, parseSubscription } from "./notices.ts";
import type { Transaction } from "./transaction.ts";

/** By rowid: the last. */
const lastEvent = "SELECT max(seq) FROM errand_events";
/** By primary key. */
const replays = "SELECT value FROM errand_notes WHERE key >= ? AND key < ? ORDER BY key LIMIT ?";
/** By errand_events_name. */
const eventsBetween = "SELECT seq, id, name, payload, ordered_by AS orderedBy FROM errand_events WHERE name = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?";

/** How many are looked at in one pass. */
const replaysMax = 1_000;

/** `upTo` is the last event before the live fan-out: the two meet there without a gap or a double. */
interface Replay extends StoredReplay {
  readonly upTo: number;
}

interface EventRecord {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly payload: string;
  readonly orderedBy: string | null;
}

export function startReplay(tx: Transaction, subscription: StoredSubscription): void {
  const upTo = tx.sql.value<number>(lastEvent) ?? 0;
  if (subscription.since !== "beginning" || upTo === 0) return;
  save(tx, { subscription: subscription.name, event: subscription.event, after: "0", upTo });
}

export function isReplaying(tx: Transaction): boolean {
  return tx.sql.value(replays, replayPrefix, endOf(replayPrefix), 1) !== undefined;
}

/** Goes on with every replay, `limit` events in all. */
export function replay(tx: Transaction, limit: number): { replayed: number; hasMore: boolean } {
  let replayed = 0;
  let budget = limit;
  for (const [value] of tx.sql.tuples<[string]>(replays, replayPrefix, endOf(replayPrefix), replaysMax)) {
    if (budget === 0) break;
    const done = replayOne(tx, JSON.parse(value) as Replay, budget);
    replayed += done.made;
    budget -= done.seen;
  }
  return { replayed, hasMore: isReplaying(tx) };
}

function replayOne(tx: Transaction, position: Replay, limit: number): { made: number; seen: number } {
  const subscription = subscriptionOf(tx, position);
  const events = subscription ? tx.sql.all<EventRecord>(eventsBetween, position.event, Number(position.after), position.upTo, limit) : [];
  let made = 0;
  for (const { orderedBy, ...event } of events) {
    const published = { ...event, ...(orderedBy !== null && { orderedBy: JSON.parse(orderedBy) as string[] }) };
    if (subscription && !acceptJob(tx, jobFor(published, subscription)).isDuplicate) made += 1;
  }
  const last = events.at(-1);
  if (last && events.length === limit) save(tx, { ...position, after: String(last.seq) });
  else setNote(tx, replayKey(position.subscription), undefined);
  return { made, seen: events.length };
}

/** Undefined when it was retired, or hears another event now: its replay ends. */
function subscriptionOf(tx: Transaction, position: Replay): StoredSubscription | undefined {
  const note = readNote(tx.sql, subscriptionKey(position.subscription));
  const subscription = note && parseSubscription(note.value);
  return subscription?.event === position.event ? subscription : undefined;
}

function save(tx: Transaction, position: Replay): void {
  setNote(tx, replayKey(position.subscription), JSON.stringify(position));
}
