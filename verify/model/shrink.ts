/**
 * Makes a failing list of commands short: leaves out slices, then what a command can do without, then makes its numbers small.
 * A list of plain data shrinks further this way than by fast-check's own steps, which keep what stands before the failure.
 */
import type { Command } from "./commands.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Values that stay: their smallest would mean something else. */
const fixed = new Set(["ms", "items", "limit"]);
const required = new Set([
  "do",
  "worker",
  "atoms",
  "jobs",
  "outcomes",
  "of",
  "pick",
  "is",
  "which",
  "task",
  "queue",
  "event",
  "key",
  "note",
  "what",
  "subscription",
  "variant",
  "lock",
  "ticket",
  "items",
  "mayExpire",
  "overdueMs",
  "ms",
  "times",
  "limit",
  "priority",
  "slots",
  "ahead",
  "handle",
  "members",
  "when",
  "job",
  "schedule",
]);

export async function shrink(
  commands: readonly Command[],
  fails: (commands: readonly Command[]) => Promise<boolean>,
  budgetMs: number,
): Promise<readonly Command[]> {
  const until = performance.now() + budgetMs;
  let shortest = commands;
  let isShorter = true;
  while (isShorter && performance.now() < until) {
    isShorter = false;
    for (const candidate of smaller(shortest)) {
      if (performance.now() > until) break;
      if (!(await fails(candidate))) continue;
      shortest = candidate;
      isShorter = true;
      break;
    }
  }
  return shortest;
}

function* smaller(commands: readonly Command[]): Generator<readonly Command[]> {
  for (let size = Math.ceil(commands.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = commands.length; end > 0; end -= size) {
      const kept = [...commands.slice(0, Math.max(end - size, 0)), ...commands.slice(end)];
      if (kept.length > 0) yield kept;
    }
  }
  for (const [index, command] of commands.entries()) {
    for (const simpler of simplerValues(command as unknown as Json)) yield commands.with(index, simpler as unknown as Command);
  }
}

function* simplerValues(value: Json): Generator<Json> {
  if (typeof value === "number" && value > 0) {
    yield 0;
    if (value > 1) yield 1;
  } else if (Array.isArray(value)) {
    yield* simplerLists(value as readonly Json[]);
  } else if (typeof value === "object" && value !== null) {
    yield* simplerRecords(value as { readonly [key: string]: Json });
  }
}

function* simplerLists(list: readonly Json[]): Generator<Json> {
  for (const index of list.keys()) yield list.toSpliced(index, 1);
  for (const [index, item] of list.entries()) for (const simpler of simplerValues(item)) yield list.with(index, simpler);
}

function* simplerRecords(record: { readonly [key: string]: Json }): Generator<Json> {
  for (const key of Object.keys(record)) {
    if (!required.has(key)) yield Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
  }
  for (const [key, item] of Object.entries(record)) {
    if (!fixed.has(key)) for (const simpler of simplerValues(item)) yield { ...record, [key]: simpler };
  }
}
