/** What the engine itself reads in the notes: subscriptions, pauses, limits and resources, parsed once for each stamp. */
import { limitPrefix, resourcePrefix, subscriptionPrefix } from "../core/notes.ts";
import type { StoredLimit, StoredResource, StoredSubscription } from "../core/notes.ts";
import type { Numbers } from "./numbers.ts";
import type { Statements } from "./statements.ts";

/** By key. */
const notesBetween = "SELECT key, value FROM errand_notes WHERE key >= ? AND key < ? ORDER BY key";
const pausePrefix = "pause/";

export interface Notices {
  readonly pauses: ReadonlySet<string>;
  readonly subscriptionsTo: ReadonlyMap<string, readonly StoredSubscription[]>;
  /** By name. */
  readonly limits: ReadonlyMap<string, StoredLimit>;
  readonly resources: ReadonlyMap<string, number>;
}

export class NoticeCache {
  #stamp = "";
  #notices: Notices = { pauses: new Set(), subscriptionsTo: new Map(), limits: new Map(), resources: new Map() };

  at(sql: Statements, { notesVersion, notesStamp }: Numbers): Notices {
    const stamp = `${notesVersion} ${notesStamp}`;
    if (stamp !== this.#stamp) {
      this.#notices = { pauses: pausesOf(sql), subscriptionsTo: subscriptionsOf(sql), limits: limitsOf(sql), resources: resourcesOf(sql) };
      this.#stamp = stamp;
    }
    return this.#notices;
  }
}

export function parseSubscription(value: string): StoredSubscription {
  return JSON.parse(value) as StoredSubscription;
}

/** The first text above all that begin with `prefix`, which ends in a slash. */
export function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}

function pausesOf(sql: Statements): Set<string> {
  return new Set(sql.tuples<[string, string]>(notesBetween, pausePrefix, endOf(pausePrefix)).map(([key]) => key));
}

function subscriptionsOf(sql: Statements): Map<string, StoredSubscription[]> {
  const byEvent = new Map<string, StoredSubscription[]>();
  for (const [, value] of sql.tuples<[string, string]>(notesBetween, subscriptionPrefix, endOf(subscriptionPrefix))) {
    const subscription = parseSubscription(value);
    byEvent.set(subscription.event, [...(byEvent.get(subscription.event) ?? []), subscription]);
  }
  return byEvent;
}

function limitsOf(sql: Statements): Map<string, StoredLimit> {
  return new Map(valuesUnder(sql, limitPrefix).map(([name, value]) => [name, value as StoredLimit]));
}

function resourcesOf(sql: Statements): Map<string, number> {
  return new Map(valuesUnder(sql, resourcePrefix).map(([name, value]) => [name, (value as StoredResource).capacity]));
}

function valuesUnder(sql: Statements, prefix: string): [name: string, value: unknown][] {
  return sql.tuples<[string, string]>(notesBetween, prefix, endOf(prefix)).map(([key, value]) => [key.slice(prefix.length), JSON.parse(value) as unknown]);
}
