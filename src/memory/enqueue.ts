/** Stores atoms: each is all or nothing, and stands apart from the others. */
import type { Atom, Enqueued, NewWork, NoteWrite } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { subscriptionPrefix } from "../core/notes.ts";
import { atomRefusal, contentRefusal, firstOf, joinRefusal } from "../core/refusals.ts";
import type { Instant } from "../core/runtime.ts";
import { acceptEvent } from "./fanOut.ts";
import { acceptJob } from "./accept.ts";
import { conflictOf, parseSubscription } from "./note.ts";
import { startReplay } from "./replay.ts";
import type { Store } from "./store.ts";

export function enqueue(store: Store, atoms: readonly Atom[], now: Instant): (Enqueued[] | ErrandError)[] {
  return atoms.map((atom) => refusalOf(store, atom) ?? storeAtom(store, atom, now));
}

/** Why nothing of the atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
export function refusalOf(store: Store, atom: Atom): ErrandError | undefined {
  return atomRefusal("memory", atom) ?? idConflict(store, atom.works) ?? conflictOf(store.notes, atom.notes ?? []);
}

/** Stores what {@link refusalOf} let pass. */
export function acceptWorks(store: Store, works: readonly NewWork[], now: Instant): Enqueued[] {
  return works.map((work) => {
    if (work.kind === "event") return acceptEvent(store, work, now);
    if (work.kind === "job") return acceptJob(store, work, now);
    throw joinRefusal("memory", work);
  });
}

/** Notes first: a subscription hears the events of its own atom. */
function storeAtom(store: Store, atom: Atom, now: Instant): Enqueued[] {
  for (const note of atom.notes ?? []) writeNote(store, note, now);
  return acceptWorks(store, atom.works, now);
}

function writeNote(store: Store, { key, value }: NoteWrite, now: Instant): void {
  const isFirst = store.notes.read(key) === undefined;
  store.notes.write(key, value, now);
  if (key.startsWith(subscriptionPrefix) && isFirst && value !== undefined) startReplay(store, parseSubscription(value), now);
  // It may have been a pause that ended.
  if (value === undefined) store.wake();
}

/** An id that is known with other content, in the store or earlier in the same atom. */
function idConflict(store: Store, works: readonly NewWork[]): ErrandError | undefined {
  const contents = { job: new Map<string, string>(), event: new Map<string, string>() };
  return firstOf(works, (work) => {
    const { kind, id, content } = work;
    if (kind === "join") return undefined;
    const known = contents[kind].get(id) ?? storedContent(store, kind, id);
    contents[kind].set(id, content);
    return contentRefusal(work, known);
  });
}

function storedContent(store: Store, kind: NewWork["kind"], id: string): string | undefined {
  return kind === "job" ? store.jobs.get(id)?.content : store.events.find(id)?.event.content;
}
