/** A run of the bench as it is kept: a line for the run and a line for each answer, written as they come, so that nothing of a long run is lost. */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cell } from "./figures.ts";
import type { Machine } from "./report.ts";

export interface Run {
  readonly command: string;
  readonly machine: Machine;
  readonly cells: Cell[];
}

const folder = new URL("results/", import.meta.url);

/** Where it is kept. */
export function begin({ command, machine }: Run): string {
  const file = fileURLToPath(new URL(`${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.jsonl`, folder));
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify({ command, machine })}\n`);
  return file;
}

export function keep(file: string, cell: Cell): void {
  appendFileSync(file, `${JSON.stringify(cell)}\n`);
}

export function kept(file: string): Run {
  const [first = "{}", ...cells] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { command, machine } = JSON.parse(first) as Omit<Run, "cells">;
  return { command, machine, cells: cells.map((line) => numbered(JSON.parse(line) as Cell)) };
}

/** JSON has no word for what is not a number. */
function numbered(cell: Cell): Cell {
  return { ...cell, figures: Object.fromEntries(Object.entries(cell.figures).map(([name, value]) => [name, value ?? Number.NaN])) };
}
