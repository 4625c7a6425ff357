/** Figures of several rounds, as one. */
import type { Section } from "./question.ts";

export interface Cell {
  readonly section: Section;
  /** Its title: names occur in several sections. */
  readonly question: string;
  readonly system: string;
  readonly round: number;
  readonly jobs: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly wasBusy: boolean;
  /** Rounds before it in which the machine was busy with something else. */
  readonly thrownAway: number;
  /** It gave no answer: why, in a line. */
  readonly failure?: string;
}

/** Of each round; not a number where it was not measured. */
export function valuesOf(cells: readonly Cell[], system: string, figure: string): number[] {
  return cells.filter((cell) => cell.system === system && cell.failure === undefined).map((cell) => cell.figures[figure] ?? Number.NaN);
}

export function medianOf(cells: readonly Cell[], system: string, figure: string): number {
  return median(valuesOf(cells, system, figure));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}

/** Nothing where it was not measured. */
export function shown(value: number, digits: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(digits);
}

export function whole(value: number): string {
  return Number.isNaN(value) ? "" : Math.round(value).toLocaleString("en-US");
}
