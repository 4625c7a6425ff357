/**
 * What a store may have forgotten, as its guarantees say: whatever something was asked, answered or done of between the last that it is sure to have kept and its
 * return. Of that, the rules of every fault run are not asked; what must hold of it all the same is asked of everything.
 */
import type { Line } from "../../../src/verify/history.ts";
import { ownLines } from "../history.ts";

export interface Loss {
  readonly from: number;
  readonly to: number;
}

/** Of a store that had lost something one hears a heartbeat later. */
const heardWithinMs = 4_000;
/** Slots come by themselves, and again if they were forgotten. */
const slots = "verify-every";

export function lossesIn(lines: Iterable<Line>): readonly Loss[] {
  const losses: Loss[] = [];
  for (const line of ownLines(lines)) {
    if (line.is === "fault" && "forgetsFrom" in line && line.forgetsFrom !== undefined) losses.push({ from: line.forgetsFrom, to: line.to + heardWithinMs });
  }
  return losses;
}

/** A batch with its members and callbacks, an event with its jobs: all of the same name up to the first dot or stroke. */
export function familyOf(n: string): string {
  return n.startsWith(slots) ? n : (n.split(/[./]/, 1)[0] ?? n);
}

export function forgottenFamilies(lines: () => Iterable<Line>): ReadonlySet<string> {
  const losses = lossesIn(lines());
  const families = new Set<string>();
  if (losses.length === 0) return families;
  const isIn = (t: number): boolean => losses.some(({ from, to }) => t >= from && t <= to);
  const named = new Map<string, string>();
  const jobs = new Map<string, string>();
  for (const line of lines()) if (line.is === "start") jobs.set(line.job, line.n);
  const toldOf: (readonly [string, string])[] = [];
  for (const line of ownLines(lines())) {
    const n = line.is === "settled" ? jobs.get(line.job) : nameIn(line as Line, named);
    if (n === undefined || n.startsWith(slots) || !("t" in line)) continue;
    if (isIn(line.t ?? 0) || (line.is === "settled" && isIn(line.from))) families.add(familyOf(n));
    if (line.is === "ok" && line.id !== undefined && line.id !== n) toldOf.push([familyOf(n), familyOf(line.id)]);
  }
  for (const [loser, winner] of toldOf) if (families.has(winner)) families.add(loser);
  return families;
}

/** Whose name a line is about. `named`: the names that calls were about, which their answers do not say. */
export function nameIn(line: Line, named: Map<string, string>): string | undefined {
  if (line.is === "call" && "n" in line) named.set(`${line.p} ${line.seq}`, line.n);
  if (line.is === "ok" || line.is === "fail" || line.is === "info" || line.is === "call") return named.get(`${line.p} ${line.seq}`);
  return "n" in line && typeof line.n === "string" ? line.n : undefined;
}
