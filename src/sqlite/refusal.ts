/** Why nothing of an atom can be stored, if so. Looked for first, so that what is stored needs no undoing. */
import type { Atom, NewJob, NewJoin, NewWork } from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { afterItself, afterUnknown, joinClosed, joinIncomplete } from "../core/joining.ts";
import { contentRefusal, firstOf, shapeRefusal } from "../core/refusals.ts";
import { joinStates, nodeOf, takesMembers } from "./join.ts";
import { noteConflict } from "./note.ts";
import { repeatsIn } from "./repeats.ts";
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

/** In their order: what stands earlier may be named. */
function namingRefusal(tx: Transaction, works: readonly NewWork[], stored: Known): ErrandError | undefined {
  if (works.every(isPlain)) return undefined;
  const earlier: Earlier = { job: new Set(), join: new Map() };
  const repeats = repeatsIn(tx, works);
  return firstOf(works, (work) => {
    if (work.kind === "event") return undefined;
    const refusal = repeats.has(work) ? undefined : refusalOfOne(tx, work, stored, earlier);
    if (work.kind === "job") earlier.job.add(work.id);
    else earlier.join.set(work.id, work.join);
    return refusal ?? (work.kind === "join" ? sealRefusal(tx, work, works) : undefined);
  });
}

type Named = NewJob | NewJoin;

/** What stands earlier in the atom: ids of jobs, and of joins with the join around each. */
interface Earlier {
  readonly job: Set<string>;
  readonly join: Map<string, string | undefined>;
}

/** The common case, without an allocation. */
function isPlain(work: NewWork): boolean {
  return work.kind === "event" || (work.kind === "job" && work.join === undefined && work.after === undefined);
}

/** The same again is the same, whatever became of what it named. But a job may be given to a join that it was never given to: that must be known. */
function refusalOfOne(tx: Transaction, work: Named, stored: Known, earlier: Earlier): ErrandError | undefined {
  if (stored[work.kind].has(work.id)) return work.kind === "job" ? unknownJoin(tx, work, earlier) : undefined;
  return unknownJoin(tx, work, earlier) ?? closedJoin(tx, work) ?? unknownAfter(tx, work, earlier) ?? circle(tx, work, earlier);
}

function unknownJoin(tx: Transaction, { kind, id, join }: Named, earlier: Earlier): ErrandError | undefined {
  if (join === undefined || earlier.join.has(join) || tx.joins.find(tx.sql, join)) return undefined;
  return afterUnknown(join, `${kind} ${id}`);
}

function closedJoin(tx: Transaction, { join }: Named): ErrandError | undefined {
  const stored = join === undefined ? undefined : tx.joins.find(tx.sql, join);
  return stored === undefined || takesMembers(stored) ? undefined : joinClosed(stored.id);
}

function unknownAfter(tx: Transaction, { kind, id, after = [] }: Named, { job, join }: Earlier): ErrandError | undefined {
  const unknown = after.find((before) => !job.has(before.id) && !join.has(before.id) && nodeOf(tx, before.id) === 0);
  return unknown && afterUnknown(unknown.id, `${kind} ${id}`);
}

/** A member that comes after its own join, or after one around it, would wait for itself. */
function circle(tx: Transaction, { kind, id, join, after }: Named, earlier: Earlier): ErrandError | undefined {
  if (after === undefined) return undefined;
  for (let around = join; around !== undefined;) {
    const current = around;
    if (after.some((before) => before.id === current)) return afterItself(`${kind} ${id}`, current);
    around = joinAround(tx, current, earlier);
  }
  return undefined;
}

/** A stored join stays where it is, whatever the atom says of it: in the atom alone there could be a circle. */
function joinAround(tx: Transaction, id: string, earlier: Earlier): string | undefined {
  const stored = tx.joins.find(tx.sql, id);
  if (stored === undefined) return earlier.join.get(id);
  return stored.parent === null ? undefined : tx.joins.at(tx.sql, stored.parent)?.id;
}

/** All that name it in this atom count, wherever they stand, and duplicates too: they were given. */
function sealRefusal(tx: Transaction, { id, isSealed, size }: NewJoin, works: readonly NewWork[]): ErrandError | undefined {
  const stored = tx.joins.find(tx.sql, id);
  if (!isSealed || size === undefined || (stored && (stored.state !== joinStates.staged || !takesMembers(stored)))) return undefined;
  const given = (stored?.given ?? 0) + works.filter((work) => work.kind !== "event" && work.join === id).length;
  return given < size ? joinIncomplete(id, given, size) : undefined;
}
