/** Which subscriptions events have, as far as scripts told: the ids of their jobs are computed here, at a hundredth of what that costs the server's Lua. */
import type { Atom, NewWork } from "../core/engine.ts";
import { derivedId } from "../core/keys.ts";

const eventsMax = 1_000;
const namesMax = 100;

/** By the name of an event, names of its subscriptions. An empty list of Lua is an object. */
export type ToldSubscribers = Readonly<Record<string, readonly string[] | object>>;

/** An event, with ids of jobs by the names of their subscriptions. One that is missing is computed there, one too many is for nothing. */
type WithIds = NewWork & { readonly jobIds?: Readonly<Record<string, string>> };

export class Subscribers {
  readonly #byEvent = new Map<string, readonly string[]>();

  /** Told where one was missing. */
  learn(told: ToldSubscribers): void {
    if (this.#byEvent.size >= eventsMax) this.#byEvent.clear();
    for (const [event, names] of Object.entries(told)) if (Array.isArray(names)) this.#byEvent.set(event, names.slice(0, namesMax));
  }

  withIds(atoms: readonly Atom[]): readonly Atom[] {
    if (this.#byEvent.size === 0) return atoms;
    return atoms.map((atom) => (atom.works.some(({ kind }) => kind === "event") ? { ...atom, works: atom.works.map((work) => this.#withIds(work)) } : atom));
  }

  #withIds(work: NewWork): WithIds {
    const names = work.kind === "event" ? this.#byEvent.get(work.name) : undefined;
    return names === undefined ? work : { ...work, jobIds: Object.fromEntries(names.map((name) => [name, derivedId(work.id, name)])) };
  }
}
