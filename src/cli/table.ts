/** Tables that line up: text to the left, numbers to the right; the last column is cut at the terminal's edge. */
import { paint, plain } from "./output.ts";

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | number;
  /** Colours a whole cell. */
  readonly style?: (row: Row) => Parameters<typeof paint>[0] | undefined;
}

export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => cellOf(column.of(row))));
  const widths = columns.map((column, index) => Math.max(column.title.length, ...cells.map((line) => line[index]?.length ?? 0)));
  const isNumber = columns.map((column) => rows.length > 0 && rows.every((row) => typeof column.of(row) === "number"));
  const head = columns.map((column, index) => pad(column.title, widths[index] ?? 0, isNumber[index] ?? false)).join("  ");
  const body = cells.map((line, at) => lineOf(line, at));
  return [paint("dim", head.trimEnd()), ...body].join("\n");

  function lineOf(line: readonly string[], at: number): string {
    const row = rows[at];
    return line
      .map((cell, index) => {
        const isLast = index === line.length - 1;
        const padded = isLast && !isNumber[index] ? cell : pad(cell, widths[index] ?? 0, isNumber[index] ?? false);
        const style = row === undefined ? undefined : columns[index]?.style?.(row);
        return style === undefined ? padded : paint(style, padded);
      })
      .join("  ");
  }
}

function cellOf(value: string | number): string {
  return typeof value === "number" ? value.toLocaleString("en-US") : plain(value).replaceAll("\n", " ");
}

function pad(text: string, width: number, toTheRight: boolean): string {
  return toTheRight ? text.padStart(width) : text.padEnd(width);
}
