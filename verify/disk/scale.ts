/** How much of what could be tried is tried: some of it, drawn by a seed, in a usual run; all of it for `npm run verify -- disk`. */
import { Dice } from "../../test/port/dice.ts";
import { straceMissing } from "./strace.ts";

export const firstSeed: number = Number(process.env["ERRAND_SEED"] ?? 1);
export const isWhole: boolean = process.env["DISK"] === "all";
/** Of one test. */
export const timeoutMs: number = isWhole ? 3 * 3_600_000 : 120_000;

/** `least` of them, or all. */
export function drawn<T>(from: readonly T[], least: number, seed: number): readonly T[] {
  if (isWhole || from.length <= least) return from;
  const dice = new Dice(seed);
  const places = new Set<number>();
  while (places.size < least) places.add(dice.below(from.length));
  return from.filter((_, place) => places.has(place));
}

/** Said loudly, since what is not tested is not known. */
export function sayIfMissing(what: string): string | false {
  if (straceMissing === undefined) return false;
  console.error(`\n!!! SQLITE: ${what} WAS NOT TESTED: ${straceMissing}\n`);
  return `not tested: ${straceMissing}`;
}
