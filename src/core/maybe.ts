/** Values that may have to be awaited: at once where they can be, since most need not. */
import type { Maybe } from "./engine.ts";

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** Goes on with what `value` is, or comes to. */
export function followed(value: unknown, next: (value: unknown) => unknown): unknown {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value);
}

export function allOf<T>(values: readonly Maybe<T>[]): Maybe<readonly T[]> {
  if (!values.some((value) => value instanceof Promise)) return values as readonly T[];
  return Promise.all(values.map((value) => Promise.resolve(value)));
}
