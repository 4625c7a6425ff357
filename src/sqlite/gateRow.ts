/** Limits and resources as `find` answers them. */
import type { GateRow } from "../core/engine.ts";
import { amountInUse, freeAtOf, runningUnder, startsUnder } from "./gates.ts";
import type { Transaction } from "./transaction.ts";

export function gateRows(look: Transaction, names: readonly string[]): GateRow[] {
  return [...new Set(names)].toSorted().flatMap((name) => [...limitRow(look, name), ...resourceRow(look, name)]);
}

function limitRow(look: Transaction, name: string): GateRow[] {
  const limit = look.notices.limits.get(name);
  if (limit && "starts" in limit) {
    const used = startsUnder(look, name, limit.everyMs).reduce((sum, [, starts]) => sum + starts, 0);
    const freeAt = freeAtOf(look, name, limit);
    return [{ name, kind: "limit", used, most: limit.starts, ...(freeAt !== undefined && { freeAt }) }];
  }
  const used = runningUnder(look, name);
  return row({ name, kind: "limit", used }, limit?.running);
}

function resourceRow(look: Transaction, name: string): GateRow[] {
  return row({ name, kind: "resource", used: amountInUse(look, name) }, look.notices.resources.get(name));
}

/** Without a note and without use there is nothing to tell. */
function row(used: Omit<GateRow, "most">, most: number | undefined): GateRow[] {
  if (most !== undefined) return [{ ...used, most }];
  return used.used > 0 ? [used] : [];
}
