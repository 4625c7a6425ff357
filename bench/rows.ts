/** A table per section: its head, and the row of a system's answers to a question. */
import { median, medianOf, shown, valuesOf, whole, type Cell } from "./figures.ts";
import type { BenchQuestion, Section } from "./questions.ts";

const costs = ["client CPU µs/job", "server CPU µs/job", "WAL bytes/job"];

export const heads: Readonly<Record<Section, readonly string[]>> = {
  sqlite: ["question", "system", "median", "min - max", "errand is", "CPU µs/job"],
  postgres: ["question", "system", "median", "min - max", "errand is", ...costs],
  committers: ["question", "system", "median", "min - max", "of the app's own", ...costs],
  pinned: ["meanwhile", "system", "first third", "the rest", "the rest ÷ first", "errand is", ...costs],
  paced: [
    "meanwhile",
    "system",
    "run",
    "ms to start p50, p99: first quarter",
    "last quarter",
    "late at the end",
    "dead rows at the end",
    "MiB at the end",
    ...costs,
  ],
  history: [
    "question",
    "system",
    "kept",
    "ms to start p50, p99: before",
    "with them",
    "ms to count: before",
    "with them",
    "ms of a retention pass p50, p99, max",
    "removed",
    "MiB",
  ],
};

type RowOf = (question: BenchQuestion, cells: readonly Cell[], system: string) => readonly string[];
export const rowsOf: Readonly<Record<Section, RowOf>> = {
  sqlite: (question, cells, system) => [...valueOf(question, cells, system), cpuOf(cells, system)],
  postgres: (question, cells, system) => [...valueOf(question, cells, system), ...costsOf(cells, system)],
  committers: (question, cells, system) => {
    const values = valuesOf(cells, system, "perSecond");
    const own = medianOf(cells, question.systems[0] ?? "", "perSecond");
    const share = system === question.systems[0] ? "" : `${((median(values) / own) * 100).toFixed(1)} %`;
    return [question.title, system, `${whole(median(values))}/s`, rangeOf(values, whole), share, ...costsOf(cells, system)];
  },
  pinned: (question, cells, system) => {
    const [first, last] = [medianOf(cells, system, "firstPerSecond"), medianOf(cells, system, "lastPerSecond")];
    const base = medianOf(cells, question.systems[0] ?? "", "lastPerSecond");
    const ratio = system === question.systems[0] ? "" : `${(base / last).toFixed(2)}x`;
    return [question.title, system, `${whole(first)}/s`, `${whole(last)}/s`, `${Math.round((last / first) * 100)} %`, ratio, ...costsOf(cells, system)];
  },
  paced: (question, cells, system) => [
    question.title,
    system,
    `${whole(medianOf(cells, system, "perSecond"))}/s`,
    quantilesOf(cells, system, ["firstP50ms", "firstP99ms"]),
    quantilesOf(cells, system, ["lastP50ms", "lastP99ms"]),
    whole(medianOf(cells, system, "backlogAtEnd")),
    whole(medianOf(cells, system, "deadRows")),
    shown(medianOf(cells, system, "mebibytes"), 1),
    ...costsOf(cells, system),
  ],
  history: (question, cells, system) => [
    question.title,
    system,
    whole(median(cells.filter((cell) => cell.system === system).map(({ jobs }) => jobs))),
    quantilesOf(cells, system, ["emptyP50ms", "emptyP99ms"]),
    quantilesOf(cells, system, ["p50ms", "p99ms"]),
    shown(medianOf(cells, system, "emptyCountMs"), 2),
    shown(medianOf(cells, system, "countMs"), 2),
    quantilesOf(cells, system, ["tidyP50ms", "tidyP99ms", "tidyMaxMs"]),
    whole(medianOf(cells, system, "removed")),
    shown(medianOf(cells, system, "mebibytes"), 0),
  ],
};

function valueOf(question: BenchQuestion, cells: readonly Cell[], system: string): readonly string[] {
  const figure = question.unit === "ms" ? "p50ms" : "perSecond";
  const values = valuesOf(cells, system, figure);
  const base = medianOf(cells, question.systems[0] ?? "", figure);
  const text = question.unit === "ms" ? (value: number): string => value.toFixed(2) : whole;
  const [p95, p99] = ["p95ms", "p99ms"].map((name) => text(medianOf(cells, system, name)));
  const others = question.unit === "ms" ? ` ms p50, ${p95} p95, ${p99} p99` : "/s";
  const ratio = question.unit === "ms" ? `${(base / median(values)).toFixed(1)}x as long` : `${(base / median(values)).toFixed(2)}x`;
  return [question.title, system, `${text(median(values))}${others}`, rangeOf(values, text), system === question.systems[0] ? "" : ratio];
}

function rangeOf(values: readonly number[], text: (value: number) => string): string {
  return `${text(Math.min(...values))} - ${text(Math.max(...values))}`;
}

/** Medians of the rounds. */
function quantilesOf(cells: readonly Cell[], system: string, figures: readonly string[]): string {
  return figures
    .map((figure) => shown(medianOf(cells, system, figure), 2))
    .filter((text) => text !== "")
    .join(", ");
}

/** Of the whole answer, with what it took to get there. */
function cpuOf(cells: readonly Cell[], system: string): string {
  const each = cells.filter((cell) => cell.system === system).map((cell) => ((cell.figures["cpuSeconds"] ?? Number.NaN) * 1e6) / cell.jobs);
  return median(each).toFixed(1);
}

/** Of the measured part; a drain's WAL stands beside that of the enqueues before it. */
function costsOf(cells: readonly Cell[], system: string): readonly string[] {
  const wal = ["walEnqueueBytes", "walBytes"].map((figure) => shown(medianOf(cells, system, figure), 0)).filter((text) => text !== "");
  return [shown(medianOf(cells, system, "clientMicroseconds"), 1), shown(medianOf(cells, system, "serverMicroseconds"), 1), wal.join(" + ")];
}
