/** What no engine stores: atoms that are too large, and works that need what no engine has yet. Pure, so that all engines refuse alike. */
import { afterMax, enqueueMax, keyLimitsMax } from "./defaults.ts";
import type { Atom, NewJob, NewJoin, NewWork, NoteWrite, Query } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { subscriptionPrefix, type StoredSubscription } from "./notes.ts";

const notesMax = 100;

/** Why `engine` takes nothing of the atom, whatever it has stored. */
export function atomRefusal(engine: string, atom: Atom): ErrandError | undefined {
  return sizeRefusal(atom) ?? firstOf(atom.works, (work) => workRefusal(engine, work)) ?? firstOf(atom.notes ?? [], (note) => noteRefusal(engine, note));
}

/** Why no engine takes any of these works, whatever it has stored. */
export function shapeRefusal(atom: Atom): ErrandError | undefined {
  return sizeRefusal(atom) ?? firstOf(atom.works, listRefusal);
}

export function sizeRefusal({ works, notes = [] }: Atom): ErrandError | undefined {
  if (works.length <= enqueueMax && notes.length <= notesMax) return undefined;
  return new ErrandError(
    "enqueue-too-many",
    `${works.length} items (and ${notes.length} notes) cannot be stored at once, ${enqueueMax} (and ${notesMax}) are the most; store them in several calls, outside the transaction`,
  );
}

export function workRefusal(engine: string, work: NewWork): ErrandError | undefined {
  if (work.kind === "event") return undefined;
  if (work.kind === "join") return joinRefusal(engine, work);
  const { keyLimits, join, after, lease } = work;
  // The common case, without an allocation.
  if (keyLimits === undefined && join === undefined && after === undefined && lease === undefined) return undefined;
  const asked = Object.entries({ keyLimits, join, after, lease }).find(([, option]) => isAsked(option));
  return asked && notSupported(engine, `${asked[0]} (of job ${work.id})`);
}

export function joinRefusal(engine: string, { id }: NewJoin): ErrandError {
  return notSupported(engine, `joins (join ${id})`);
}

/** The id was stored, or stands earlier in the same atom, with other content. */
export function contentRefusal({ kind, id, content }: NewWork, known: string | undefined): ErrandError | undefined {
  if (known === undefined || known === content) return undefined;
  const [what, other] = kind === "join" ? ["batch", "other members"] : [kind, "another task, name or payload"];
  return new ErrandError("id-conflict", `${what} ${id} was stored before with ${other}; use a fresh id`, { details: { id } });
}

export function selectionRefusal(engine: string): ErrandError {
  return notSupported(engine, "changing the members of a join");
}

export function queryRefusal(engine: string, { of }: Query): ErrandError {
  return notSupported(engine, `reading ${of}`);
}

export function firstOf<T, U>(items: readonly T[], look: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listRefusal(work: NewWork): ErrandError | undefined {
  if (work.kind === "event") return undefined;
  // The common case, without an allocation.
  if (work.after === undefined && (work.kind === "join" || work.keyLimits === undefined)) return undefined;
  const after = work.after?.length ?? 0;
  if (after > afterMax) return tooMany(work, `comes after ${after} others, of ${afterMax} allowed; put them into a batch and come after that`);
  const keys = work.kind === "job" ? (work.keyLimits ?? []).map(({ key }) => key) : [];
  if (keys.length > keyLimitsMax) return tooMany(work, `has ${keys.length} limits by key, of ${keyLimitsMax} allowed; drop some`);
  return new Set(keys).size === keys.length ? undefined : tooMany(work, "has two limits for one key; keep one of them");
}

function tooMany({ kind, id }: NewWork, what: string): ErrandError {
  return new ErrandError("option-invalid", `${kind} ${id} ${what}`, { details: { id } });
}

function noteRefusal(engine: string, { key, value }: NoteWrite): ErrandError | undefined {
  if (!key.startsWith(subscriptionPrefix) || value === undefined) return undefined;
  const subscription = JSON.parse(value) as StoredSubscription;
  if (subscription.isMapped || subscription.keyLimits === undefined) return undefined;
  return notSupported(engine, `limits (of subscription ${subscription.name})`);
}

function isAsked(option: NewJob["keyLimits" | "join" | "after" | "lease"]): boolean {
  return option !== undefined && (typeof option === "string" || Object.keys(option).length > 0);
}

function notSupported(engine: string, what: string): ErrandError {
  return new ErrandError("not-supported", `the ${engine} engine does not do ${what}; leave it out, or use another engine`);
}
