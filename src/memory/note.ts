/** Notes: small versioned documents; and the subscriptions among them, ready for fan-out. */
import type { Note, NoteWrite } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { subscriptionPrefix } from "../core/notes.ts";
import type { StoredSubscription } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";

export class Notes {
  /** Grows with every note written or deleted. */
  version = 0;
  readonly #byKey = new Map<string, Note>();
  readonly #subscriptions = new Map<string, StoredSubscription>();
  readonly #byEvent = new Map<string, StoredSubscription[]>();

  read(key: string): Note | undefined {
    return this.#byKey.get(key);
  }

  write(key: string, value: string | undefined, now: Instant): void {
    this.version += 1;
    if (value === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, { key, version: (this.#byKey.get(key)?.version ?? 0) + 1, value, writtenAt: now });
    if (key.startsWith(subscriptionPrefix)) this.#subscribe(key, value);
  }

  /** By name, so that every engine fans out in the same order. */
  subscriptionsTo(event: string): readonly StoredSubscription[] {
    return this.#byEvent.get(event) ?? [];
  }

  /** By key. */
  startingWith(prefix: string): Note[] {
    return [...this.#byKey.values()].filter((note) => note.key.startsWith(prefix)).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  #subscribe(key: string, value: string | undefined): void {
    const old = this.#subscriptions.get(key);
    this.#subscriptions.delete(key);
    if (old) this.#sortBy(old.event);
    if (value === undefined) return;
    const subscription = parseSubscription(value);
    this.#subscriptions.set(key, subscription);
    this.#sortBy(subscription.event);
  }

  #sortBy(event: string): void {
    const named = [...this.#subscriptions.values()].filter((subscription) => subscription.event === event);
    if (named.length === 0) this.#byEvent.delete(event);
    else
      this.#byEvent.set(
        event,
        named.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      );
  }
}

export function parseSubscription(value: string): StoredSubscription {
  return JSON.parse(value) as StoredSubscription;
}

/** Why these writes cannot stand, if so: a note is not in the version that its writer believes in. Each write sees those before it. */
export function conflictOf(notes: Notes, writes: readonly NoteWrite[]): ErrandError | undefined {
  const versions = new Map<string, number>();
  for (const { key, value, ifVersion } of writes) {
    const version = versions.get(key) ?? notes.read(key)?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version) {
      return new ErrandError("note-conflict", `note ${key} is at version ${version}, not ${ifVersion}; read it again and repeat the change`, {
        details: { key, version, ifVersion },
      });
    }
    versions.set(key, value === undefined ? 0 : version + 1);
  }
  return undefined;
}
