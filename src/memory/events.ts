/** Stored events, in the order of their publishing. */
import { eventsKeptMs } from "../core/defaults.ts";
import type { NewEvent } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import { Sequence } from "./sequence.ts";

export interface StoredEvent {
  readonly seq: number;
  readonly event: NewEvent;
  readonly publishedAt: Instant;
  readonly purgeAt: Instant;
}

export class Events {
  readonly #byId = new Map<string, StoredEvent>();
  readonly #all = new Sequence<StoredEvent>();
  readonly #byName = new Map<string, Sequence<StoredEvent>>();
  readonly #byPurge = new Heap<StoredEvent>((a, b) => a.purgeAt - b.purgeAt || a.seq - b.seq);

  find(id: string): StoredEvent | undefined {
    return this.#byId.get(id);
  }

  add(event: NewEvent, seq: number, now: Instant): void {
    const stored = { seq, event, publishedAt: now, purgeAt: now + Math.max(eventsKeptMs, event.rememberMs) };
    const named = this.#byName.get(event.name) ?? new Sequence<StoredEvent>();
    this.#byName.set(event.name, named);
    named.append(stored);
    this.#all.append(stored);
    this.#byId.set(event.id, stored);
    this.#byPurge.push(stored);
  }

  /** Oldest first; of one name, or of all. */
  after(seq: number, name?: string): Iterable<StoredEvent> {
    return name === undefined ? this.#all.after(seq) : (this.#byName.get(name)?.after(seq) ?? []);
  }

  /** Removes what retention no longer keeps. Answers how many. */
  purge(limit: number, now: Instant): number {
    let purged = 0;
    for (let stored = this.#byPurge.first(); stored && stored.purgeAt <= now && purged < limit; stored = this.#byPurge.first()) {
      this.#remove(stored);
      purged += 1;
    }
    return purged;
  }

  #remove(stored: StoredEvent): void {
    const named = this.#byName.get(stored.event.name);
    named?.remove(stored);
    if (named?.size === 0) this.#byName.delete(stored.event.name);
    this.#all.remove(stored);
    this.#byId.delete(stored.event.id);
    this.#byPurge.remove(stored);
  }
}
