/** Names of queues, tasks, events, subscriptions and ids: what is allowed, and what was probably meant. */
import { idLengthMax, nameLengthMax } from "./defaults.ts";
import { ErrandError } from "./errors.ts";

/** Letters, digits and . _ - between; starts and ends with a letter or digit. Throws `name-invalid`. */
export function checkName(name: unknown, what: string): string {
  if (typeof name === "string" && name.length <= nameLengthMax && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)) return name;
  throw new ErrandError("name-invalid", `${what} ${shown(name)} is not a name: use up to ${nameLengthMax} letters, digits and . _ - between them`, {
    details: { what },
  });
}

/** Up to 200 printable characters without spaces. Throws `name-invalid`. */
export function checkId(id: unknown, what: string): string {
  if (typeof id === "string" && id.length <= idLengthMax && /^[\x21-\x7e]+$/.test(id)) return id;
  throw new ErrandError("name-invalid", `${what} ${shown(id)} cannot be an id: use 1 to ${idLengthMax} printable ASCII characters without spaces`, {
    details: { what },
  });
}

/** `, did you mean "orderedBy"?` or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? "" : `, did you mean "${best}"?`;
}

/** Levenshtein, one row. Names are short. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : `(${value === null ? "null" : typeof value})`;
}
