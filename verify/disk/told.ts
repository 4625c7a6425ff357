/** What a life tells of its steps. */
import { readFileSync } from "node:fs";

export interface Told {
  readonly step: number;
  /** "unknown": the app's own handle failed, whose errors do not say. */
  readonly is: "begun" | "done" | "definite" | "indefinite" | "unknown";
  readonly said?: string;
}

/** A last line that was not written to its end was not told. */
export function toldIn(file: string): readonly Told[] {
  const text = readFileSync(file, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Told]));
}

/** The last step of which that was told; -1: of none. */
export function lastTold(told: readonly Told[], is: Told["is"]): number {
  return told.findLast((line) => line.is === is)?.step ?? -1;
}
