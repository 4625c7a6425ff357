/** The rows of a Markdown file's tables, a cell each, without the backticks around a whole cell; heads and rules left out. */
import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";

export function rowsOf(file: string, columns: number): readonly (readonly string[])[] {
  const lines = readFileSync(inRoot(file), "utf8").split("\n");
  return lines.flatMap((line, at) => {
    const isBody = line.startsWith("|") && !/^\|[-:| ]+\|$/.test(line) && !/^\|[-:| ]+\|$/.test(lines[at + 1] ?? "");
    const cells = isBody
      ? line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim())
      : [];
    return cells.length === columns ? [cells] : [];
  });
}

export function bare(cell: string | undefined): string {
  return (cell ?? "").replace(/^`(.*)`$/, "$1");
}
