/** What stands in the rows of a table. */
import { median, medianOf, shown, valuesOf, whole, type Cell } from "./figures.ts";
import type { BenchQuestion, Unit } from "./question.ts";

/** Heads of what `valueOf` answers. */
export const answered = ["question", "system", "median", "min - max", "errand is"];
export const cpus = ["client CPU µs/job", "server CPU µs/job"];

interface Shown {
  readonly figure: string;
  readonly digits: number;
  readonly after: string;
  /** What a ratio of errand's to another's says. */
  readonly ratio: (ratio: number) => string;
}

const more: Shown = { figure: "perSecond", digits: 0, after: "/s", ratio: (ratio) => `${ratio.toFixed(2)}x` };
const shownAs: Readonly<Record<Unit, Shown>> = {
  "jobs/s": more,
  "commits/s": more,
  "jobs/s over time": more,
  ms: { figure: "p50ms", digits: 2, after: " ms p50", ratio: (ratio) => `${ratio.toFixed(1)}x as long` },
  bytes: { figure: "bytes", digits: 0, after: " bytes", ratio: (ratio) => `${ratio.toFixed(2)}x as large` },
  "% of a core": { figure: "clientPercent", digits: 2, after: " % of a core", ratio: (ratio) => `${ratio.toFixed(2)}x as much` },
  "commands/s": { figure: "commandsPerSecond", digits: 1, after: " commands/s", ratio: (ratio) => `${ratio.toFixed(2)}x as many` },
};

export function valueOf(question: BenchQuestion, cells: readonly Cell[], system: string): readonly string[] {
  const { figure, digits, after, ratio } = shownAs[question.unit];
  const values = valuesOf(cells, system, figure);
  const base = medianOf(cells, question.systems[0] ?? "", figure);
  const text = digits === 0 ? whole : (value: number): string => value.toFixed(digits);
  const [p95, p99] = ["p95ms", "p99ms"].map((name) => text(medianOf(cells, system, name)));
  const others = question.unit === "ms" ? `, ${p95} p95, ${p99} p99` : "";
  const compared = base / median(values);
  return [
    question.title,
    system,
    `${text(median(values))}${after}${others}`,
    rangeOf(values, text),
    system === question.systems[0] || Number.isNaN(compared) ? "" : ratio(compared),
  ];
}

export function rangeOf(values: readonly number[], text: (value: number) => string): string {
  return `${text(Math.min(...values))} - ${text(Math.max(...values))}`;
}

/** Medians of the rounds. */
export function quantilesOf(cells: readonly Cell[], system: string, figures: readonly string[]): string {
  return figures
    .map((figure) => shown(medianOf(cells, system, figure), 2))
    .filter((text) => text !== "")
    .join(", ");
}

/** Of the measured part; a drain's WAL stands beside that of the enqueues before it. */
export function costsOf(cells: readonly Cell[], system: string): readonly string[] {
  const wal = ["walEnqueueBytes", "walBytes"].map((figure) => shown(medianOf(cells, system, figure), 0)).filter((text) => text !== "");
  return [...cpusOf(cells, system), wal.join(" + ")];
}

export function redisCostsOf(cells: readonly Cell[], system: string): readonly string[] {
  return [...cpusOf(cells, system), shown(medianOf(cells, system, "commands"), 2)];
}

export function cpusOf(cells: readonly Cell[], system: string): readonly string[] {
  return ["clientMicroseconds", "serverMicroseconds"].map((figure) => shown(medianOf(cells, system, figure), 1));
}
