/** Whatever was thrown, as text that every store can keep: an error must never break the writing of its own outcome. */
import { errorMessageMax, errorStackMax, reasonLengthMax } from "../defaults.ts";
import type { StoredError } from "../engine.ts";

const causesMax = 5;
const nameMax = 200;

export function storedError(thrown: unknown): StoredError {
  const stack = stackOf(thrown);
  const code = codeOf(thrown);
  return {
    name: clean(nameOf(thrown), nameMax),
    message: clean(messageOf(thrown), errorMessageMax),
    ...(stack !== "" && { stack: clean(stack, errorStackMax) }),
    ...(code !== undefined && { code: clean(code, nameMax) }),
  };
}

/** A reason as it is stored: one text, storable, not endless. */
export function storedReason(reason: unknown): string {
  return clean(textOf(reason), reasonLengthMax);
}

/** Postgres refuses U+0000 in a text, and half a surrogate pair is no UTF-8. */
function clean(text: string, most: number): string {
  return text.slice(0, most).replace(/[\0\p{Surrogate}]/gu, "");
}

function nameOf(thrown: unknown): string {
  if (!isObject(thrown)) return "Error";
  const name = read(thrown, "name");
  return typeof name === "string" && name !== "" ? name : "Error";
}

function messageOf(thrown: unknown): string {
  if (!isObject(thrown)) return textOf(thrown);
  const message = read(thrown, "message");
  if (typeof message === "string" && message !== "") return message;
  return thrown instanceof Error ? nameOf(thrown) : textOf(thrown);
}

function stackOf(thrown: unknown): string {
  const parts: string[] = [];
  let current = thrown;
  for (let depth = 0; depth <= causesMax && isObject(current); depth++) {
    const stack = read(current, "stack");
    const text = typeof stack === "string" ? stack : depth === 0 ? "" : messageOf(current);
    if (text !== "") parts.push(text.slice(0, errorStackMax));
    current = read(current, "cause");
  }
  if (!isObject(current) && current !== undefined && parts.length > 0) parts.push(textOf(current));
  return parts.join("\ncaused by: ");
}

function codeOf(thrown: unknown): string | undefined {
  const code = isObject(thrown) ? read(thrown, "code") : undefined;
  return typeof code === "string" || typeof code === "number" ? String(code) : undefined;
}

/** An error's properties may be getters that throw. */
function read(from: object, property: string): unknown {
  try {
    return (from as Record<string, unknown>)[property];
  } catch {
    return undefined; // an unreadable property is as good as none
  }
}

function textOf(value: unknown): string {
  try {
    if (isObject(value) && !(value instanceof Error)) return JSON.stringify(value) ?? Object.prototype.toString.call(value);
    return String(value);
  } catch {
    return "a value that cannot be shown"; // a cycle, or a toString that throws
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
