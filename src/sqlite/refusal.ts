/** Why nothing of an atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
import type { Atom, NewJob, NewJoin, NewWork } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { afterUnknown, joinClosed, joinIncomplete } from "../core/joining.ts";
import { contentRefusal, firstOf, shapeRefusal } from "../core/refusals.ts";
import { joinStates, nodeOf, takesMembers } from "./join.ts";
import { noteConflict } from "./note.ts";
import type { Transaction } from "./transaction.ts";

type Kind = NewWork["kind"];
type Known = Readonly<Record<Kind, Map<string, string>>>;

/** By errand_jobs_id, and by UNIQUE (id). */
const contents: Readonly<Record<Kind, string>> = {
  job: "SELECT j.id, j.content FROM json_each(?) e CROSS JOIN errand_jobs j ON j.id = e.value",
  event: "SELECT v.id, v.content FROM json_each(?) e CROSS JOIN errand_events v ON v.id = e.value",
  join: "SELECT n.id, n.content FROM json_each(?) e CROSS JOIN errand_joins n ON n.id = e.value",
};

export function refusalOf(tx: Transaction, atom: Atom): ErrandError | undefined {
  return shapeRefusal(atom) ?? worksRefusal(tx, atom.works) ?? noteConflict(tx, atom.notes ?? []);
}

function worksRefusal(tx: Transaction, works: readonly NewWork[]): ErrandError | undefined {
  const stored: Known = { job: contentsOf(tx, works, "job"), event: contentsOf(tx, works, "event"), join: contentsOf(tx, works, "join") };
  return idConflict(works, stored) ?? namingRefusal(tx, works, stored);
}

function contentsOf(tx: Transaction, works: readonly NewWork[], kind: Kind): Map<string, string> {
  const ids = works.filter((work) => work.kind === kind).map(({ id }) => id);
  return new Map(ids.length === 0 ? [] : tx.sql.tuples<[id: string, content: string]>(contents[kind], JSON.stringify(ids)));
}

/** An id that is known with other content, in the store or earlier in the same atom. */
function idConflict(works: readonly NewWork[], stored: Known): ErrandError | undefined {
  const earlier: Known = { job: new Map(), event: new Map(), join: new Map() };
  return firstOf(works, (work) => {
    const { kind, id, content } = work;
    const known = earlier[kind].get(id) ?? stored[kind].get(id);
    earlier[kind].set(id, content);
    return contentRefusal(work, known);
  });
}

/** In their order: what stands earlier may be named. The same again is the same, whatever became of what it named. */
function namingRefusal(tx: Transaction, works: readonly NewWork[], stored: Known): ErrandError | undefined {
  if (works.every(isPlain)) return undefined;
  const earlier: Earlier = { job: new Set(), join: new Set() };
  return firstOf(works, (work) => {
    if (work.kind === "event") return undefined;
    const refusal = isKnown(tx, work, stored) ? undefined : (joinRefusal(tx, work, earlier) ?? afterRefusal(tx, work, earlier));
    earlier[work.kind].add(work.id);
    return refusal ?? (work.kind === "join" ? sealRefusal(tx, work, works) : undefined);
  });
}

type Named = NewJob | NewJoin;
type Earlier = Readonly<Record<"job" | "join", Set<string>>>;

/** The common case, without an allocation. */
function isPlain(work: NewWork): boolean {
  return work.kind === "event" || (work.kind === "job" && work.join === undefined && work.after === undefined);
}

/** But for a join that it was never given to: that must be known. */
function isKnown(tx: Transaction, { kind, id, join }: Named, stored: Known): boolean {
  return stored[kind].has(id) && (kind === "join" || join === undefined || tx.joins.find(tx.sql, join) !== undefined);
}

function joinRefusal(tx: Transaction, { kind, id, join }: Named, earlier: Earlier): ErrandError | undefined {
  if (join === undefined) return undefined;
  const stored = tx.joins.find(tx.sql, join);
  if (stored) return takesMembers(stored) ? undefined : joinClosed(join);
  return earlier.join.has(join) ? undefined : afterUnknown(join, `${kind} ${id}`);
}

function afterRefusal(tx: Transaction, { kind, id, after = [] }: Named, { job, join }: Earlier): ErrandError | undefined {
  const unknown = after.find((before) => !(job.has(before.id) || join.has(before.id) || nodeOf(tx, before.id) !== 0));
  return unknown && afterUnknown(unknown.id, `${kind} ${id}`);
}

/** All that name it in this atom count, wherever they stand, and duplicates too: they were given. */
function sealRefusal(tx: Transaction, { id, isSealed, size }: NewJoin, works: readonly NewWork[]): ErrandError | undefined {
  const stored = tx.joins.find(tx.sql, id);
  if (!isSealed || size === undefined || (stored && (stored.state !== joinStates.staged || !takesMembers(stored)))) return undefined;
  const given = (stored?.given ?? 0) + works.filter((work) => work.kind !== "event" && work.join === id).length;
  return given < size ? joinIncomplete(id, given, size) : undefined;
}
