/** An engine that did not do what the model says, told field by field. */
import { isDeepStrictEqual } from "node:util";

export class Divergence extends Error {
  constructor(what: string) {
    super(what);
    this.name = "Divergence";
  }
}

/** Throws unless both are equal; names the fields that are not. */
export function mustEqual(what: string, got: unknown, expected: unknown): void {
  if (isEqual(got, expected)) return;
  if (!isDeepStrictEqual(plain(got), plain(expected))) throw new Divergence(`${what}\n${differences(plain(got), plain(expected))}`);
}

/** The way most go: without properties that are undefined, and without making anything. */
function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((item, index) => isEqual(item, other[index]));
  return isRecord(one) && isRecord(other) && haveEqualFields(one, other);
}

function haveEqualFields(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  for (const field of Object.keys(one)) if (!isEqual(one[field], other[field])) return false;
  for (const field of Object.keys(other)) if (one[field] === undefined && other[field] !== undefined) return false;
  return true;
}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Divergence(what);
}

/** Without properties that are undefined, and without prototypes. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function differences(got: unknown, expected: unknown): string {
  if (!isRecord(got) || !isRecord(expected)) return `    got      ${JSON.stringify(got)}\n    expected ${JSON.stringify(expected)}`;
  const fields = [...new Set([...Object.keys(got), ...Object.keys(expected)])].filter((field) => !isDeepStrictEqual(got[field], expected[field]));
  return fields.map((field) => `    ${field}: got ${JSON.stringify(got[field])}, expected ${JSON.stringify(expected[field])}`).join("\n");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
