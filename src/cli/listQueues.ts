/** `errand queues list`: jobs in each state, what is paused, and which workers there are. */
import { stripVTControlCharacters } from "node:util";
import { pageMax } from "../core/defaults.ts";
import { inWords } from "../core/duration.ts";
import type { Broker, JobState, StateCounts } from "../index.ts";
import { jobStates } from "../core/states.ts";
import { realRuntime } from "../runtime/real.ts";
import type { Arguments } from "./arguments.ts";
import { paint, remark, say, terminalWidth, type Style } from "./output.ts";
import { isPausedBy, pausesOf, type Pause } from "./pauses.ts";
import { plain, plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";
import { table, type Column } from "./table.ts";
import { textWidth } from "./textWidth.ts";

type Line = Awaited<ReturnType<Broker["counts"]>>[number];

/** One that holds jobs: an idle one writes nothing, so the store does not know of it. */
interface WorkerLine {
  readonly process: string;
  readonly running: number;
  readonly leaseUntil: Date;
  /** Its lease has run out: its jobs will be taken back by the next worker. */
  readonly isSilent: boolean;
}

/** 3: no job was ever stored. */
export async function listQueues(store: OpenStore, given: Arguments): Promise<number> {
  const lines = (await store.work.counts()).toSorted((a, b) => a.queue.localeCompare(b.queue) || a.task.localeCompare(b.task));
  const totals = await store.work.count();
  const [pauses, workers] = [await pausesOf(store), await workersOf(store)];
  if (given.has("json")) say(plainJson({ queues: lines, totals, pauses, workers }));
  else
    for (const text of [...(lines.length > 0 ? [linesTable(lines, totals, pauses)] : []), ...unusedPauses(lines, pauses), ...workerWords(workers)]) say(text);
  if (lines.length === 0) remark("no jobs yet");
  return lines.length === 0 ? 3 : 0;
}

/** At most 1,000. */
async function workersOf({ engine }: OpenStore): Promise<readonly WorkerLine[]> {
  const { rows, now } = await engine.find({ of: "processes", limit: pageMax }, {});
  const busy = rows.filter(({ running }) => running > 0);
  return busy.map(({ process, running, leaseUntil }) => ({ process, running, leaseUntil: new Date(leaseUntil), isSilent: leaseUntil < now }));
}

/** A column for each state, or where the terminal is too narrow for that, only the states that have jobs, in words. */
function linesTable(lines: readonly Line[], totals: StateCounts, pauses: readonly Pause[]): string {
  const total = { queue: "total", task: "", isPaused: false, states: totals };
  const rows: readonly Line[] = lines.length > 1 ? [...lines, total] : lines;
  const names: readonly Column<Line>[] = [
    { title: "queue", of: (line) => line.queue, style: (line) => (line === total ? "bold" : undefined) },
    { title: "task", of: (line) => line.task },
  ];
  const pauseOf = (line: Line): string => (line === total ? "" : pauseText(isPausedBy(line, pauses)));
  const states = jobStates.map((state): Column<Line> => ({
    title: state,
    of: (line) => line.states[state],
    style: (line) => styleOf(state, line.states[state]),
  }));
  const wide = table(rows, [...names, ...states, { title: "", of: pauseOf, style: () => "yellow", isFree: true }]);
  if (widestLine(wide) <= (terminalWidth() ?? Number.POSITIVE_INFINITY)) return wide;
  return table(rows, [
    ...names,
    { title: "jobs", of: (line) => [pauseOf(line), stateWords(line.states)].filter((words) => words !== "").join("; "), isFree: true },
  ]);
}

/** What needs a person first. */
const urgentFirst: readonly JobState[] = ["dead", "parked", "running", "ready", "blocked", "scheduled", "completed", "skipped", "cancelled"];

function stateWords(states: StateCounts): string {
  return urgentFirst
    .filter((state) => states[state] > 0)
    .map((state) => `${states[state].toLocaleString("en-US")} ${state}`)
    .join(", ");
}

function widestLine(text: string): number {
  return Math.max(...stripVTControlCharacters(text).split("\n").map(textWidth));
}

function styleOf(state: JobState, jobs: number): Style | undefined {
  if (jobs === 0) return "dim";
  return state === "dead" || state === "parked" ? "red" : undefined;
}

function pauseText(pause: Pause | undefined): string {
  if (pause === undefined) return "";
  const since = inWords(Math.max(0, realRuntime().now() - pause.since.getTime()));
  return `${pause.of} paused for ${since}${pause.reason === "" ? "" : `: ${pause.reason}`}`;
}

/** What no line of the table tells. */
function unusedPauses(lines: readonly Line[], pauses: readonly Pause[]): readonly string[] {
  const unused = pauses.filter((pause) => !lines.some((line) => isPausedBy(line, [pause])));
  return unused.map((pause) => paint("yellow", plain(`${pause.of} ${pause.name}: ${pauseText(pause)} (no jobs)`)));
}

function workerWords(workers: readonly WorkerLine[]): readonly string[] {
  const [silent, live] = [workers.filter(({ isSilent }) => isSilent), workers.filter(({ isSilent }) => !isSilent)];
  return [
    ...(live.length > 0 ? [`${jobsOf(live)} in ${live.length} ${live.length === 1 ? "worker" : "workers"}`] : []),
    ...(silent.length > 0
      ? [paint("yellow", `${jobsOf(silent)} in ${silent.length} that ${silent.length === 1 ? "is" : "are"} silent: the next worker takes them back`)]
      : []),
  ];
}

function jobsOf(workers: readonly WorkerLine[]): string {
  const running = workers.reduce((sum, worker) => sum + worker.running, 0);
  return `${running.toLocaleString("en-US")} ${running === 1 ? "job runs" : "jobs run"}`;
}
