/** Where a ready job stands in errand_ready: those that a claim may have to pass over stand apart, so that none of them is walked. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import type { Job } from "./job.ts";

/** Far above all lines. */
const triedFrom = 2 ** 40;

/** What was tried before stands apart, and what must run alone. */
export function readyPlace({ line, suspects, attempts }: Pick<Job, "line" | "suspects" | "attempts">): number {
  if (suspects >= suspectsBeforeAlone) return alonePlace(line);
  return attempts > 0 ? triedPlace(line) : line;
}

/** The same of a row of errand_jobs, as SQL. */
export const readyPlaceOf = (row: string): string =>
  `iif(${row}.suspects >= ${suspectsBeforeAlone}, -${row}.line, iif(${row}.attempts > 0, ${row}.line + ${triedFrom}, ${row}.line))`;

export function alonePlace(line: number): number {
  return -line;
}

export function triedPlace(line: number): number {
  return line + triedFrom;
}

export function isTriedPlace(place: number): boolean {
  return place > triedFrom;
}

/** By primary key. */
export const anyAlone = "SELECT 1 FROM errand_ready WHERE line < 0 LIMIT 1";
export const anyTried: string = `SELECT 1 FROM errand_ready WHERE line > ${triedFrom} LIMIT 1`;
