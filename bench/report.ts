/** Medians, spreads and ratios: a table per section, for a terminal and for a document. */
import { medianOf, type Cell } from "./figures.ts";
import { sections, type Section } from "./question.ts";
import { questions } from "./questions.ts";
import { headOf, rowOf } from "./rows.ts";
import type { Store } from "./systems/system.ts";

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Its version. */
  readonly node: string;
  /** Each in a line, where one was measured. */
  readonly servers: Readonly<Partial<Record<Store, string | undefined>>>;
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
  return { head: headOf(section), rows: rows.map(({ question, own, system }) => rowOf(question, own, system)) };
}

/** Jobs per second of each second, in thousands: the median of the rounds. */
export function seriesOf(cells: readonly Cell[]): readonly string[] {
  return questions
    .filter(({ section }) => section === "pinned")
    .flatMap(({ title, systems }) =>
      systems.map((system) => ({ title, system, own: cells.filter((cell) => cell.section === "pinned" && cell.question === title && cell.system === system) })),
    )
    .filter(({ own }) => own.length > 0)
    .map(({ title, system, own }) => {
      const seconds = Object.keys(own[0]?.figures ?? {}).filter((name) => name.startsWith("second "));
      return `${system}, ${title}: ${seconds.map((second) => (medianOf(own, system, second) / 1_000).toFixed(1)).join(" ")}`;
    });
}

export function textOf(cells: readonly Cell[], machine: Machine): string {
  const measured = (Object.keys(sections) as Section[]).filter((section) => cells.some((cell) => cell.section === section));
  const series = seriesOf(cells);
  return [
    ...measured.flatMap((section) => [sections[section], ...linedUp(tableOf(cells, section)), ""]),
    ...(series.length === 0 ? [] : ["Thousands of jobs in each second:", ...series, ""]),
    `${machine.cores} cores of ${machine.cpu}, Node ${machine.node}${serversOf(machine)}; rounds thrown away because the machine was busy: ${thrownAway(cells)}; kept although it was: ${busy(cells)}`,
  ].join("\n");
}

export function thrownAway(cells: readonly Cell[]): number {
  return cells.reduce((sum, cell) => sum + cell.thrownAway, 0);
}

export function busy(cells: readonly Cell[]): number {
  return cells.filter((cell) => cell.wasBusy).length;
}

function serversOf({ servers }: Machine): string {
  return Object.values(servers)
    .filter((server) => server !== undefined)
    .map((server) => `, ${server}`)
    .join("");
}

export function jsonOf(cells: readonly Cell[]): string {
  return JSON.stringify(cells, undefined, 2);
}

function linedUp({ head, rows }: Table): readonly string[] {
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)));
  const padded = (text: string, column: number): string => (column < names ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0));
  return [head, ...rows].map((row) => row.map(padded).join("  ").trimEnd());
}
