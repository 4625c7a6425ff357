/**
 * What workers know of tasks, told when they start: so that a place without the code, such as the command line, can explain why a job waits, and
 * see that nobody knows its task.
 */
import { at } from "../at.ts";
import type { Definitions } from "../definitions.ts";
import { ErrandError } from "../errors.ts";
import type { Engine, NoteWrite } from "../engine.ts";
import type { Hours } from "../limits/hours.ts";
import { storedNotes } from "../limits/register.ts";
import type { Runtime } from "../runtime.ts";
import type { AnyTask } from "../task.ts";

/** What its jobs must have room under, besides what stands with each job. */
export interface KnownTask {
  /** Names of limits. */
  readonly gates: readonly string[];
  readonly needs?: Readonly<Record<string, number>>;
  readonly hours?: readonly Hours[];
  readonly breaker?: string;
  /** Of its needs, what the worker has itself; nobody counts that in the store. */
  readonly own?: Readonly<Record<string, number>>;
}

const prefix = "task/";
export const knownNote = (task: string): string => `${prefix}${task}`;
/** An atom holds no more. */
const notesPerAtom = 100;

/** `has`: what the worker has itself. */
export function knownOf({ policy }: AnyTask, has: KnownTask["own"] = {}): KnownTask {
  const { gates, needs, hours, breaker } = policy;
  const own = Object.entries(has).filter(([name]) => needs?.[name] !== undefined);
  return {
    gates: gates.map(({ name }) => name),
    ...(needs && { needs }),
    ...(hours && { hours }),
    ...(breaker && { breaker: breaker.name }),
    ...(own.length > 0 && { own: Object.fromEntries(own) }),
  };
}

/** Of several workers that start at once with different code, one is told; it is for explanations only. */
export async function tellKnown(engine: Engine, definitions: Definitions, runtime: Runtime, has: KnownTask["own"]): Promise<void> {
  const { notes } = await storedNotes(engine, runtime, prefix);
  const writes = [...definitions.tasks.values()].flatMap((task): NoteWrite[] => {
    const [key, value] = [knownNote(task.name), JSON.stringify(knownOf(task, has))];
    return notes.get(key)?.value === value ? [] : [{ key, value }];
  });
  if (writes.length === 0) return;
  const atoms = Array.from({ length: Math.ceil(writes.length / notesPerAtom) }, (_, index) => ({
    works: [],
    notes: writes.slice(index * notesPerAtom, (index + 1) * notesPerAtom),
  }));
  const refusal = (await engine.enqueue(atoms, at(runtime))).find((answer) => answer instanceof ErrandError);
  if (refusal !== undefined) throw refusal;
}
