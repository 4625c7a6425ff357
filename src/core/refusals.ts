/** What no engine stores: atoms and lists that are too large, and ids with other content. Pure, so that all engines refuse alike. */
import { afterMax, enqueueMax, keyLimitsMax } from "./defaults.ts";
import type { Atom, NewWork } from "./engine.ts";
import { ErrandError } from "./errors.ts";

export const notesMax = 100;

/** Why no engine takes any of these works, whatever it has stored. */
export function shapeRefusal(atom: Atom): ErrandError | undefined {
  return sizeRefusal(atom) ?? firstOf(atom.works, listRefusal);
}

export function sizeRefusal({ works, notes = [] }: Atom): ErrandError | undefined {
  return works.length <= enqueueMax && notes.length <= notesMax ? undefined : atomTooLarge(works.length, notes.length);
}

export function atomTooLarge(works: number, notes: number): ErrandError {
  return new ErrandError(
    "enqueue-too-many",
    `${works} items (and ${notes} notes) cannot be stored at once, ${enqueueMax} (and ${notesMax}) are the most; store them in several calls, outside the transaction`,
  );
}

/** The id was stored, or stands earlier in the same atom, with other content. */
export function contentRefusal({ kind, id, content }: NewWork, known: string | undefined): ErrandError | undefined {
  return known === undefined || known === content ? undefined : idConflict(kind, id);
}

export function idConflict(kind: NewWork["kind"], id: string): ErrandError {
  const [what, other] = kind === "join" ? ["batch", "other members"] : [kind, "another task, name or payload"];
  return new ErrandError("id-conflict", `${what} ${id} was stored before with ${other}; use a fresh id`, { details: { id } });
}

/** Two who name different numbers would each break what the other relies on. */
export function permitsConflict(name: string, asked: number, others: number): ErrandError {
  const words = (permits: number): string => `${permits} ${permits === 1 ? "permit" : "permits"}`;
  return new ErrandError(
    "permits-conflict",
    `lock ${name} is asked for with ${words(asked)}, while others hold it or wait for it with ${words(others)}; give all who ask for it the same number`,
    { details: { lock: name, asked, others } },
  );
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
  if (after > afterMax) return listRefused(work, "after", after);
  const keys = work.kind === "job" ? (work.keyLimits ?? []).map(({ key }) => key) : [];
  if (keys.length > keyLimitsMax) return listRefused(work, "keys", keys.length);
  return new Set(keys).size === keys.length ? undefined : listRefused(work, "twice", keys.length);
}

/** What a list of a work's has too many of. */
export type TooMany = "after" | "keys" | "twice";

export function listRefused({ kind, id }: Pick<NewWork, "kind" | "id">, is: TooMany, count: number): ErrandError {
  return new ErrandError("option-invalid", `${kind} ${id} ${whatIsTooMany[is](count)}`, { details: { id } });
}

const whatIsTooMany: Readonly<Record<TooMany, (count: number) => string>> = {
  after: (count) => `comes after ${count} others, of ${afterMax} allowed; put them into a batch and come after that`,
  keys: (count) => `has ${count} limits by key, of ${keyLimitsMax} allowed; drop some`,
  twice: () => "has two limits for one key; keep one of them",
};
