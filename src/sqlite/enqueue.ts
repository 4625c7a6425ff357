/** Stores atoms: each is all or nothing, and stands apart from the others. */
import type { Atom, Enqueued, NewJob, NewWork } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { atomRefusal, contentRefusal, firstOf, joinRefusal, sizeRefusal, workRefusal } from "../core/refusals.ts";
import { acceptJob } from "./accept.ts";
import { acceptEvent } from "./fanOut.ts";
import { noteConflict, writeNote } from "./note.ts";
import { isPlain, storePlain } from "./plain.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_jobs_id, and by UNIQUE (id). */
const jobContents = "SELECT j.id, j.content FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value";
const eventContents = "SELECT v.id, v.content FROM json_each(?) e CROSS JOIN errand_events v ON v.id = e.value";

export function enqueue(tx: Transaction, atoms: readonly Atom[]): (Enqueued[] | ErrandError)[] {
  return storeAllPlain(tx, atoms) ?? atoms.map((atom) => refusalOf(tx, atom) ?? storeAtom(tx, atom));
}

/** Why nothing of the atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
export function refusalOf(tx: Transaction, atom: Atom): ErrandError | undefined {
  return atomRefusal("sqlite", atom) ?? idConflict(tx, atom.works) ?? noteConflict(tx, atom.notes ?? []);
}

/** Stores what {@link refusalOf} let pass. */
export function acceptWorks(tx: Transaction, works: readonly NewWork[]): Enqueued[] {
  return works.map((work) => {
    if (work.kind === "event") return acceptEvent(tx, work);
    if (work.kind === "job") return acceptJob(tx, work);
    throw joinRefusal("sqlite", work);
  });
}

/** The common case at once: plain jobs with new ids and nothing else. Undefined, and nothing stored, if it is another. */
function storeAllPlain(tx: Transaction, atoms: readonly Atom[]): Enqueued[][] | undefined {
  const jobs: NewJob[] = [];
  for (const atom of atoms) {
    if (sizeRefusal(atom) || (atom.notes?.length ?? 0) > 0) return undefined;
    for (const work of atom.works) {
      if (!isPlain(work) || workRefusal("sqlite", work)) return undefined;
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

/** An id that is known with other content, in the store or earlier in the same atom. */
function idConflict(tx: Transaction, works: readonly NewWork[]): ErrandError | undefined {
  const contents = { job: contentsOf(tx, works, "job", jobContents), event: contentsOf(tx, works, "event", eventContents) };
  return firstOf(works, (work) => {
    const { kind, id, content } = work;
    if (kind === "join") return undefined;
    const known = contents[kind].get(id);
    contents[kind].set(id, content);
    return contentRefusal(work, known);
  });
}

function contentsOf(tx: Transaction, works: readonly NewWork[], kind: NewWork["kind"], sql: string): Map<string, string> {
  const ids = works.filter((work) => work.kind === kind).map(({ id }) => id);
  return new Map(ids.length === 0 ? [] : tx.sql.tuples<[id: string, content: string]>(sql, JSON.stringify(ids)));
}
