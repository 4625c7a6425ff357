/** Who uses limits and resources now. */
import type { GateRow } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import type { Store } from "./store.ts";

/** By name; a limit before a resource. */
export function gateRows(store: Store, names: readonly string[], now: Instant): GateRow[] {
  return [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1)).flatMap((name) => [...limitRow(store, name, now), ...resourceRow(store, name)]);
}

function limitRow({ gates }: Store, name: string, now: Instant): GateRow[] {
  const limit = gates.limit(name);
  if (limit && "starts" in limit) return [{ name, kind: "limit", most: limit.starts, ...gates.starts(name, limit, now) }];
  const used = gates.running(name);
  if (limit) return [{ name, kind: "limit", used, most: limit.running }];
  return used > 0 ? [{ name, kind: "limit", used }] : [];
}

function resourceRow({ gates }: Store, name: string): GateRow[] {
  const resource = gates.resource(name);
  const used = gates.inUse(name);
  if (resource) return [{ name, kind: "resource", used, most: resource.capacity }];
  return used > 0 ? [{ name, kind: "resource", used }] : [];
}
