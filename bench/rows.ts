/** A table per section: its head, and the row of a system's answers to a question. */
import { answered, costsOf, cpus, cpusOf, quantilesOf, rangeOf, redisCostsOf, valueOf } from "./columns.ts";
import { median, medianOf, shown, valuesOf, whole, type Cell } from "./figures.ts";
import { topicOf, type BenchQuestion, type Section, type Topic } from "./question.ts";
import { topicHeads, topicRows, type RowOf } from "./topicRows.ts";

const costs = [...cpus, "WAL bytes/job"];
const redisCosts = [...cpus, "commands/job"];

/** Of what is asked on every store, only where a store has more to tell. */
type Own = Exclude<Section, `${string}-${Topic}`> | "redis-due" | "redis-idle" | "postgres-history";

const heads: Readonly<Record<Own, readonly string[]>> = {
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
  "postgres-history": [
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

const rowsOf: Readonly<Record<Own, RowOf>> = {
  sqlite: (question, cells, system) => [...valueOf(question, cells, system), cpusOf(cells, system)[0] ?? ""],
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
  "postgres-history": (question, cells, system) => [
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

/** What a system on a cluster is on one server. */
function singleOf(system: string): string | undefined {
  return system.includes("(cluster)") ? system.replace("errand (cluster)", "errand (redis)").replace(" (cluster)", "") : undefined;
}

export function headOf(section: Section): readonly string[] {
  const topic = topicOf(section);
  return isOwn(section) ? heads[section] : topicHeads[topic ?? "load"];
}

/** Where a system gave no answer in any round, its reason. */
export function rowOf(question: BenchQuestion, cells: readonly Cell[], system: string): readonly string[] {
  const asked = cells.filter((cell) => cell.system === system);
  const failure = asked.every((cell) => cell.failure !== undefined) ? asked[0]?.failure : undefined;
  if (failure !== undefined) return headOf(question.section).map((_, column) => [question.title, system, `no answer: ${failure}`][column] ?? "");
  const topic = topicOf(question.section);
  return isOwn(question.section) ? rowsOf[question.section](question, cells, system) : topicRows[topic ?? "load"](question, cells, system);
}

function isOwn(section: Section): section is Own {
  return Object.hasOwn(heads, section);
}
