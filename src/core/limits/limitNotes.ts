/** The notes of limits and resources as a worker last read them; what its own definitions say is stored again where it is missing. */
import type { Note } from "../engine.ts";
import { didYouMean } from "../names.ts";
import { limitKey, resourceKey, resourcePrefix } from "../notes.ts";
import type { Instant } from "../runtime.ts";
import type { AnyTask } from "../task.ts";
import type { WorkerParts } from "../worker/settings.ts";
import { gatePrefix } from "./limit.ts";
import type { OwnResources } from "./ownResources.ts";
import { keptResource, registerLimits, storedNotes, taskLimitPrefix } from "./register.ts";

export class LimitNotes {
  readonly #parts: WorkerParts;
  readonly #own: OwnResources;
  readonly #usesResources: boolean;
  readonly #warned: Set<string> = new Set();
  /** Names of limits by task that its definition here lacks: a person set them. */
  #added: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(parts: WorkerParts, own: OwnResources) {
    this.#parts = parts;
    this.#own = own;
    const { tasks, resources } = parts.definitions;
    this.#usesResources = resources.size > 0 || [...tasks.values()].some(({ policy }) => policy.needs !== undefined);
  }

  added(task: string): readonly string[] {
    return this.#added.get(task) ?? [];
  }

  /** Answers the notes of resources. */
  async read(): Promise<{ readonly resources: Iterable<Note>; readonly now: Instant }> {
    let read = await this.#readOnce();
    if (this.#isIncomplete(read.notes)) {
      // The store was wiped or set back since they were registered.
      await registerLimits(this.#parts.engine, this.#parts.definitions, this.#parts.runtime);
      read = await this.#readOnce();
    }
    const { notes, now } = read;
    this.#added = new Map([...this.#parts.definitions.tasks.values()].map((task) => [task.name, addedOf(task, notes)]));
    this.#warnOfNeeds(notes);
    return { resources: [...notes.values()].filter(({ key }) => key.startsWith(resourcePrefix)), now };
  }

  async #readOnce(): Promise<{ readonly notes: ReadonlyMap<string, Note>; readonly now: Instant }> {
    const { engine, runtime } = this.#parts;
    const limits = await storedNotes(engine, runtime, taskLimitPrefix);
    if (!this.#usesResources) return limits;
    const resources = await storedNotes(engine, runtime, resourcePrefix);
    return { notes: new Map([...limits.notes, ...resources.notes]), now: resources.now };
  }

  #isIncomplete(notes: ReadonlyMap<string, Note>): boolean {
    const { tasks, resources } = this.#parts.definitions;
    for (const { policy } of tasks.values()) if (policy.gates.some(({ name }) => !notes.has(limitKey(name)))) return true;
    return [...resources.keys()].some((name) => !notes.has(resourceKey(name)));
  }

  /** A job that needs what nobody has, or more than there is, would wait for ever without a word. */
  #warnOfNeeds(notes: ReadonlyMap<string, Note>): void {
    const known = [...notes.keys()].filter((key) => key.startsWith(resourcePrefix)).map((key) => key.slice(resourcePrefix.length));
    for (const task of this.#parts.definitions.tasks.values()) {
      for (const [name, amount] of Object.entries(task.policy.needs ?? {}))
        this.#warnOfNeed(task.name, { name, amount, known, note: notes.get(resourceKey(name)) });
    }
  }

  #warnOfNeed(
    task: string,
    need: { readonly name: string; readonly amount: number; readonly known: readonly string[]; readonly note: Note | undefined },
  ): void {
    const { name, amount, known, note } = need;
    const own = this.#own.amountOf(name);
    if (own !== undefined) {
      if (own < amount) this.#warn(task, name, `task ${task} needs ${amount} of ${name}, of which this worker has ${own}, so it runs none of its jobs`);
      return;
    }
    if (note === undefined) {
      const cure = didYouMean(name, known) || `; define it with resource("${name}", { capacity: … }), or start a worker that has it`;
      this.#warn(task, name, `task ${task} needs ${name}, a resource that nobody has defined${cure}`);
      return;
    }
    const { capacity, defined } = keptResource(note);
    const most = Math.max(capacity, defined?.capacity ?? 0, ...(defined?.calendar ?? []).map((entry) => entry.capacity));
    if (most < amount)
      this.#warn(
        task,
        name,
        `task ${task} needs ${amount} of ${name}, of which there are never more than ${most}, so its jobs wait for ever; raise the capacity, or lower the need`,
      );
  }

  #warn(task: string, resource: string, message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#parts.log.warn({ task, resource }, message);
  }
}

function addedOf({ name, policy }: AnyTask, notes: ReadonlyMap<string, Note>): readonly string[] {
  const own = limitKey(gatePrefix(name));
  const start = limitKey("").length;
  return [...notes.keys()].flatMap((key) => (key.startsWith(own) && !policy.gates.some((gate) => limitKey(gate.name) === key) ? [key.slice(start)] : []));
}
