/** The charts of a section: throughput against processes, how long starts take, and cost against the backlog. */
import { median, type Cell } from "../figures.ts";
import { storeOf, topicOf, type Section } from "../question.ts";
import { shares } from "../systems/system.ts";
import { numberOf } from "./axis.ts";
import { looksOf, type Look } from "./palette.ts";
import { svgOf, type Line, type Plot, type Point } from "./plot.ts";

export interface Chart {
  /** Of its file, without the folder. */
  readonly name: string;
  readonly svg: string;
  /** What is to be seen, for who does not see it. */
  readonly alt: string;
}

const stores = { sqlite: "SQLite", postgres: "PostgreSQL", redis: "Redis" };
const drains = new Map([
  ["drain of no-op jobs, 1 process", 1],
  ["drain of no-op jobs, 2 processes", 2],
  ["drain of no-op jobs, 4 processes", 4],
]);
const percents = [10, 50, 90, 99, 99.9];
/** Arrivals are random: a rate that is the same for all is not quite. */
const sameRate = 1.3;

export function chartsOf(all: readonly Cell[], section: Section): readonly Chart[] {
  const cells = all.filter((cell) => cell.section === section && cell.failure === undefined);
  const topic = topicOf(section);
  if (section === storeOf(section)) return [processes(cells, section)].filter((chart) => chart !== undefined);
  if (topic === "load") return [starts(cells, section)].filter((chart) => chart !== undefined);
  return topic === "backlog" ? [backlog(cells, section)].filter((chart) => chart !== undefined) : [];
}

function processes(cells: readonly Cell[], section: Section): Chart | undefined {
  const own = cells.filter(({ question }) => drains.has(question));
  const lines = linesOf(own, ({ question }) => drains.get(question) ?? Number.NaN, "perSecond").filter(({ points }) => points.length > 1);
  if (lines.length === 0) return undefined;
  const plot: Plot = {
    title: `${stores[storeOf(section)]}: throughput against worker processes`,
    note: noteOf(own, "bars"),
    x: { label: "worker processes", ticks: [1, 2, 4].map((at) => ({ at, text: String(at) })), scale: Math.log2 },
    yLabel: "jobs per second (logarithmic)",
    panels: [{ title: "Drain of no-op jobs", lines }],
  };
  const said = lines.map(({ name, points }) => `${name} ${listed(points.map(({ median: value }) => numberOf(value)))}`);
  return {
    name: `${section}-processes`,
    svg: svgOf(plot),
    alt: `Jobs per second with ${listed((lines[0]?.points ?? []).map(({ x }) => String(x)))} worker processes: ${said.join("; ")}.`,
  };
}

function starts(cells: readonly Cell[], section: Section): Chart | undefined {
  const questions = [...new Set(cells.map(({ question }) => question))];
  const panels = questions.map((question) => {
    const own = cells.filter((cell) => cell.question === question);
    return { title: `Arrivals at random: ${question}`, question, lines: distributions(own) };
  });
  if (panels.length === 0) return undefined;
  const plot: Plot = {
    title: `${stores[storeOf(section)]}: from a job's arrival to its start`,
    note: noteOf(cells, "bands"),
    x: {
      label: "percent of the jobs that started within this time",
      ticks: percents.map((at) => ({ at: at / 100, text: String(at) })),
      scale: (share) => -Math.log10(1 - share),
    },
    yLabel: "milliseconds (logarithmic)",
    panels,
  };
  const at = ({ points }: Line, share: number): string => numberOf(points.find(({ x }) => x === share)?.median ?? Number.NaN);
  const said = panels.map(
    ({ question, lines }) => `${question}: ${lines.map((line) => `${line.name} ${at(line, 0.5)} ms at p50 and ${at(line, 0.999)} ms at p99.9`).join(", ")}`,
  );
  return { name: `${section}-latency`, svg: svgOf(plot), alt: `How long jobs that arrive at random wait until they start. With ${said.join(". With ")}.` };
}

function backlog(cells: readonly Cell[], section: Section): Chart | undefined {
  const waiting = ({ question }: Cell): number => Number(question.replace(/ waiting$/, "").replaceAll(",", ""));
  const lines = linesOf(cells, waiting, "costMicroseconds");
  if (lines.length === 0) return undefined;
  const all = [...new Set(cells.map(waiting))].sort((a, b) => a - b);
  const plot: Plot = {
    title: `${stores[storeOf(section)]}: cost of a job against the backlog`,
    note: noteOf(cells, "bars"),
    x: { label: "jobs that wait meanwhile (logarithmic)", ticks: all.map((at) => ({ at, text: at.toLocaleString("en-US") })), scale: Math.log10 },
    yLabel: "CPU µs per job (logarithmic)",
    panels: [{ title: `Enqueue, claim, run and settle: CPU of the processes${storeOf(section) === "sqlite" ? "" : " and of the server"}`, lines }],
  };
  const said = lines.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    return `${name} ${numberOf(first?.median ?? Number.NaN)} µs with ${first?.x.toLocaleString("en-US")} and ${numberOf(last?.median ?? Number.NaN)} µs with ${last?.x.toLocaleString("en-US")} waiting`;
  });
  return { name: `${section}`, svg: svgOf(plot), alt: `CPU of a job against the number of jobs that wait: ${said.join("; ")}.` };
}

/** With the rate, where it is each system's own. */
function distributions(cells: readonly Cell[]): readonly Line[] {
  const rateOf = (system: string): number => pointOf(0, cells, system, "perSecond").median;
  const rates = cells.map(({ system }) => rateOf(system));
  const isSame = Math.max(...rates) < sameRate * Math.min(...rates);
  return each(cells, (system, look) => ({
    name: system,
    ...(!isSame && { aside: `${numberOf(rateOf(system))}/s` }),
    look,
    points: shares.map((share) => pointOf(share, cells, system, `share ${share}`)),
  }));
}

function linesOf(cells: readonly Cell[], xOf: (cell: Cell) => number, figure: string): readonly Line[] {
  const xs = [...new Set(cells.map(xOf))].sort((a, b) => a - b);
  return each(cells, (system, look) => ({
    name: system,
    look,
    points: xs
      .map((x) =>
        pointOf(
          x,
          cells.filter((cell) => xOf(cell) === x),
          system,
          figure,
        ),
      )
      .filter((point) => !Number.isNaN(point.median)),
  }));
}

function each(cells: readonly Cell[], lineOf: (system: string, look: Look) => Line): readonly Line[] {
  const systems = [...new Set(cells.map(({ system }) => system))];
  return [...looksOf(systems)].map(([system, look]) => lineOf(system, look));
}

function pointOf(x: number, cells: readonly Cell[], system: string, figure: string): Point {
  const values = cells.filter((cell) => cell.system === system).map((cell) => cell.figures[figure] ?? Number.NaN);
  return { x, median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function noteOf(cells: readonly Cell[], spread: "bars" | "bands"): string {
  const rounds = Math.max(...cells.map(({ round }) => round));
  return `Medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}; ${spread}: the smallest and largest`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
