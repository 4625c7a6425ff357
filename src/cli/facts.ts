/** Facts of one thing, a line each, aligned. */
import { paint } from "./output.ts";

export const nameWidth = 10;

/** One without a value is left out. */
export function factLines(facts: readonly (readonly [name: string, value: string | undefined])[]): string {
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [`${paint("dim", name.padEnd(nameWidth))}  ${value}`])).join("\n");
}
