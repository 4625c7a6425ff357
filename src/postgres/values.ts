/**
 * Values as both drivers send and bring them: as PostgreSQL's own text. What an app changed in a driver's parsers and serializers for its own queries
 * does not reach errand's, and errand's not the app's.
 */
export type Scalar = string | number | bigint | boolean | null;
/** A list is an array in PostgreSQL. */
export type Value = Scalar | readonly Scalar[];
export type Row = Readonly<Record<string, unknown>>;

const asNumber = Number;
const asJson = (text: string): unknown => JSON.parse(text);

/** By the type's number in pg_type. Whole numbers of eight bytes are numbers: errand stores none above 2^53. */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map([
  [16, (text: string): unknown => text === "t"],
  [20, asNumber],
  [21, asNumber],
  [23, asNumber],
  [26, asNumber],
  [700, asNumber],
  [701, asNumber],
  [114, asJson],
  [3802, asJson],
]);

export function parserOf(type: number): (text: string) => unknown {
  return parsers.get(type) ?? asIs;
}

export function textOf(value: Value): string | null {
  if (value === null) return null;
  return typeof value === "object" ? `{${value.map(elementOf).join(",")}}` : String(value);
}

function elementOf(value: Scalar): string {
  return value === null ? "NULL" : `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`;
}

function asIs(text: string): string {
  return text;
}
