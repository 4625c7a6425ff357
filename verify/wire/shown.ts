/** What a caller was told, and what a store holds, as texts that are the same where both are. */
import type { Engine, Query } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";

const limit = 1_000;
/** Of an event that errand publishes by itself. */
const madeId = /^[0-9a-f]{32}$/;
const queries: readonly Query[] = [
  { of: "jobs", where: {}, limit },
  { of: "joins", limit },
  { of: "events", limit },
  { of: "notes", prefix: "", limit },
  { of: "processes", limit },
  { of: "lanes", limit },
  { of: "locks", limit },
];

/** All that the port shows of it. */
export async function stateOf(engine: Engine, now: number): Promise<string> {
  const pages: unknown[] = [];
  for (const query of queries) pages.push((await engine.find(query, { now })).rows);
  const counts = (await engine.count({ now })).filter(({ jobs }) => jobs > 0).map((row) => JSON.stringify(row));
  return shown([pages, counts.toSorted()]);
}

/** Fences by their order, eras and ids made of fences not at all: they are others in each store. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value ?? null, (name, held: unknown) => {
    if (held instanceof ErrandError) return held.code;
    if (name === "era" || (name === "id" && typeof held === "string" && madeId.test(held))) return "";
    return sorted(held);
  });
  const fences = [...text.matchAll(/"fence":(\d+)/g)].map(([, fence]) => Number(fence));
  const order = [...new Set(fences)].toSorted((one, other) => one - other);
  return text.replaceAll(/"fence":(\d+)/g, (_, fence: string) => `"fence":"#${order.indexOf(Number(fence)) + 1}"`);
}

function sorted(held: unknown): unknown {
  if (typeof held !== "object" || held === null || Array.isArray(held)) return held;
  return Object.fromEntries(Object.entries(held).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
