/** What a person changes about limits while workers run: heard by all of them with their next claim. */
import { at } from "../at.ts";
import type { Definitions } from "../definitions.ts";
import type { Engine, Note } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { checkName, didYouMean } from "../names.ts";
import { limitKey, resourceKey, resourcePrefix, type StoredResource } from "../notes.ts";
import { checkOptions, refuse } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { checkAmount, gateOf, gatePrefix, storedOf, type RunningLimit, type StartsLimit } from "./limit.ts";
import { keptLimit, keptResource, limitValue, resourceValue, storedNotes, taskLimitPrefix, taskOfKey } from "./register.ts";
import { checkCapacity } from "./resource.ts";

/** All jobs of a task, or a resource. */
export type Limitable = { readonly task: string } | { readonly resource: string };
/** "as-defined": what the code says, whatever was set before. */
export type NewLimit = RunningLimit | StartsLimit | StoredResource | "as-defined";

const triesMax = 5;

export interface LimitParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly definitions: Definitions;
}

/** Throws `option-invalid`, `option-unknown`, `name-invalid`, `task-unknown`, `resource-unknown`. */
export async function editLimit(parts: LimitParts, what: Limitable, to: NewLimit): Promise<void> {
  const { engine, runtime } = parts;
  checkEdit(what, to);
  await ("task" in what ? refuseUnknown(parts, what.task) : refuseUnknownResource(parts, what.resource));
  for (let tries = 1; ; tries++) {
    const writes =
      "task" in what
        ? await taskWrites(engine, runtime, what.task, to as Exclude<NewLimit, StoredResource>)
        : await resourceWrites(engine, runtime, what.resource, to);
    const [answer] = writes.length === 0 ? [] : await engine.enqueue([{ works: [], notes: writes }], at(runtime));
    if (!(answer instanceof ErrandError)) return;
    if (answer.code !== "note-conflict" || tries === triesMax) throw answer;
  }
}

/** A limit of a name that is misspelt would hold nothing back, and nobody would notice. */
async function refuseUnknown({ engine, runtime, definitions }: LimitParts, task: string): Promise<void> {
  if (definitions.tasks.has(task)) return;
  const stored = await engine.count(at(runtime));
  const limited = await storedNotes(engine, runtime, taskLimitPrefix);
  const names = new Set([...definitions.tasks.keys(), ...stored.map((row) => row.task), ...[...limited.notes.keys()].map(taskOfKey)]);
  if (names.has(task)) return;
  const guess = didYouMean(task, names) || "; limit it where its code is, or when it has a job";
  throw new ErrandError("task-unknown", `no task "${task}" is defined here, and the store has no job and no limit of it${guess}`, { details: { task } });
}

/** Nobody would look at its note. */
async function refuseUnknownResource({ engine, runtime, definitions }: LimitParts, resource: string): Promise<void> {
  const needed = [...definitions.tasks.values()].flatMap(({ policy }) => Object.keys(policy.needs ?? {}));
  const known = new Set([...definitions.resources.keys(), ...needed]);
  if (known.has(resource) || (await engine.readNote(resourceKey(resource), at(runtime))) !== undefined) return;
  const { notes } = await storedNotes(engine, runtime, resourcePrefix);
  const names = [...known, ...[...notes.keys()].map((key) => key.slice(resourcePrefix.length))];
  const guess = didYouMean(resource, names) || "; limit it where the code is that defines or needs it";
  throw new ErrandError("resource-unknown", `no resource "${resource}" is defined or needed here, and the store has none${guess}`, { details: { resource } });
}

type Writes = { readonly key: string; readonly value: string | undefined; readonly ifVersion: number }[];

async function taskWrites(engine: Engine, runtime: Runtime, task: string, to: Exclude<NewLimit, StoredResource>): Promise<Writes> {
  if (to === "as-defined") {
    const { notes } = await storedNotes(engine, runtime, limitKey(gatePrefix(task)));
    return [...notes.values()]
      .filter((note) => keptLimit(note).isEdited)
      .map((note) => written(note.key, note, limitValue(undefined, keptLimit(note).defined)));
  }
  const limit = storedOf(to);
  const key = limitKey(gateOf(task, limit).name);
  const note = await engine.readNote(key, at(runtime));
  const defined = note && keptLimit(note).defined;
  return [written(key, note, limitValue({ ...limit, isEdited: true }, defined))];
}

async function resourceWrites(engine: Engine, runtime: Runtime, name: string, to: NewLimit): Promise<Writes> {
  const key = resourceKey(name);
  const { notes, now } = await storedNotes(engine, runtime, key);
  const note = notes.get(key);
  const defined = note && keptResource(note).defined;
  if (to !== "as-defined") return [written(key, note, resourceValue({ ...(to as StoredResource), isEdited: true }, defined, now))];
  return note === undefined ? [] : [written(key, note, resourceValue(undefined, defined, now))];
}

function written(key: string, note: Note | undefined, value: string | undefined): Writes[number] {
  return { key, value, ifVersion: note?.version ?? 0 };
}

function checkEdit(what: Limitable, to: NewLimit): void {
  if (typeof what !== "object") refuse("limit", what, '{ task: "…" } or { resource: "…" }');
  const isName = (value: unknown, path: string): void => void checkName(value, path);
  checkOptions(what, "limit", { task: isName, resource: isName });
  const { task, resource } = what as { readonly task?: string; readonly resource?: string };
  if ((task === undefined) === (resource === undefined)) refuse("limit", what, 'either { task: "…" } or { resource: "…" }');
  if (to === "as-defined") return;
  if (task === undefined) checkCapacity(to, `limit of resource ${resource}`);
  else checkAmount(to, `limit of task ${task}`);
}
