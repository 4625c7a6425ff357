/** A table per section: its head, and the row of a system's answers to a question. */
import { median, medianOf, shown, valuesOf, whole, type Cell } from "./figures.ts";
import type { BenchQuestion, Section, Unit } from "./questions.ts";

const cpus = ["client CPU µs/job", "server CPU µs/job"];
const costs = [...cpus, "WAL bytes/job"];
const redisCosts = [...cpus, "commands/job"];
const answered = ["question", "system", "median", "min - max", "errand is"];

export const heads: Readonly<Record<Section, readonly string[]>> = {
  sqlite: [...answered, "CPU µs/job"],
  postgres: [...answered, ...costs],
  redis: [...answered, ...redisCosts],
  "redis-aof": [...answered, ...redisCosts, "AOF bytes/job"],
  "redis-cluster": [
    "question",
    "system",
    "median",
    "min - max",
    "of one server",
    "client CPU µs/job",
    "masters' CPU µs/job",
    "of one server",
    "replicas' CPU µs/job",
    "bytes/job to and from the masters",
  ],
  "redis-due": [...answered, "ms of a script on the server p50, p99", "the slowest, by SLOWLOG", "at 1 ms or more", ...redisCosts],
  "redis-idle": [...answered, "% of a core: client", "server"],
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
  redis: (question, cells, system) => [...valueOf(question, cells, system), ...redisCostsOf(cells, system)],
  "redis-aof": (question, cells, system) => [
    ...valueOf(question, cells, system),
    ...redisCostsOf(cells, system),
    shown(medianOf(cells, system, "aofBytes"), 0),
  ],
  "redis-cluster": (question, cells, system) => {
    const values = valuesOf(cells, system, "perSecond");
    const [single, cpu, replicas] = [singleOf(system), "serverMicroseconds", medianOf(cells, system, "replicaMicroseconds")];
    const of = (figure: string): string => (single === undefined ? "" : (medianOf(cells, system, figure) / medianOf(cells, single, figure)).toFixed(2));
    return [
      question.title,
      system,
      `${whole(median(values))}/s`,
      rangeOf(values, whole),
      of("perSecond"),
      shown(medianOf(cells, system, "clientMicroseconds"), 1),
      shown(medianOf(cells, system, cpu), 1),
      of(cpu),
      single === undefined ? "" : shown(replicas, 1),
      `${whole(medianOf(cells, system, "bytesIn"))}, ${whole(medianOf(cells, system, "bytesOut"))}`,
    ];
  },
  "redis-due": (question, cells, system) => [
    // A claim of a hundred jobs and one of a single job are not compared.
    ...(question.unit === "ms" ? valueOf(question, cells, system).with(-1, "") : valueOf(question, cells, system)),
    quantilesOf(cells, system, ["scriptP50ms", "scriptP99ms"]),
    shown(medianOf(cells, system, "slowestMs"), 2),
    whole(medianOf(cells, system, "slow")),
    ...redisCostsOf(cells, system),
  ],
  "redis-idle": (question, cells, system) => [
    ...valueOf(question, cells, system),
    shown(medianOf(cells, system, "clientPercent"), 2),
    shown(medianOf(cells, system, "serverPercent"), 2),
  ],
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
  "commands/s": { figure: "commandsPerSecond", digits: 1, after: " commands/s", ratio: (ratio) => `${ratio.toFixed(2)}x as many` },
};

/** What a system on a cluster is on one server. */
function singleOf(system: string): string | undefined {
  return system.includes("(cluster)") ? system.replace("errand (cluster)", "errand (redis)").replace(" (cluster)", "") : undefined;
}

function valueOf(question: BenchQuestion, cells: readonly Cell[], system: string): readonly string[] {
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

function redisCostsOf(cells: readonly Cell[], system: string): readonly string[] {
  const figures: readonly (readonly [string, number])[] = [
    ["clientMicroseconds", 1],
    ["serverMicroseconds", 1],
    ["commands", 2],
  ];
  return figures.map(([figure, digits]) => shown(medianOf(cells, system, figure), digits));
}
