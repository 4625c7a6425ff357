/** History for new subscriptions: a job for each stored event, oldest first, with the ids of the live fan-out. */
import { jobFor } from "../core/fanOut.ts";
import { replayKey, replayPrefix, subscriptionKey } from "../core/notes.ts";
import type { StoredReplay, StoredSubscription } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import { acceptJob } from "./accept.ts";
import { parseSubscription } from "./note.ts";
import type { Store } from "./store.ts";

/** `before` is the first event that the live fan-out brings: the two meet there without a gap or a double. */
interface Replay extends StoredReplay {
  readonly before: string;
}

export function startReplay(store: Store, subscription: StoredSubscription, now: Instant): void {
  if (subscription.since !== "beginning") return;
  write(store, { subscription: subscription.name, event: subscription.event, after: "0", before: String(store.nextSeq()) }, now);
}

/** Goes on with every replay, `limit` events in all. */
export function replay(store: Store, limit: number, now: Instant): { replayed: number; hasMore: boolean } {
  let replayed = 0;
  let budget = limit;
  for (const note of store.notes.startingWith(replayPrefix)) {
    if (budget === 0) return { replayed, hasMore: true };
    const done = replayOne(store, JSON.parse(note.value) as Replay, budget, now);
    replayed += done.made;
    budget -= done.seen;
  }
  return { replayed, hasMore: budget === 0 && store.notes.startingWith(replayPrefix).length > 0 };
}

function replayOne(store: Store, position: Replay, limit: number, now: Instant): { made: number; seen: number } {
  const subscription = subscriptionOf(store, position);
  const done = { made: 0, seen: 0 };
  if (subscription !== undefined) {
    for (const { event, seq } of store.events.after(Number(position.after), position.event)) {
      if (seq > Number(position.before)) break;
      if (done.seen === limit) return done;
      if (!acceptJob(store, jobFor(event, subscription), now).isDuplicate) done.made += 1;
      done.seen += 1;
      write(store, { ...position, after: String(seq) }, now);
    }
  }
  store.notes.write(replayKey(position.subscription), undefined, now);
  return done;
}

/** Undefined when it was retired, or hears another event now: its replay ends. */
function subscriptionOf(store: Store, position: Replay): StoredSubscription | undefined {
  const note = store.notes.read(subscriptionKey(position.subscription));
  const subscription = note && parseSubscription(note.value);
  return subscription?.event === position.event ? subscription : undefined;
}

function write(store: Store, position: Replay, now: Instant): void {
  store.notes.write(replayKey(position.subscription), JSON.stringify(position), now);
}
