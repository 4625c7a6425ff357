/** Stores atoms: each is all or nothing, and stands apart from the others. */
import type { Atom, Enqueued, NewWork, NoteWrite } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { limitPrefix, resourcePrefix, subscriptionPrefix } from "../core/notes.ts";
import { contentRefusal, firstOf, shapeRefusal } from "../core/refusals.ts";
import type { Instant } from "../core/runtime.ts";
import { acceptJob } from "./accept.ts";
import type { Accepted, Winners } from "./accept.ts";
import { acceptJoin } from "./acceptJoin.ts";
import { aftermath } from "./aftermath.ts";
import { leaseBorn } from "./bornLease.ts";
import { acceptEvent } from "./fanOut.ts";
import { conflictOf, parseSubscription } from "./note.ts";
import { repeatsIn } from "./repeats.ts";
import { startReplay } from "./replay.ts";
import type { Store } from "./store.ts";
import { namingRefusal } from "./unknown.ts";

export function enqueue(store: Store, atoms: readonly Atom[], now: Instant): (Enqueued[] | ErrandError)[] {
  const leased = new Map<string, number>();
  return atoms.map((atom) => refusalOf(store, atom) ?? storeAtom(store, atom, leased, now));
}

/** Why nothing of the atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
export function refusalOf(store: Store, atom: Atom): ErrandError | undefined {
  return shapeRefusal(atom) ?? idConflict(store, atom.works) ?? namingRefusal(store, atom.works) ?? conflictOf(store.notes, atom.notes ?? []);
}

/** Stores what {@link refusalOf} let pass. `from` outside: not by a run, whose members do not count for the size of a join. */
export function acceptWorks(store: Store, works: readonly NewWork[], from: "outside" | "run", now: Instant): Accepted[] {
  const winners: Winners = new Map();
  const repeats = repeatsIn(store, works);
  return works.map((work) => {
    if (repeats.has(work)) return { id: work.id, isDuplicate: true, job: undefined };
    if (work.kind === "event") return { ...acceptEvent(store, work, now), job: undefined };
    if (work.join !== undefined) give(store, work.join, from, now);
    if (work.kind === "job") return acceptJob(store, work, now, winners);
    return { id: work.id, isDuplicate: acceptJoin(store, work, now, winners), job: undefined };
  });
}

/** Notes first: a subscription hears the events of its own atom. What became of its jobs is told when all of it is stored. */
function storeAtom(store: Store, atom: Atom, leased: Map<string, number>, now: Instant): Enqueued[] {
  for (const note of atom.notes ?? []) writeNote(store, note, now);
  const accepted = acceptWorks(store, atom.works, "outside", now);
  aftermath(store, now);
  const leases = leaseBorn(store, atom.works, accepted, leased, now);
  return accepted.map(({ id, isDuplicate, job }, index) => ({
    id,
    isDuplicate,
    ...(job && { state: job.state }),
    ...(leases?.has(index) && { leased: { fence: leases.get(index) ?? 0, now } }),
  }));
}

function give(store: Store, joinId: string, from: "outside" | "run", now: Instant): void {
  const join = store.joins.find(joinId);
  if (join === undefined) return;
  if (!join.isSealed && from === "outside") join.given += 1;
  store.joins.touch(join, now);
}

function writeNote(store: Store, { key, value }: NoteWrite, now: Instant): void {
  const isFirst = store.notes.read(key) === undefined;
  store.notes.write(key, value, now);
  if (key.startsWith(subscriptionPrefix) && isFirst && value !== undefined) startReplay(store, parseSubscription(value), now);
  // It may have been a pause that ended, or a limit that gives more room.
  if (value === undefined || key.startsWith(limitPrefix) || key.startsWith(resourcePrefix)) store.wake();
}

/** An id that is known with other content, in the store or earlier in the same atom. */
function idConflict(store: Store, works: readonly NewWork[]): ErrandError | undefined {
  const contents = { job: new Map<string, string>(), event: new Map<string, string>(), join: new Map<string, string>() };
  return firstOf(works, (work) => {
    const { kind, id, content } = work;
    const known = contents[kind].get(id) ?? storedContent(store, kind, id);
    contents[kind].set(id, content);
    return contentRefusal(work, known);
  });
}

function storedContent(store: Store, kind: NewWork["kind"], id: string): string | undefined {
  if (kind === "job") return store.jobs.get(id)?.content;
  return kind === "join" ? store.joins.find(id)?.content : store.events.find(id)?.event.content;
}
