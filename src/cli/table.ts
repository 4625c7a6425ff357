/** Tables that line up: text to the left, numbers to the right, and nothing beyond the terminal's edge but an id. */
import { paint, terminalWidth, type Style } from "./output.ts";
import { plain } from "./plain.ts";
import { cut, pad, textWidth } from "./textWidth.ts";

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | number;
  readonly style?: (row: Row) => Style | undefined;
  /** Left out where the terminal is too narrow: the highest first. */
  readonly spare?: number | undefined;
  /** The last column: it is cut at the terminal's edge, and has a line of its own where too little is left of it. */
  readonly isFree?: boolean;
}

interface Measured<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  readonly isNumber: boolean;
  readonly width: number;
}

const gap = "  ";
const indent = "    ";
/** A free column narrower than that is no longer worth reading. */
const freeLeast = 24;

/** `width`: of the terminal; undefined cuts nothing. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number | undefined = terminalWidth()): string {
  const { fixed, free, left } = layoutOf(
    columns.map((column) => measure(column, rows)),
    width,
  );
  const titled = free === undefined || left === undefined ? fixed : [...fixed, free];
  const head = titled.map((one) => pad(one.column.title, one.width, one.isNumber)).join(gap);
  return [paint("dim", head.trimEnd()), ...rows.map((row, at) => line(row, at, fixed, free, left, width))].join("\n");
}

interface Layout<Row> {
  readonly fixed: readonly Measured<Row>[];
  readonly free: Measured<Row> | undefined;
  /** For the free column on the same line; undefined gives it the next one. */
  readonly left: number | undefined;
}

/** The most columns that leave the free one enough of the line; else the most that fit, with the free one on a line of its own. */
function layoutOf<Row>(columns: readonly Measured<Row>[], width: number = Number.POSITIVE_INFINITY): Layout<Row> {
  const free = columns.find(({ column }) => column.isFree === true);
  const choices = choicesOf(columns.filter((one) => one !== free));
  const needed = free === undefined ? 0 : gap.length + Math.min(free.width, freeLeast);
  const beside = choices.find((fixed) => widthOf(fixed) + needed <= width);
  if (beside !== undefined) return { fixed: beside, free, left: width - widthOf(beside) - gap.length };
  return { fixed: choices.find((fixed) => widthOf(fixed) <= width) ?? choices.at(-1) ?? [], free, left: undefined };
}

/** All columns; one spare column less; and so on. */
function choicesOf<Row>(columns: readonly Measured<Row>[]): readonly (readonly Measured<Row>[])[] {
  const spare = columns.filter(({ column }) => column.spare !== undefined).toSorted((a, b) => (b.column.spare ?? 0) - (a.column.spare ?? 0));
  return [columns, ...spare.map((_, at) => columns.filter((one) => !spare.slice(0, at + 1).includes(one)))];
}

function line<Row>(
  row: Row,
  at: number,
  fixed: readonly Measured<Row>[],
  free: Measured<Row> | undefined,
  left: number | undefined,
  width: number | undefined,
): string {
  const cells = fixed.map((one) => styled(one, row, pad(one.cells[at] ?? "", one.width, one.isNumber)));
  const note = free?.cells[at] ?? "";
  if (free === undefined || note === "") return cells.join(gap).trimEnd();
  if (left !== undefined) return [...cells, styled(free, row, cut(note, left))].join(gap);
  return `${cells.join(gap).trimEnd()}\n${indent}${styled(free, row, cut(note, (width ?? 0) - indent.length))}`;
}

function measure<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const values = rows.map((row) => column.of(row));
  const cells = values.map((value) => (typeof value === "number" ? value.toLocaleString("en-US") : plain(value)));
  const width = cells.reduce((widest, cell) => Math.max(widest, textWidth(cell)), textWidth(column.title));
  return { column, cells, width, isNumber: values.length > 0 && values.every((value) => typeof value === "number") };
}

function widthOf<Row>(columns: readonly Measured<Row>[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + gap.length * Math.max(0, columns.length - 1);
}

function styled<Row>({ column }: Measured<Row>, row: Row, cell: string): string {
  const style = column.style?.(row);
  return style === undefined ? cell : paint(style, cell);
}
