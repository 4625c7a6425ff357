/** Tables of what is asked on every store. */
import { answered, cpus, cpusOf, quantilesOf, rangeOf, valueOf } from "./columns.ts";
import { median, medianOf, shown, valuesOf, whole, type Cell } from "./figures.ts";
import type { BenchQuestion, Topic } from "./question.ts";

export type RowOf = (question: BenchQuestion, cells: readonly Cell[], system: string) => readonly string[];

export const topicHeads: Readonly<Record<Topic, readonly string[]>> = {
  load: ["arrivals", "system", "jobs/s", "ms to start p50", "p99", "p99.9", "largest", "min - max of p99", "errand's p99 is", ...cpus],
  backlog: ["jobs that wait", "system", "jobs/s", "min - max", ...cpus, "CPU µs/job in all"],
  killed: ["question", "system", "nobody killed", "meanwhile", "share", "min - max", "killed", "s until all had run", "left after 60 s"],
  due: [...answered, ...cpus],
  history: ["question", "system", "kept", "ms to start p50, p99: before", "with them", "CPU µs/job: the first ones", "the last ones", "MiB"],
  idle: [...answered, "server"],
};

export const topicRows: Readonly<Record<Topic, RowOf>> = {
  load: (question, cells, system) => {
    const p99 = valuesOf(cells, system, "p99ms");
    const [own, first] = [medianOf(cells, system, "p99ms"), question.systems[0] ?? ""];
    return [
      question.title,
      system,
      whole(medianOf(cells, system, "perSecond")),
      ...["p50ms", "p99ms", "p999ms", "maxMs"].map((figure) => shown(medianOf(cells, system, figure), 2)),
      rangeOf(p99, (value) => shown(value, 2)),
      system === first ? "" : `${(medianOf(cells, first, "p99ms") / own).toFixed(2)}x as long`,
      ...cpusOf(cells, system),
    ];
  },
  backlog: (question, cells, system) => [
    question.title,
    system,
    whole(medianOf(cells, system, "perSecond")),
    rangeOf(valuesOf(cells, system, "perSecond"), whole),
    ...cpusOf(cells, system),
    shown(medianOf(cells, system, "costMicroseconds"), 1),
  ],
  killed: (question, cells, system) => [
    question.title,
    system,
    `${whole(medianOf(cells, system, "calmPerSecond"))}/s`,
    `${whole(medianOf(cells, system, "perSecond"))}/s`,
    `${Math.round(medianOf(cells, system, "share") * 100)} %`,
    rangeOf(valuesOf(cells, system, "perSecond"), whole),
    whole(medianOf(cells, system, "kills")),
    shown(medianOf(cells, system, "recoveredSeconds"), 1),
    whole(medianOf(cells, system, "stranded")),
  ],
  due: (question, cells, system) => [...valueOf(question, cells, system), ...cpusOf(cells, system)],
  history: (question, cells, system) => [
    question.title,
    system,
    whole(median(cells.filter((cell) => cell.system === system).map(({ jobs }) => jobs))),
    quantilesOf(cells, system, ["emptyP50ms", "emptyP99ms"]),
    quantilesOf(cells, system, ["p50ms", "p99ms"]),
    shown(medianOf(cells, system, "firstMicroseconds"), 1),
    shown(medianOf(cells, system, "lastMicroseconds"), 1),
    shown(medianOf(cells, system, "mebibytes"), 0),
  ],
  idle: (question, cells, system) => [...valueOf(question, cells, system), quantilesOf(cells, system, ["serverPercent"])],
};
