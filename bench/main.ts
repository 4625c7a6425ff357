/**
 * `npm run bench`: systems interleaved (A B C A B C), several rounds, medians and spread, CPU of the process apart.
 * A round in which the machine was busy with something else is thrown away and run again, at most three times.
 *   -- --rounds 5   -- --question drain   -- --store postgres   -- --json   -- --write (docs/benchmarks.md, with its charts)
 *   -- --full (all questions, more jobs: some six hours, a third of it with --rounds 1; each answer is given up after 20 minutes)   -- --full --huge (backlogs of ten million, too)
 *   -- --from bench/results/….jsonl --write (of a run that was kept, as all are; several, separated by commas: nothing is measured)
 *   -- --question paced-pinned --seconds 500 (a million jobs)   -- --question history --jobs 10000000
 *   -- --store redis --durability aof-everysec (memory, aof-everysec or aof-always for all of its questions; never written)
 *   -- --question pinned --seconds 30   -- --jobs 1000 (of each: a trial, kept however busy the machine is, and never written)
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { ask } from "./ask.ts";
import type { Cell } from "./figures.ts";
import { isBusy, sampleMachine } from "./machine.ts";
import { storeOf, type BenchQuestion } from "./question.ts";
import { jobsOf, questions, questionsFor } from "./questions.ts";
import * as postgres from "./postgres/server.ts";
import { durabilities, isDurability, type Durability } from "./redis/durability.ts";
import * as redis from "./redis/server.ts";
import { jsonOf, textOf, type Machine } from "./report.ts";
import { begin, keep, kept, type Run } from "./run.ts";
import type { Figures, Store } from "./systems/system.ts";

const retriesMax = 3;
const secondsUsually = 30;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    question: { type: "string" },
    store: { type: "string" },
    seconds: { type: "string" },
    jobs: { type: "string" },
    full: { type: "boolean", default: false },
    huge: { type: "boolean", default: false },
    durability: { type: "string" },
    from: { type: "string" },
    json: { type: "boolean" },
    write: { type: "boolean" },
  },
});

/** Of whoever asks: the server's own settings are measured, and no session's. */
delete process.env["PGOPTIONS"];
/** No figures are wanted: nothing is measured again. */
const isTrial = values.jobs !== undefined;
const durability = durabilityAsked();
const runs = values.from === undefined ? [await measuredNow()] : values.from.split(",").map(kept);
for (const { cells, machine } of runs) console.log(values.json ? jsonOf(cells) : textOf(cells, machine));
if (values.write && !isTrial && durability === undefined) for (const run of runs) await write(run);

function durabilityAsked(): Durability | undefined {
  const { durability: text } = values;
  if (text === undefined || isDurability(text)) return text;
  throw new Error(`there is no durability ${text}; use ${Object.keys(durabilities).join(", ")}`);
}

async function measuredNow(): Promise<Run> {
  const { servers, asked } = await whatToAsk();
  const machine: Machine = { cpu: cpus()[0]?.model ?? "an unknown CPU", cores: cpus().length, node: process.version, servers };
  const run: Run = { command: `npm run bench -- ${process.argv.slice(2).join(" ")}`, machine, cells: [] };
  const file = begin(run);
  for (const question of asked) {
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const system of question.systems) {
        const cell = isGivenUp(run.cells, question, system) ? undefined : await measured(question, system, round);
        if (cell === undefined) continue;
        run.cells.push(cell);
        keep(file, cell);
      }
    }
  }
  tell("");
  console.error(`kept in ${file}`);
  return run;
}

/** What cannot be measured here is told and left out. */
async function whatToAsk(): Promise<{ readonly servers: Machine["servers"]; readonly asked: readonly BenchQuestion[] }> {
  const wanted = questionsFor({ full: values.full, huge: values.huge, question: values.question, store: values.store });
  if (wanted.length === 0)
    throw new Error(`nothing to ask; questions are ${[...new Set(questions.map(({ name }) => name))].join(", ")}, stores sqlite, postgres, redis`);
  const isAsked = (store: Store): boolean => wanted.some(({ section }) => storeOf(section) === store);
  const servers = {
    postgres: isAsked("postgres") ? await postgres.serverFacts() : undefined,
    redis: isAsked("redis") ? await redis.serverFacts(durability) : undefined,
  };
  if (servers.postgres !== undefined) await postgres.dropLeftovers();
  if (servers.redis !== undefined) redis.endLeftovers();
  const isThere = (store: Store): boolean => store === "sqlite" || servers[store] !== undefined;
  return { servers, asked: wanted.filter(({ section }) => isThere(storeOf(section))) };
}

/** Who gave no answer once is not asked again. */
function isGivenUp(cells: readonly Cell[], { section, title }: BenchQuestion, system: string): boolean {
  return cells.some((cell) => cell.section === section && cell.question === title && cell.system === system && cell.failure !== undefined);
}

async function measured(question: BenchQuestion, system: string, round: number): Promise<Cell> {
  const jobs = Number(values.jobs ?? jobsOf(question, system));
  const asked = { section: question.section, question: question.title, system, round, jobs };
  for (let thrownAway = 0; ; thrownAway++) {
    tell(`${question.title}: ${system}, round ${round}`);
    const before = sampleMachine();
    try {
      const figures = await answerOf(question, system, jobs);
      const wasBusy = isBusy(before, sampleMachine(), figures);
      if (!wasBusy || thrownAway + 1 === retriesMax || isTrial) return { ...asked, figures, wasBusy, thrownAway };
    } catch (error) {
      tell("");
      const message = error instanceof Error ? error.message : String(error);
      console.error(message);
      process.exitCode = 1;
      return { ...asked, figures: {}, wasBusy: false, thrownAway, failure: reasonIn(message) };
    }
  }
}

/** Of a process's last words: what the error says, without where. */
function reasonIn(message: string): string {
  const lines = message.split("\n");
  return (lines.find((line) => /^\w*Error(?: \[.*\])?: /.test(line)) ?? lines[0] ?? "").replace(/^\w*Error(?: \[.*\])?: /, "").replaceAll("|", "/");
}

function answerOf({ name, title, seconds, held, backlog, durability: ownDurability }: BenchQuestion, system: string, jobs: number): Promise<Figures> {
  const asked = { seconds: Number(values.seconds ?? seconds ?? secondsUsually), held, backlog, durability: durability ?? ownDurability };
  return ask({ system, question: name, title, jobs, asked });
}

function tell(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${line}`);
}

async function write(run: Run): Promise<void> {
  const { writeReport } = await import("./write.ts");
  const written = await writeReport(run);
  console.error(written.length === 0 ? "nothing written: no section was measured as a whole; ask with --full" : `written: ${written.join("; ")}`);
}
