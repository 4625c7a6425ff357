/** Names of lanes and unique keys, and ids derived from others. Pure: engines, publishers and tests compute the same text. */
import { createHash } from "node:crypto";

const readableMax = 200;

/** `apply-entry["acc-7"]`; above 200 characters the values become a hash. A task's name holds no bracket, so two tasks never meet. */
export function keyName(scope: string, values: readonly unknown[]): string {
  const text = JSON.stringify(values);
  return text.length <= readableMax ? `${scope}${text}` : `${scope}[#${digest(text)}]`;
}

/** The values of `fields` in a payload; a missing one or one that is not a scalar is undefined. */
export function keyValues(fields: readonly string[], payload: unknown): (string | number | boolean | undefined)[] {
  const record = typeof payload === "object" && payload !== null ? (payload as Record<string, unknown>) : {};
  return fields.map((field) => {
    const value = Object.hasOwn(record, field) ? record[field] : undefined;
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
  });
}

/** The id of what follows from these parts, the same wherever it is computed: 32 hex digits. */
export function derivedId(...parts: readonly string[]): string {
  return digest(JSON.stringify(parts)).slice(0, 32);
}

/** What is compared when an id is met again. */
export function contentOf(name: string, payload: string): string {
  return digest(`${name}\n${payload}`).slice(0, 32);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
