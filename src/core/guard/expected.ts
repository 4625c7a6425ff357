/** What a caller believes about a record, and what is to be done where it does not hold. */
import { expectingBytesMax } from "../defaults.ts";
import { ErrandError } from "../errors.ts";
import { checkOptions, aFunction, oneOf, refuse } from "../options.ts";
import { encode } from "../payload.ts";
import type { AnyTask, Job } from "../task.ts";
import type { Json } from "../typing.ts";

/** Any of the record's fields that JSON can hold. */
export type Expected<Current> = { readonly [K in keyof Current as Current[K] extends Json ? K : never]?: Current[K] };

/** What a `conflict` is told. */
export interface Stale<Current> {
  readonly expected: Expected<Current>;
  /** Undefined: there is no such record any more. */
  readonly found: Current | undefined;
  /** "expected version 7, found 9". */
  readonly reason: string;
}

/** Decides about a premise that does not hold: returns to let the job run on what was found, or calls `skip`, `snooze` or `giveUp`. */
export interface Conflict<Out, Current, Saved = Json> {
  readonly conflict: (input: Out, stale: Stale<Current>, job: Job<Saved>) => unknown;
}

/** {@link TaskDefinition.ifStale} as the worker holds it. */
export type StaleRule = "skip" | "refresh" | Conflict<unknown, unknown>;

export function aStaleRule(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) return oneOf("skip", "refresh")(value, path);
  checkOptions(value, path, { conflict: aFunction });
  if ((value as { conflict?: unknown }).conflict === undefined) refuse(path, value, "{ conflict: (input, { expected, found }) => … }");
}

/** Throws where nothing could be compared with it, or it could not be stored. */
export function checkExpecting(task: AnyTask, expecting: unknown): void {
  const path = `${task.name}.with.expecting`;
  if (task.current === undefined)
    throw new ErrandError("option-invalid", `${path} is given, but the task has no current to compare with; give it current: (input) => …`, {
      details: { option: path },
    });
  if (typeof expecting === "object" && expecting !== null && !Array.isArray(expecting) && Object.keys(expecting).length === 0)
    refuse(path, expecting, "at least one field, as in { version: 7 }");
  encodeExpecting(task, expecting);
}

export function encodeExpecting(task: AnyTask, expecting: unknown): string {
  const text = encode(expecting, `${task.name}.with.expecting`);
  if (Buffer.byteLength(text) <= expectingBytesMax) return text;
  throw new ErrandError(
    "payload-too-large",
    `${task.name}.with.expecting has ${Buffer.byteLength(text)} bytes, of ${expectingBytesMax} allowed; expect a version or a hash of the record`,
    { details: { task: task.name } },
  );
}
