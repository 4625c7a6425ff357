/** What a claim's terms name (G9): gates whose numbers stand in limit notes, and resources of which running jobs hold amounts. */
import type { GateRow, TaskTerms } from "../../src/core/engine.ts";
import { limitKey, resourceKey } from "../../src/core/notes.ts";
import type { StoredLimit, StoredResource } from "../../src/core/notes.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import type { ModelJob, ModelState } from "./state.ts";

/** Whether one more job may be handed out under these terms. */
export function letsThrough(state: ModelState, terms: TaskTerms, now: Instant): boolean {
  return (
    (terms.gates ?? []).every((name) => isOpen(state, name, now)) && Object.entries(terms.needs ?? {}).every(([name, amount]) => isFree(state, name, amount))
  );
}

/** A start under a limit of starts counts from its time rounded up. */
export function rememberGates(state: ModelState, job: ModelJob, terms: TaskTerms | undefined, now: Instant): void {
  for (const name of terms?.gates ?? []) {
    const limit = limitOf(state, name);
    if (limit === undefined || "running" in limit) continue;
    const grain = Math.max(1, Math.floor(limit.everyMs / 1_000));
    state.gateStarts.push({ name, jobId: job.id, at: Math.ceil(now / grain) * grain });
  }
}

export function gateRowsOf(state: ModelState, names: readonly string[], now: Instant): GateRow[] {
  return names.flatMap((name) => [...limitRow(state, name, now), ...resourceRow(state, name)]);
}

/** When a limit of starts that is used up has room again. */
export function freeAt(state: ModelState, name: string, now: Instant): Instant | undefined {
  const limit = limitOf(state, name);
  if (limit === undefined || "running" in limit) return undefined;
  const ends = startsOf(state, name, limit.everyMs, now);
  return ends.length < limit.starts ? undefined : ends.toSorted((a, b) => a - b)[ends.length - limit.starts];
}

function limitRow(state: ModelState, name: string, now: Instant): GateRow[] {
  const limit = limitOf(state, name);
  const used = limit !== undefined && "starts" in limit ? startsOf(state, name, limit.everyMs, now).length : runningUnder(state, name);
  if (limit === undefined) return used === 0 ? [] : [{ name, kind: "limit", used }];
  const free = freeAt(state, name, now);
  return [{ name, kind: "limit", used, most: "running" in limit ? limit.running : limit.starts, ...(free !== undefined && { freeAt: free }) }];
}

function resourceRow(state: ModelState, name: string): GateRow[] {
  const capacity = capacityOf(state, name);
  const used = amountUsed(state, name);
  if (capacity === undefined) return used === 0 ? [] : [{ name, kind: "resource", used }];
  return [{ name, kind: "resource", used, most: capacity }];
}

function isOpen(state: ModelState, name: string, now: Instant): boolean {
  const limit = limitOf(state, name);
  if (limit === undefined) return true;
  return "running" in limit ? runningUnder(state, name) < limit.running : startsOf(state, name, limit.everyMs, now).length < limit.starts;
}

function isFree(state: ModelState, name: string, amount: number): boolean {
  return amountUsed(state, name) + amount <= (capacityOf(state, name) ?? 0);
}

function runningUnder(state: ModelState, name: string): number {
  return state.jobs.filter((job) => job.claim?.gates.includes(name)).length;
}

function amountUsed(state: ModelState, name: string): number {
  return state.jobs.map((job) => job.claim?.needs[name] ?? 0).reduce((sum, amount) => sum + amount, 0);
}

/** The instants at which the starts that count now cease to count. */
function startsOf(state: ModelState, name: string, everyMs: Ms, now: Instant): Instant[] {
  return state.gateStarts.filter((start) => start.name === name && start.at + everyMs > now).map((start) => start.at + everyMs);
}

function limitOf(state: ModelState, name: string): StoredLimit | undefined {
  const note = state.notes.find((known) => known.key === limitKey(name));
  return note && (JSON.parse(note.value) as StoredLimit);
}

function capacityOf(state: ModelState, name: string): number | undefined {
  const note = state.notes.find((known) => known.key === resourceKey(name));
  return note && (JSON.parse(note.value) as StoredResource).capacity;
}
