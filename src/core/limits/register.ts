/** What the code says of limits and resources, stored when a broker that has the code opens; an operator's edits outlive restarts and deploys (G9). */
import { at } from "../at.ts";
import { pageMax } from "../defaults.ts";
import type { Definitions } from "../definitions.ts";
import type { Atom, Engine, Note, NoteWrite } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { limitKey, resourceKey, resourcePrefix, type StoredLimit } from "../notes.ts";
import type { Instant, Runtime } from "../runtime.ts";
import { gatePrefix } from "./limit.ts";
import { capacityAt, type AnyResource, type KeptResource } from "./resource.ts";

/** The note of a task's limit: what counts now, and what the code says. */
export type KeptLimit = StoredLimit & { readonly defined?: StoredLimit; readonly isEdited?: true };

/** Of all tasks. */
export const taskLimitPrefix: string = limitKey("task/");
export const taskOfKey = (key: string): string => key.slice(taskLimitPrefix.length).replace(/\/.*$/, "");
const triesMax = 5;
/** An atom holds no more. */
const notesPerAtom = 100;

/** Writes the limits and resources that are missing or whose definition differs from the stored one. Several brokers may do so at once. */
export async function registerLimits(engine: Engine, definitions: Definitions, runtime: Runtime): Promise<void> {
  if (definitions.tasks.size + definitions.resources.size === 0) return;
  for (let tries = 1; ; tries++) {
    const limits = await storedNotes(engine, runtime, taskLimitPrefix);
    const resources = definitions.resources.size === 0 ? limits : await storedNotes(engine, runtime, resourcePrefix);
    const writes = [...limitWrites(definitions, limits.notes), ...resourceWrites(definitions, resources.notes, resources.now)];
    if (writes.length === 0) return;
    const answers = await engine.enqueue(atomsOf(writes), at(runtime));
    const refusal = answers.find((answer) => answer instanceof ErrandError);
    if (refusal === undefined) return;
    if (refusal.code !== "note-conflict" || tries === triesMax) throw refusal;
  }
}

export async function storedNotes(engine: Engine, runtime: Runtime, prefix: string): Promise<{ readonly notes: Map<string, Note>; readonly now: Instant }> {
  const notes = new Map<string, Note>();
  let after: string | undefined;
  for (;;) {
    const page = await engine.find({ of: "notes", prefix, limit: pageMax, ...(after !== undefined && { after }) }, at(runtime));
    for (const note of page.rows) notes.set(note.key, note);
    if (page.next === undefined) return { notes, now: page.now };
    after = page.next;
  }
}

function atomsOf(writes: readonly NoteWrite[]): Atom[] {
  return Array.from({ length: Math.ceil(writes.length / notesPerAtom) }, (_, index) => ({
    works: [],
    notes: writes.slice(index * notesPerAtom, (index + 1) * notesPerAtom),
  }));
}

function limitWrites(definitions: Definitions, stored: ReadonlyMap<string, Note>): NoteWrite[] {
  const writes: NoteWrite[] = [];
  for (const task of definitions.tasks.values()) {
    const defined = new Map(task.policy.gates.map(({ name, limit }) => [limitKey(name), limit]));
    const own = limitKey(gatePrefix(task.name));
    const keys = new Set([...defined.keys(), ...[...stored.keys()].filter((key) => key.startsWith(own))]);
    for (const key of keys) {
      const note = stored.get(key);
      const value = limitValue(note && keptLimit(note), defined.get(key));
      if (value !== note?.value) writes.push({ key, value, ifVersion: note?.version ?? 0 });
    }
  }
  return writes;
}

/** Undefined: neither the code nor a person wants it any more. */
export function limitValue(kept: KeptLimit | undefined, defined: StoredLimit | undefined): string | undefined {
  if (kept?.isEdited) return JSON.stringify({ ...bareLimit(kept), ...(defined && { defined }), isEdited: true });
  return defined && JSON.stringify({ ...defined, defined });
}

export function keptLimit(note: Note): KeptLimit {
  return JSON.parse(note.value) as KeptLimit;
}

export function bareLimit(limit: StoredLimit): StoredLimit {
  return "running" in limit ? { running: limit.running } : { starts: limit.starts, everyMs: limit.everyMs };
}

function resourceWrites(definitions: Definitions, stored: ReadonlyMap<string, Note>, now: Instant): NoteWrite[] {
  const writes: NoteWrite[] = [];
  for (const defined of definitions.resources.values()) {
    const key = resourceKey(defined.name);
    const note = stored.get(key);
    const kept = note && keptResource(note);
    if (kept !== undefined && isSame(kept.defined, defined)) continue; // its calendar is the workers' matter
    writes.push({ key, value: resourceValue(kept, defined.options, now), ifVersion: note?.version ?? 0 });
  }
  return writes;
}

function isSame(stored: KeptResource["defined"], { options }: AnyResource): boolean {
  return JSON.stringify(stored) === JSON.stringify(options);
}

export function resourceValue(kept: KeptResource | undefined, defined: KeptResource["defined"], now: Instant): string | undefined {
  if (kept?.isEdited) return JSON.stringify({ capacity: kept.capacity, ...(defined && { defined }), isEdited: true });
  return defined && JSON.stringify({ capacity: capacityAt(defined, now), defined });
}

export function keptResource(note: Note): KeptResource {
  return JSON.parse(note.value) as KeptResource;
}
