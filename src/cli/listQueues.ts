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

interface Workers {
  readonly workers: number;
  readonly running: number;
}

/** 3: no job was ever stored. */
export async function listQueues(store: OpenStore, given: Arguments): Promise<number> {
  const lines = (await store.work.counts()).toSorted((a, b) => a.queue.localeCompare(b.queue) || a.task.localeCompare(b.task));
  const totals = await store.work.count();
  const [pauses, workers] = [await pausesOf(store), await workersOf(store)];
  if (given.has("json")) say(plainJson({ queues: lines, totals, pauses, ...workers }));
  else say([...(lines.length > 0 ? [linesTable(lines, totals, pauses)] : []), ...remarks(lines, pauses, workers)].join("\n"));
  if (lines.length === 0) remark("no jobs yet");
  return lines.length === 0 ? 3 : 0;
}

/** Those whose lease has not run out. */
async function workersOf({ engine }: OpenStore): Promise<Workers> {
  const { rows, now } = await engine.find({ of: "processes", limit: pageMax }, {});
  const live = rows.filter(({ leaseUntil }) => leaseUntil >= now);
  return { workers: live.length, running: live.reduce((sum, { running }) => sum + running, 0) };
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
  const states = jobStates.map((state): Column<Line> => ({ title: state, of: (line) => line.states[state], style: (line) => styleOf(state, line.states[state]) }));
  const wide = table(rows, [...names, ...states, { title: "", of: pauseOf, style: () => "yellow", isFree: true }]);
  if (widestLine(wide) <= (terminalWidth() ?? Number.POSITIVE_INFINITY)) return wide;
  return table(rows, [...names, { title: "jobs", of: (line) => [pauseOf(line), stateWords(line.states)].filter((words) => words !== "").join("; "), isFree: true }]);
}

/** What needs a person first. */
const urgentFirst: readonly JobState[] = ["dead", "parked", "running", "ready", "blocked", "scheduled", "completed", "skipped", "cancelled"];

function stateWords(states: StateCounts): string {
  return urgentFirst.filter((state) => states[state] > 0).map((state) => `${states[state].toLocaleString("en-US")} ${state}`).join(", ");
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
function remarks(lines: readonly Line[], pauses: readonly Pause[], { workers, running }: Workers): readonly string[] {
  const unused = pauses.filter((pause) => !lines.some((line) => isPausedBy(line, [pause])));
  const told = unused.map((pause) => paint("yellow", plain(`${pause.of} ${pause.name}: ${pauseText(pause)} (no jobs)`)));
  const live = workers === 0 ? paint("yellow", "no worker is running") : `${workers} ${workers === 1 ? "worker" : "workers"}, ${running.toLocaleString("en-US")} ${running === 1 ? "job" : "jobs"} running`;
  return [...told, live];
}
