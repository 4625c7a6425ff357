/** What a layer of the proof has done, for the certificate. */
import { appendFileSync } from "node:fs";

export interface Tally {
  /** Such as "simulator". */
  readonly layer: string;
  /** Such as "sqlite"; "all" where engines were compared with each other. */
  readonly engine: string;
  /** That begin it again: "1..90". */
  readonly seeds: string;
  /** What there was of it, whole numbers: { lives: 90, steps: 1_200_000, lost: 0 }. Runs of a layer are added up. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Appended as a line of JSON to the file that ERRAND_TALLY names, if it names one. */
export function tally(done: Tally): void {
  const file = process.env["ERRAND_TALLY"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(done)}\n`);
}
