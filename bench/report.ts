/** Medians, spreads and ratios: a table per section, for a terminal and for a document. */
import { questions, sections, type BenchQuestion, type Section } from "./questions.ts";

export interface Cell {
  readonly section: Section;
  /** Its title: names occur in several sections. */
  readonly question: string;
  readonly system: string;
  readonly round: number;
  readonly jobs: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly wasBusy: boolean;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** In a line, where one was measured. */
  readonly server: string | undefined;
  readonly thrownAway: number;
}

/** Columns that read from the left. */
export const names = 2;

export function tableOf(cells: readonly Cell[], section: Section): Table {
  const rows = questions
    .filter((question) => question.section === section)
    .flatMap((question) => {
      const own = cells.filter((cell) => cell.section === section && cell.question === question.title);
      return question.systems.filter((system) => own.some((cell) => cell.system === system)).map((system) => ({ question, own, system }));
    });
  return { head: heads[section], rows: rows.map(({ question, own, system }) => rowsOf[section](question, own, system)) };
}

/** Jobs per second of each second, in thousands: the median of the rounds. */
export function seriesOf(cells: readonly Cell[]): readonly string[] {
  return questions
    .filter(({ section }) => section === "pinned")
    .flatMap(({ title, systems }) =>
      systems.map((system) => ({ title, system, own: cells.filter((cell) => cell.question === title && cell.system === system) })),
    )
    .filter(({ own }) => own.length > 0)
    .map(({ title, system, own }) => {
      const seconds = Object.keys(own[0]?.figures ?? {}).filter((name) => name.startsWith("second "));
      return `${system}, ${title}: ${seconds.map((second) => (median(valuesOf(own, system, second)) / 1_000).toFixed(1)).join(" ")}`;
    });
}

export function textOf(cells: readonly Cell[], machine: Machine): string {
  const busy = cells.filter((cell) => cell.wasBusy).length;
  const measured = (Object.keys(sections) as Section[]).filter((section) => cells.some((cell) => cell.section === section));
  const series = seriesOf(cells);
  return [
    ...measured.flatMap((section) => [sections[section], ...linedUp(tableOf(cells, section)), ""]),
    ...(series.length === 0 ? [] : ["Thousands of jobs in each second:", ...series, ""]),
    `${machine.cores} cores of ${machine.cpu}, Node ${process.version}${machine.server === undefined ? "" : `, ${machine.server}`}; ${machine.thrownAway} rounds thrown away, ${busy} kept although the machine was busy`,
  ].join("\n");
}

export function jsonOf(cells: readonly Cell[]): string {
  return JSON.stringify(cells, undefined, 2);
}

const heads: Readonly<Record<Section, readonly string[]>> = {
  sqlite: ["question", "system", "median", "min - max", "errand is", "CPU µs/job"],
  postgres: ["question", "system", "median", "min - max", "errand is", "client CPU µs/job", "server CPU µs/job", "WAL bytes/job"],
  pinned: ["meanwhile", "system", "first third", "the rest", "the rest ÷ first", "errand is", "client CPU µs/job", "server CPU µs/job", "WAL bytes/job"],
};

type RowOf = (question: BenchQuestion, cells: readonly Cell[], system: string) => readonly string[];
const rowsOf: Readonly<Record<Section, RowOf>> = {
  sqlite: (question, cells, system) => [...valueOf(question, cells, system), cpuOf(cells, system)],
  postgres: (question, cells, system) => [...valueOf(question, cells, system), ...costsOf(cells, system)],
  pinned: (question, cells, system) => {
    const [first, last] = [median(valuesOf(cells, system, "firstPerSecond")), median(valuesOf(cells, system, "lastPerSecond"))];
    const base = median(valuesOf(cells, question.systems[0] ?? "", "lastPerSecond"));
    const ratio = system === question.systems[0] ? "" : `${(base / last).toFixed(2)}x`;
    return [question.title, system, `${whole(first)}/s`, `${whole(last)}/s`, `${Math.round((last / first) * 100)} %`, ratio, ...costsOf(cells, system)];
  },
};

function valueOf(question: BenchQuestion, cells: readonly Cell[], system: string): readonly string[] {
  const figure = question.unit === "ms" ? "p50ms" : "perSecond";
  const values = valuesOf(cells, system, figure);
  const base = median(valuesOf(cells, question.systems[0] ?? "", figure));
  const shown = question.unit === "ms" ? (value: number): string => value.toFixed(2) : whole;
  const p99 = question.unit === "ms" ? ` ms p50, ${shown(median(valuesOf(cells, system, "p99ms")))} p99` : "/s";
  const ratio = question.unit === "ms" ? `${(base / median(values)).toFixed(1)}x as long` : `${(base / median(values)).toFixed(2)}x`;
  return [
    question.title,
    system,
    `${shown(median(values))}${p99}`,
    `${shown(Math.min(...values))} - ${shown(Math.max(...values))}`,
    system === question.systems[0] ? "" : ratio,
  ];
}

/** Of the whole answer, with what it took to get there. */
function cpuOf(cells: readonly Cell[], system: string): string {
  const each = cells.filter((cell) => cell.system === system).map((cell) => ((cell.figures["cpuSeconds"] ?? Number.NaN) * 1e6) / cell.jobs);
  return median(each).toFixed(1);
}

/** Of the measured part; a drain's WAL stands beside that of the enqueues before it. */
function costsOf(cells: readonly Cell[], system: string): readonly string[] {
  const [enqueue, wal] = ["walEnqueueBytes", "walBytes"].map((figure) => median(valuesOf(cells, system, figure)));
  const shown = (value: number | undefined, digits: number): string => (value === undefined || Number.isNaN(value) ? "" : value.toFixed(digits));
  return [
    shown(median(valuesOf(cells, system, "clientMicroseconds")), 1),
    shown(median(valuesOf(cells, system, "serverMicroseconds")), 1),
    [enqueue, wal]
      .map((value) => shown(value, 0))
      .filter((text) => text !== "")
      .join(" + "),
  ];
}

function linedUp({ head, rows }: Table): readonly string[] {
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)));
  const padded = (text: string, column: number): string => (column < names ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0));
  return [head, ...rows].map((row) => row.map(padded).join("  ").trimEnd());
}

function valuesOf(cells: readonly Cell[], system: string, figure: string): number[] {
  return cells.filter((cell) => cell.system === system).map((cell) => cell.figures[figure] ?? Number.NaN);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}
