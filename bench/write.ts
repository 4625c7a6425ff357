/** docs/benchmarks.md: a section per store, each from one run. A section that a run did not answer as a whole stays as it was. */
import { readFile, writeFile } from "node:fs/promises";
import type { Cell } from "./figures.ts";
import { questionsFor, sections, storeOf, type Section } from "./questions.ts";
import { names, seriesOf, tableOf, type Machine, type Table } from "./report.ts";
import { systems } from "./systems.ts";

const document = new URL("../docs/benchmarks.md", import.meta.url);

const caveats: Readonly<Record<Section, string>> = {
  sqlite:
    "What is not measured here: payloads above 50 bytes, disks slower than this one (an fsync here takes about 0.1 ms, which flatters whoever commits job by job).",
  postgres: `Client, server and workers share these cores, and there is no network between them, which flatters whoever asks often. A drain runs in worker processes of its own
that are connected before it starts, over tables that were vacuumed and analysed, and ends when the last outcome is stored. Server CPU is that of the database's
backends; WAL bytes are the server's, those of the enqueues and of the drain, after a checkpoint.`,
  committers: `64 callers in a loop over a pool of 16 connections: BEGIN, an INSERT of one row into a table of the app's own, COMMIT. The other systems enqueue one job in each of these
transactions, and one worker process of theirs, with nothing else to do, takes the jobs and runs them meanwhile, on the same cores. Afterwards every row is there, and every
job has run once. "of the app's own" divides the commits in a second by those of the app's own insert alone.`,
  pinned: `Each system enqueues and drains at full speed in two processes, with some 30,000 jobs waiting, while another connection holds a transaction open.
"the rest ÷ first" compares the last two thirds of the time with the first third. The transaction that enqueued did so in the measured system, and never commits.`,
  paced: `One process enqueues 2,000 jobs in each second, in a call every 10 ms, and one worker process runs them; the call's beginning to the start of the run is measured. "late
at the end" are those that were enqueued and had not run by then. Dead rows and size are those of all tables of the system, after the worker has stopped and while the transaction
is still held. errand and pg-boss keep what was done, graphile-worker deletes it.`,
  history: `Completed jobs of the last hours, stored by SQL as the system's own verbs store them, then VACUUM ANALYZE; "before" there are some 200. Start: single enqueues to an idle worker in the same process, 50 a second. A
retention pass is one call of the verb that workers make each half second, while a tenth of the jobs is due to go. graphile-worker keeps no done jobs; pg-boss counts from a cache
and removes all that is due in one walk, so only its starts are compared.`,
  redis: `Client, server and workers share these cores, and there is no network between them, which flatters whoever asks often. Each answer has a server of its own, without snapshots and
without an append-only file: what it stores is lost when it ends. A drain runs in worker processes of its own that are connected before it starts, and ends when the last outcome is
stored. Commands are those that the server counts, with those of its scripts. Memory of a waiting job: what the server holds more with 100,000 of them, divided by these.`,
  "redis-aof": "The server writes to its append-only file and calls fsync before it answers (appendfsync always).",
  "redis-cluster": `Three masters with a replica each, and all clients, share the cores that one server has with its clients elsewhere: with machines of their own each master does what
one server does. CPU of masters and replicas is that of all three; bytes are those that the masters read and wrote, the stream to the replicas included.`,
  "redis-due": `The jobs are stored beforehand, due at one moment, at which a worker of 100 hands is at work; or they are claimed by the verb that the system's own worker uses, with the
settlement of the claim before, by a single caller: 100 jobs of errand's in a claim, one job of BullMQ's. Times of scripts are the server's own: while one runs, nobody else is answered.`,
  "redis-idle": "A worker process has run 100 jobs, rests for five seconds, and is measured in the ten that follow.",
};

/** Answers the titles of the sections that were written. */
export async function writeReport(cells: readonly Cell[], machine: Machine, command: string): Promise<readonly string[]> {
  const whole = (Object.keys(sections) as Section[]).filter((section) => isWhole(cells, section));
  let text = await readFile(document, "utf8");
  for (const section of whole) text = withSection(text, sections[section], await sectionOf(cells, section, machine, command));
  await writeFile(document, text);
  return whole.map((section) => sections[section]);
}

function isWhole(cells: readonly Cell[], section: Section): boolean {
  return questionsFor({ full: true, question: undefined, store: undefined })
    .filter((question) => question.section === section)
    .every(({ title, systems: asked }) =>
      asked.every((system) => cells.some((cell) => cell.section === section && cell.question === title && cell.system === system)),
    );
}

function withSection(text: string, title: string, section: string): string {
  const [head = "", ...others] = text.split(/^(?=## )/m);
  const at = others.findIndex((other) => other.startsWith(`## ${title}\n`));
  const kept = others.map((other, index) => (index === at ? section : other));
  return [head, ...kept, ...(at < 0 ? [section] : [])].map((part) => `${part.trimEnd()}\n`).join("\n");
}

async function sectionOf(all: readonly Cell[], section: Section, machine: Machine, command: string): Promise<string> {
  const cells = all.filter((cell) => cell.section === section);
  const rounds = Math.max(...cells.map((cell) => cell.round));
  const asked = [...new Set(cells.map((cell) => cell.system))];
  const settings = await Promise.all(asked.map(async (name) => `- **${name}**: ${(await systems[name]?.())?.settings ?? ""}`));
  const own = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  const facts = machine.servers[storeOf(section)];
  const server = facts === undefined ? "" : `, ${facts}`;
  return `## ${sections[section]}

Written by \`${command}\`: medians of ${rounds} rounds with the smallest and largest.

errand ${own.version}, Node ${process.version}${server}, ${machine.cores} cores of ${machine.cpu}. Rounds thrown away because the machine was busy: ${machine.thrownAway}; kept although it was: ${cells.filter((cell) => cell.wasBusy).length}.

${markdownOf(tableOf(cells, section))}
${
  section === "pinned"
    ? `\nThousands of jobs in each second:\n\n${seriesOf(cells)
        .map((line) => `- ${line}\n`)
        .join("")}`
    : ""
}
Settings:
${settings.join("\n")}

${caveats[section]}
`;
}

function markdownOf({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map((_, column) => (column < names ? "---" : "--:")).join("|")}|`, ...rows.map(line)].join("\n");
}
