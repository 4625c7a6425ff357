/** From a stored payload to what a task's function is given: brought to today's version, parsed by the schema, and merged where it was gathered. */
import type { Maybe } from "../engine.ts";
import { parse } from "../schema.ts";
import type { AnyTask } from "../task.ts";
import { isThenable } from "../maybe.ts";

/** Of what a task declares no version. */
export const firstVersion = 1;

/** Throws or rejects with `payload-invalid` where an element does not fit the schema, and with what `upgrade` and `merge` throw. */
export function inputOf(task: AnyTask, payload: unknown, version: number | undefined): Maybe<unknown> {
  const { merge } = task;
  if (merge === undefined) return outputOf(task, payload, version);
  // One that was stored before its task gathered is its only element.
  return merged(task, merge, Array.isArray(payload) ? payload : [payload], version);
}

function outputOf(task: AnyTask, payload: unknown, version: number = firstVersion): Maybe<unknown> {
  const { upgrade, policy } = task;
  if (upgrade === undefined || version >= (policy.version ?? firstVersion)) return parse(task.input, payload, task.name);
  const upgraded = upgrade(payload, version);
  return isThenable(upgraded) ? Promise.resolve(upgraded).then((input) => parse(task.input, input, task.name)) : parse(task.input, upgraded, task.name);
}

async function merged(task: AnyTask, merge: NonNullable<AnyTask["merge"]>, elements: readonly unknown[], version: number | undefined): Promise<unknown> {
  const [first, ...others] = elements;
  let whole = await outputOf(task, first, version);
  for (const element of others) whole = await merge(whole, await outputOf(task, element, version));
  return whole;
}
