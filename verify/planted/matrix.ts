/** Which layer catches which planted bug, as it was measured last: verify/planted/matrix.json. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";
import { portBugs } from "./portBugs.ts";
import type { Planted } from "./plant.ts";
import { sourceBugs } from "./sourceBugs.ts";
import type { Tried } from "./tried.ts";

export const allPlanted: readonly Planted[] = [...portBugs, ...sourceBugs];

/** By bug, by layer. */
export type Matrix = Readonly<Record<string, Readonly<Record<string, { readonly by: string | null; readonly seconds: number }>>>>;

const file = inRoot("verify/planted/matrix.json");

export function readMatrix(): Matrix {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Matrix) : {};
}

/** What went red of a layer the last time. */
export function knownBy(bug: string): (layer: string) => string | undefined {
  return (layer) => readMatrix()[bug]?.[layer]?.by ?? undefined;
}

/** Bugs that are not planted any more go. */
export function noteIn(bug: string, layer: string, { by, seconds }: Tried): void {
  const before = readMatrix();
  const all = allPlanted.flatMap(({ name }) => {
    const row = name === bug ? { ...before[name], [layer]: { by: by ?? null, seconds } } : before[name];
    return row === undefined ? [] : [[name, row] as const];
  });
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}
