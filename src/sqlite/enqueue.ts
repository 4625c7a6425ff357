/** Stores atoms: each is all or nothing, and stands apart from the others. */
import { enqueueMax } from "../core/defaults.ts";
import type { Atom, Enqueued, NewJob, NewJoin, NewWork, NoteWrite } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { subscriptionPrefix } from "../core/notes.ts";
import { acceptJob } from "./accept.ts";
import { acceptEvent } from "./fanOut.ts";
import { noteConflict, writeNote } from "./note.ts";
import { parseSubscription } from "./notices.ts";
import { isPlain, storePlain } from "./plain.ts";
import type { Transaction } from "./transaction.ts";

const notesMax = 100;

/** By errand_jobs_id, and by UNIQUE (id). */
const jobContents = "SELECT j.id, j.content FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value";
const eventContents = "SELECT v.id, v.content FROM json_each(?) e CROSS JOIN errand_events v ON v.id = e.value";

export function enqueue(tx: Transaction, atoms: readonly Atom[]): (Enqueued[] | ErrandError)[] {
  return storeAllPlain(tx, atoms) ?? atoms.map((atom) => refusalOf(tx, atom) ?? storeAtom(tx, atom));
}

/** Why nothing of the atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
export function refusalOf(tx: Transaction, atom: Atom): ErrandError | undefined {
  const notes = atom.notes ?? [];
  return sizeRefusal(atom) ?? firstOf(atom.works, unsupportedWork) ?? firstOf(notes, unsupportedNote) ?? idConflict(tx, atom.works) ?? noteConflict(tx, notes);
}

/** Stores what {@link refusalOf} let pass. */
export function acceptWorks(tx: Transaction, works: readonly NewWork[]): Enqueued[] {
  return works.map((work) => {
    if (work.kind === "join") throw joinRefusal(work);
    return work.kind === "event" ? acceptEvent(tx, work) : acceptJob(tx, work);
  });
}

/** The common case at once: plain jobs with new ids and nothing else. Undefined, and nothing stored, if it is another. */
function storeAllPlain(tx: Transaction, atoms: readonly Atom[]): Enqueued[][] | undefined {
  const jobs: NewJob[] = [];
  for (const atom of atoms) {
    if (sizeRefusal(atom) || (atom.notes?.length ?? 0) > 0) return undefined;
    for (const work of atom.works) {
      if (!isPlain(work) || unsupportedWork(work)) return undefined;
      jobs.push(work);
    }
  }
  const states = storePlain(tx, jobs);
  if (states === undefined) return undefined;
  let at = 0;
  return atoms.map(({ works }) => works.map(({ id }) => ({ id, isDuplicate: false, state: states[at++] ?? "ready" })));
}

/** Notes first: a subscription hears the events of its own atom. */
function storeAtom(tx: Transaction, atom: Atom): Enqueued[] {
  for (const note of atom.notes ?? []) writeNote(tx, note);
  return acceptWorks(tx, atom.works);
}

function sizeRefusal({ works, notes }: Atom): ErrandError | undefined {
  const noted = notes?.length ?? 0;
  if (works.length <= enqueueMax && noted <= notesMax) return undefined;
  return new ErrandError("enqueue-too-many", `an atom holds at most ${enqueueMax} works and ${notesMax} notes; store ${works.length} and ${noted} in several`);
}

function unsupportedWork(work: NewWork): ErrandError | undefined {
  if (work.kind === "event") return undefined;
  if (work.kind === "join") return joinRefusal(work);
  const { gates, needs, join, after, lease } = work;
  if (gates === undefined && needs === undefined && join === undefined && after === undefined && lease === undefined) return undefined;
  const unsupported = Object.entries({ gates, needs, join, after, lease }).find(([, option]) => isAsked(option));
  return unsupported && notSupported(`${unsupported[0]} (of job ${work.id})`);
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
  return new ErrandError("not-supported", `the sqlite engine does not do ${what}; leave it out, or use another engine`);
}

/** An id that is known with other content, in the store or earlier in the same atom. */
function idConflict(tx: Transaction, works: readonly NewWork[]): ErrandError | undefined {
  const contents = { job: contentsOf(tx, works, "job", jobContents), event: contentsOf(tx, works, "event", eventContents) };
  return firstOf(works, ({ kind, id, content }) => {
    if (kind === "join") return undefined;
    const known = contents[kind].get(id);
    contents[kind].set(id, content);
    if (known === undefined || known === content) return undefined;
    return new ErrandError("id-conflict", `${kind} ${id} was stored before with another task, name or payload; use a fresh id`, { details: { id } });
  });
}

function contentsOf(tx: Transaction, works: readonly NewWork[], kind: NewWork["kind"], sql: string): Map<string, string> {
  const ids = works.filter((work) => work.kind === kind).map(({ id }) => id);
  return new Map(ids.length === 0 ? [] : tx.sql.tuples<[id: string, content: string]>(sql, JSON.stringify(ids)));
}

function firstOf<T, U>(items: readonly T[], look: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
