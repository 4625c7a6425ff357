/** What no engine stores: atoms and lists that are too large, and ids with other content. Pure, so that all engines refuse alike. */
import { afterMax, enqueueMax, keyLimitsMax } from "./defaults.ts";
import type { Atom, NewWork } from "./engine.ts";
import { ErrandError } from "./errors.ts";

const notesMax = 100;

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

/** The id was stored, or stands earlier in the same atom, with other content. */
export function contentRefusal({ kind, id, content }: NewWork, known: string | undefined): ErrandError | undefined {
  if (known === undefined || known === content) return undefined;
  const [what, other] = kind === "join" ? ["batch", "other members"] : [kind, "another task, name or payload"];
  return new ErrandError("id-conflict", `${what} ${id} was stored before with ${other}; use a fresh id`, { details: { id } });
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
