/** Durable subscriptions: written when a broker that has their code opens, so that any publisher fans out to them (G10). */
import { at } from "./at.ts";
import { pageMax } from "./defaults.ts";
import type { Definitions } from "./definitions.ts";
import type { Atom, Engine, Note, NoteWrite } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { subscriptionKey, subscriptionPrefix } from "./notes.ts";
import type { Runtime } from "./runtime.ts";

const triesMax = 5;
/** An atom holds no more. */
const notesPerAtom = 100;

/** Writes the subscriptions that are missing or differ from the code. Several brokers may do so at once. */
export async function registerSubscriptions(engine: Engine, definitions: Definitions, runtime: Runtime): Promise<void> {
  if (definitions.subscriptions.size === 0) return;
  for (let tries = 1; ; tries++) {
    const atoms = atomsOf(differing(definitions, await storedSubscriptions(engine, runtime)));
    if (atoms.length === 0) return;
    const answers = await engine.enqueue(atoms, at(runtime));
    const refusal = answers.find((answer) => answer instanceof ErrandError);
    if (refusal === undefined) return;
    if (refusal.code !== "note-conflict" || tries === triesMax) throw refusal;
  }
}

function atomsOf(writes: readonly NoteWrite[]): Atom[] {
  return Array.from({ length: Math.ceil(writes.length / notesPerAtom) }, (_, index) => ({
    works: [],
    notes: writes.slice(index * notesPerAtom, (index + 1) * notesPerAtom),
  }));
}

async function storedSubscriptions(engine: Engine, runtime: Runtime): Promise<Map<string, Note>> {
  const notes = new Map<string, Note>();
  let after: string | undefined;
  do {
    const page = await engine.find({ of: "notes", prefix: subscriptionPrefix, limit: pageMax, ...(after !== undefined && { after }) }, at(runtime));
    for (const note of page.rows) notes.set(note.key, note);
    after = page.next;
  } while (after !== undefined);
  return notes;
}

function differing(definitions: Definitions, stored: ReadonlyMap<string, Note>): NoteWrite[] {
  const writes: NoteWrite[] = [];
  for (const { name, stored: wanted } of definitions.subscriptions.values()) {
    const key = subscriptionKey(name);
    const value = JSON.stringify(wanted);
    const note = stored.get(key);
    if (note?.value !== value) writes.push({ key, value, ifVersion: note?.version ?? 0 });
  }
  return writes;
}
