/**
 * Payloads come back equal or are refused (G18). JSON.stringify turns a Date into a text, NaN into null, a Map into {} without a word;
 * so every value is looked at before it is written, and what would change is refused with its path.
 */
import { payloadBytesMax, payloadDepthMax, payloadKeysMax } from "./defaults.ts";
import { ErrandError } from "./errors.ts";

/** JSON text that parses to an equal value (an undefined property counts as absent). Throws `payload-not-json` or `payload-too-large`. */
export function encode(value: unknown, owner: string, what: string = "payload"): string {
  const walk: Walk = { owner, what, keys: 0, ancestors: [] };
  checkValue(value, "", walk);
  const text = JSON.stringify(value);
  const bytes = text.length > payloadBytesMax / 3 ? Buffer.byteLength(text) : text.length;
  if (bytes > payloadBytesMax) throw tooLarge(walk, `${bytes} bytes, of ${payloadBytesMax} allowed`);
  return text;
}

interface Walk {
  readonly owner: string;
  /** "payload", "result". */
  readonly what: string;
  keys: number;
  readonly ancestors: object[];
}

function checkValue(value: unknown, path: string, walk: Walk): void {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw notJson(walk, path, "a text with half a surrogate pair");
      return;
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value) || Object.is(value, -0)) throw notJson(walk, path, Object.is(value, -0) ? "-0" : String(value));
      return;
    case "object":
      if (value !== null) checkObject(value, path, walk);
      return;
    default:
      throw notJson(walk, path, typeof value === "undefined" ? "undefined" : `a ${typeof value}`);
  }
}

function checkObject(value: object, path: string, walk: Walk): void {
  if (walk.ancestors.includes(value)) throw notJson(walk, path, "a cycle");
  if (walk.ancestors.length >= payloadDepthMax) throw tooLarge(walk, `more than ${payloadDepthMax} levels deep`);
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") throw notJson(walk, path, describe(value));
  walk.ancestors.push(value);
  if (Array.isArray(value)) checkArray(value, path, walk);
  else checkRecord(value, path, walk);
  walk.ancestors.pop();
}

function checkArray(list: readonly unknown[], path: string, walk: Walk): void {
  count(list.length, walk);
  for (let index = 0; index < list.length; index++) checkValue(list[index], `${path}[${index}]`, walk);
  if (Object.keys(list).length !== list.length) throw notJson(walk, path, "an array with properties of its own or with holes");
}

function checkRecord(record: object, path: string, walk: Walk): void {
  const prototype: unknown = Object.getPrototypeOf(record);
  // An object of another realm (a test runner's sandbox) is plain too: its prototype has none above it.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw notJson(walk, path, describe(record));
  const keys = Object.keys(record);
  count(keys.length, walk);
  for (const key of keys) {
    const at = path === "" ? key : `${path}.${key}`;
    if (key === "__proto__") throw notJson(walk, at, 'a property named "__proto__"');
    const value = (record as Record<string, unknown>)[key];
    if (value !== undefined) checkValue(value, at, walk);
  }
  if (Object.getOwnPropertySymbols(record).length > 0) throw notJson(walk, path, "an object with symbol keys");
}

function count(keys: number, walk: Walk): void {
  walk.keys += keys;
  if (walk.keys > payloadKeysMax) throw tooLarge(walk, `more than ${payloadKeysMax} keys`);
}

function describe(value: object): string {
  if (value instanceof Date) return "a Date";
  const name = value.constructor?.name;
  return name === undefined || name === "Object" ? "an object with toJSON" : `a ${name}`;
}

function notJson(walk: Walk, path: string, what: string): ErrandError {
  const place = path === "" ? "itself" : `"${path}"`;
  return new ErrandError(
    "payload-not-json",
    `the ${walk.what} of ${walk.owner} would not come back equal: ${place} is ${what}; pass a text, a number or a plain object instead`,
    {
      details: { owner: walk.owner, path },
    },
  );
}

function tooLarge({ owner, what }: Walk, has: string): ErrandError {
  return new ErrandError("payload-too-large", `the ${what} of ${owner} has ${has}; store the record in your database and pass a pointer to it`, {
    details: { owner },
  });
}
