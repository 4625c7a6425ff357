/** What those need who hand work in by name, without its code: written when a broker that has the code opens, for engines that take it in. */
import { at } from "./at.ts";
import type { Definitions } from "./definitions.ts";
import { ErrandError } from "./errors.ts";
import type { Engine, NoteWrite } from "./engine.ts";
import { storedNotes } from "./limits/register.ts";
import { definitionPrefix, eventKey, taskKey, type StoredEvent } from "./notes.ts";
import type { Runtime } from "./runtime.ts";
import { storedTask } from "./storedTask.ts";

/** An atom holds no more. */
const notesPerAtom = 100;

/** Writes what is missing, or differs from the code. Of several brokers with different code the last one counts. */
export async function registerByName(engine: Engine, definitions: Definitions, runtime: Runtime): Promise<void> {
  if (engine.enqueuesByName !== true) return;
  const wanted = notesOf(definitions);
  if (wanted.size === 0) return;
  const { notes } = await storedNotes(engine, runtime, definitionPrefix);
  const writes = [...wanted].flatMap(([key, value]): NoteWrite[] => (notes.get(key)?.value === value ? [] : [{ key, value }]));
  if (writes.length === 0) return;
  const atoms = Array.from({ length: Math.ceil(writes.length / notesPerAtom) }, (_, index) => ({
    works: [],
    notes: writes.slice(index * notesPerAtom, (index + 1) * notesPerAtom),
  }));
  const refusal = (await engine.enqueue(atoms, at(runtime))).find((answer) => answer instanceof ErrandError);
  if (refusal !== undefined) throw refusal;
}

function notesOf({ tasks, subscriptions }: Definitions): Map<string, string> {
  const notes = new Map<string, string>();
  for (const task of tasks.values()) notes.set(taskKey(task.name), JSON.stringify(storedTask(task)));
  for (const { event } of subscriptions.values()) {
    if (event.orderedBy !== undefined) notes.set(eventKey(event.name), JSON.stringify({ orderedBy: event.orderedBy } satisfies StoredEvent));
  }
  return notes;
}
