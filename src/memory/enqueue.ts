/** Stores atoms: each is all or nothing, and stands apart from the others. */
import { enqueueMax } from "../core/defaults.ts";
import type { Atom, Enqueued, NewJob, NewJoin, NewWork, NoteWrite } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { subscriptionPrefix } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import { acceptEvent } from "./fanOut.ts";
import { acceptJob } from "./accept.ts";
import { conflictOf, parseSubscription } from "./note.ts";
import { startReplay } from "./replay.ts";
import type { Store } from "./store.ts";

const notesMax = 100;

export function enqueue(store: Store, atoms: readonly Atom[], now: Instant): (Enqueued[] | ErrandError)[] {
  return atoms.map((atom) => refusalOf(store, atom) ?? storeAtom(store, atom, now));
}

/** Why nothing of the atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
export function refusalOf(store: Store, atom: Atom): ErrandError | undefined {
  const notes = atom.notes ?? [];
  return (
    sizeRefusal(atom.works.length, notes.length) ??
    firstOf(atom.works, unsupportedWork) ??
    firstOf(notes, unsupportedNote) ??
    idConflict(store, atom.works) ??
    conflictOf(store.notes, notes)
  );
}

/** Stores what {@link refusalOf} let pass. */
export function acceptWorks(store: Store, works: readonly NewWork[], now: Instant): Enqueued[] {
  return works.map((work) => {
    if (work.kind === "join") throw joinRefusal(work);
    return work.kind === "event" ? acceptEvent(store, work, now) : acceptJob(store, work, now);
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

function sizeRefusal(works: number, notes: number): ErrandError | undefined {
  if (works <= enqueueMax && notes <= notesMax) return undefined;
  return new ErrandError("enqueue-too-many", `an atom holds at most ${enqueueMax} works and ${notesMax} notes; store ${works} and ${notes} in several`);
}

function unsupportedWork(work: NewWork): ErrandError | undefined {
  if (work.kind === "event") return undefined;
  if (work.kind === "join") return joinRefusal(work);
  const unsupported = (["gates", "needs", "join", "after", "lease"] as const).find((name) => isAsked(work[name]));
  return unsupported && notSupported(`${unsupported} (of job ${work.id})`);
}

function joinRefusal({ id }: NewJoin): ErrandError {
  return notSupported(`joins (join ${id})`);
}

function isAsked(option: NewJob["gates" | "needs" | "join" | "after" | "lease"]): boolean {
  return option !== undefined && (typeof option === "string" || Object.keys(option).length > 0);
}

function unsupportedNote({ key, value }: NoteWrite): ErrandError | undefined {
  if (!key.startsWith(subscriptionPrefix) || value === undefined) return undefined;
  const subscription = parseSubscription(value);
  if (subscription.isMapped || !(isAsked(subscription.gates) || isAsked(subscription.needs))) return undefined;
  return notSupported(`limits (of subscription ${subscription.name})`);
}

function notSupported(what: string): ErrandError {
  return new ErrandError("not-supported", `the memory engine does not do ${what}; leave it out, or use another engine`);
}

/** An id that is known with other content, in the store or earlier in the same atom. */
function idConflict(store: Store, works: readonly NewWork[]): ErrandError | undefined {
  const contents = { job: new Map<string, string>(), event: new Map<string, string>() };
  return firstOf(works, ({ kind, id, content }) => {
    if (kind === "join") return undefined;
    const known = contents[kind].get(id) ?? storedContent(store, kind, id);
    contents[kind].set(id, content);
    if (known === undefined || known === content) return undefined;
    return new ErrandError("id-conflict", `${kind} ${id} was stored before with another task, name or payload; use a fresh id`, { details: { id } });
  });
}

function storedContent(store: Store, kind: NewWork["kind"], id: string): string | undefined {
  return kind === "job" ? store.jobs.get(id)?.content : store.events.find(id)?.event.content;
}

function firstOf<T, U>(items: readonly T[], look: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
