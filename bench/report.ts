/** Medians, spreads and ratios, as a table that lines up. */
import { questions } from "./questions.ts";

export interface Cell {
  readonly question: string;
  readonly system: string;
  readonly round: number;
  readonly jobs: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly wasBusy: boolean;
}

export interface Line {
  readonly question: string;
  readonly system: string;
  readonly value: string;
  readonly spread: string;
  readonly ratio: string;
  readonly cpu: string;
}

export function linesOf(cells: readonly Cell[]): Line[] {
  return questions.flatMap((question) => {
    const own = cells.filter((cell) => cell.question === question.name);
    const base = median(valuesOf(own, "errand", question.unit));
    return question.systems.filter((system) => own.some((cell) => cell.system === system)).map((system) => lineOf(question, own, system, base));
  });
}

export function textOf(cells: readonly Cell[], machine: { readonly cpu: string; readonly cores: number; readonly thrownAway: number }): string {
  const lines = linesOf(cells);
  const head: Line = { question: "question", system: "system", value: "median", spread: "min - max", ratio: "errand is", cpu: "CPU µs/job" };
  const columns = ["question", "system", "value", "spread", "ratio", "cpu"] as const;
  const widths = columns.map((column) => Math.max(...[head, ...lines].map((line) => line[column].length)));
  const rows = [head, ...lines].map((line) =>
    columns.map((column, index) => (index < 2 ? line[column].padEnd(widths[index] ?? 0) : line[column].padStart(widths[index] ?? 0))).join("  "),
  );
  const busy = cells.filter((cell) => cell.wasBusy).length;
  return [
    ...rows,
    "",
    `${machine.cores} cores of ${machine.cpu}, Node ${process.version}; ${machine.thrownAway} rounds thrown away, ${busy} kept although the machine was busy`,
  ].join("\n");
}

export function jsonOf(cells: readonly Cell[]): string {
  return JSON.stringify(cells, undefined, 2);
}

function lineOf(question: (typeof questions)[number], cells: readonly Cell[], system: string, base: number): Line {
  const values = valuesOf(cells, system, question.unit);
  const p99 = median(cells.filter((cell) => cell.system === system).map((cell) => cell.figures["p99ms"] ?? Number.NaN));
  const cpu = median(cells.filter((cell) => cell.system === system).map((cell) => ((cell.figures["cpuSeconds"] ?? Number.NaN) * 1e6) / cell.jobs));
  const shown = (value: number): string => (question.unit === "ms" ? value.toFixed(2) : Math.round(value).toLocaleString("en-US"));
  return {
    question: question.title,
    system,
    value: question.unit === "ms" ? `${shown(median(values))} ms p50, ${shown(p99)} p99` : `${shown(median(values))}/s`,
    spread: `${shown(Math.min(...values))} - ${shown(Math.max(...values))}`,
    ratio: system === "errand" ? "" : question.unit === "ms" ? `${(base / median(values)).toFixed(1)}x as long` : `${(base / median(values)).toFixed(2)}x`,
    cpu: cpu.toFixed(1),
  };
}

function valuesOf(cells: readonly Cell[], system: string, unit: string): number[] {
  return cells.filter((cell) => cell.system === system).map((cell) => cell.figures[unit === "ms" ? "p50ms" : "perSecond"] ?? Number.NaN);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}
