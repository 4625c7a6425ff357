/** Mutants that change nothing that anybody could see, each with the reason. They are neither tried nor counted among those that are, but told apart. */
import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";
import type { Mutant } from "./mutants.ts";

export interface Equivalent {
  readonly file: string;
  /** The whole line, so that the reason is thought over when it changes. */
  readonly line: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

const equivalents: readonly Equivalent[] = [];

export function isEquivalent({ file, line, from, to }: Mutant): boolean {
  const text = readFileSync(inRoot(file), "utf8").split("\n")[line - 1]?.trim();
  return equivalents.some((one) => one.file === file && one.line === text && one.from === from && one.to === to);
}
