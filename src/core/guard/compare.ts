/** Whether what was believed about a record still holds, and if not, in words. */

/** What is to hold; `fields: undefined` is "there is no such record". */
export interface Premise {
  readonly fields: unknown;
}

/** Undefined: it holds. Else "expected version 7, found 9", naming each field that differs. */
export function difference({ fields }: Premise, found: unknown): string | undefined {
  const isGone = found === undefined || found === null;
  if (fields === undefined) return isGone ? undefined : "expected nothing, found a record";
  if (!isRecord(fields)) return isSame(fields, found) ? undefined : `expected ${shown(fields)}, found ${isGone ? "nothing" : shown(found)}`;
  if (isGone) {
    const names = Object.entries(fields).map(([name, value]) => `${name} ${shown(value)}`);
    return `expected ${names.join(" and ")}, found nothing`;
  }
  const differing = Object.entries(fields).filter(([name, value]) => !isSame(value, fieldOf(found, name)));
  if (differing.length === 0) return undefined;
  return differing.map(([name, value]) => `expected ${name} ${shown(value)}, found ${shown(fieldOf(found, name))}`).join("; ");
}

/** The same fields, as they are now: what a run relies on that goes on all the same. */
export function premiseNow({ fields }: Premise, found: unknown): Premise {
  if (found === undefined || found === null) return { fields: undefined };
  return { fields: isRecord(fields) ? Object.fromEntries(Object.keys(fields).map((name) => [name, fieldOf(found, name)])) : found };
}

/** By value: what is null is not there, and a database's bigint 7 is 7. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one ?? undefined, other ?? undefined)) return true;
  if (typeof one === "bigint" || typeof other === "bigint") return isNumber(one) && isNumber(other) && String(one) === String(other);
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  if (!isRecord(one) || !isRecord(other)) return false;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => isSame(one[name], other[name]));
}

function isNumber(value: unknown): boolean {
  return typeof value === "bigint" || typeof value === "number";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldOf(record: unknown, name: string): unknown {
  return (record as Readonly<Record<string, unknown>>)[name];
}

const shownMax = 60;

function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "bigint") return String(value);
  const text = JSON.stringify(value) ?? typeof value;
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`;
}
