/** What a run returned, as it is stored for those that come after. */
import { resultBytesMax } from "../defaults.ts";
import type { Maybe } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { encode } from "../payload.ts";
import { parse } from "../schema.ts";
import type { AnyTask } from "../task.ts";

/** JSON; undefined where there is nothing to store. Throws or rejects with `result-invalid`, `result-too-large`. */
export function resultOf(task: AnyTask, value: unknown): Maybe<string | undefined> {
  const parsed = orRefused(task, () => parse(task.result, value, task.name, "result"));
  if (!(parsed instanceof Promise)) return encoded(task, value);
  return parsed.then(
    () => encoded(task, value),
    (error: unknown) => refuse(task, error),
  );
}

/** What was returned, not what the schema made of it: as with payloads, the wire carries the schema's input. */
function encoded(task: AnyTask, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = orRefused(task, () => encode(value, task.name, "result"));
  const bytes = Buffer.byteLength(text);
  if (bytes <= resultBytesMax) return text;
  throw tooLarge(task, `${bytes} bytes`);
}

function orRefused<T>(task: AnyTask, work: () => T): T {
  try {
    return work();
  } catch (error) {
    return refuse(task, error);
  }
}

function refuse(task: AnyTask, error: unknown): never {
  if (ErrandError.is(error, "payload-too-large")) throw tooLarge(task, "too much in it");
  if (!ErrandError.is(error)) throw error;
  throw new ErrandError("result-invalid", error.message.slice(error.code.length + 2), { cause: error, details: { ...error.details, task: task.name } });
}

function tooLarge(task: AnyTask, what: string): ErrandError {
  return new ErrandError(
    "result-too-large",
    `the result of ${task.name} has ${what}, of ${resultBytesMax} bytes allowed; store it in your database and return a pointer to it`,
    {
      details: { task: task.name },
    },
  );
}
