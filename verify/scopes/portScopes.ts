/** The scopes at the port, and how many faults there may be in a usual run: as many as takes seconds. */
import { all as batches } from "./batches.ts";
import { all as changes } from "./changes.ts";
import { all as events } from "./events.ts";
import { all as lanes } from "./lanes.ts";
import { all as locks } from "./locks.ts";
import type { Scope } from "./play.ts";
import { all as runs } from "./runs.ts";
import { all as uniques } from "./uniques.ts";

export const portScopes: readonly Scope[] = [...runs, ...changes, ...uniques, ...batches, ...lanes, ...locks, ...events];

/** Those whose space is small with a fault as well. */
const small: ReadonlySet<string> = new Set([
  "claim, settle, expire",
  "retry and release against expiry",
  "born leased against claim and expiry",
  "due times against claims and clocks",
  "settled in the next claim",
  "a member adds a member",
  "a batch cancelled against its members",
  "per-key hand-over: several in a row",
  "a key's limit of starts is refilled",
  "subscribe against publish: from now on",
  "subscribe against publish: from the beginning",
]);

export function usualFaults({ name }: Scope): number {
  return small.has(name) ? 1 : 0;
}

export function scopeNamed(name: string): Scope {
  const scope = portScopes.find((each) => each.name === name);
  if (scope === undefined) throw new RangeError(`there is no scope named "${name}"`);
  return scope;
}
