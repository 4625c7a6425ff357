/**
 * `npm run bench`: systems interleaved (A B C A B C), several rounds, medians and spread, CPU of the process apart.
 * A round in which the machine was busy with something else is thrown away and run again, at most three times.
 *   -- --rounds 5   -- --question drain   -- --store postgres   -- --json   -- --write (docs/benchmarks.md)
 *   -- --question paced-pinned --seconds 500 (a million jobs)   -- --question history --jobs 10000000
 *   -- --store redis --durability aof-everysec (memory, aof-everysec or aof-always for all of its questions; never written)
 *   -- --full (all questions, more jobs)   -- --question pinned --seconds 30   -- --jobs 1000 (of each: a trial, kept however busy the machine is, and never written)
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { ask } from "./ask.ts";
import type { Cell } from "./figures.ts";
import { isBusy, sampleMachine } from "./machine.ts";
import { jobsOf, questions, questionsFor, storeOf, type BenchQuestion } from "./questions.ts";
import * as postgres from "./postgres/server.ts";
import { durabilities, isDurability, type Durability } from "./redis/durability.ts";
import * as redis from "./redis/server.ts";
import { jsonOf, textOf, type Machine } from "./report.ts";
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
    durability: { type: "string" },
    json: { type: "boolean" },
    write: { type: "boolean" },
  },
});

/** Of whoever asks: the server's own settings are measured, and no session's. */
delete process.env["PGOPTIONS"];
/** No figures are wanted: nothing is measured again. */
const isTrial = values.jobs !== undefined;
const cells: Cell[] = [];
let thrownAway = 0;
const durability = durabilityAsked();
const { servers, asked } = await whatToAsk();
for (const question of asked) {
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const system of question.systems) cells.push(await measured(question, system, Number(values.jobs ?? jobsOf(question, system)), round));
  }
}
if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
const machine: Machine = { cpu: cpus()[0]?.model ?? "an unknown CPU", cores: cpus().length, servers, thrownAway };
console.log(values.json ? jsonOf(cells) : textOf(cells, machine));
if (values.write && !isTrial && durability === undefined) await write();

function durabilityAsked(): Durability | undefined {
  const { durability: text } = values;
  if (text === undefined || isDurability(text)) return text;
  throw new Error(`there is no durability ${text}; use ${Object.keys(durabilities).join(", ")}`);
}

/** What cannot be measured here is told and left out. */
async function whatToAsk(): Promise<{ readonly servers: Machine["servers"]; readonly asked: readonly BenchQuestion[] }> {
  const wanted = questionsFor({ full: values.full, question: values.question, store: values.store });
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

async function measured(question: BenchQuestion, system: string, jobs: number, round: number): Promise<Cell> {
  for (let tries = 1; ; tries++) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${question.title}: ${system}, round ${round}`);
    const before = sampleMachine();
    const figures = await answerOf(question, system, jobs);
    const busy = isBusy(before, sampleMachine(), figures);
    if (!busy || tries === retriesMax || isTrial) return { section: question.section, question: question.title, system, round, jobs, figures, wasBusy: busy };
    thrownAway++;
  }
}

function answerOf({ name, title, seconds, held, durability: ownDurability }: BenchQuestion, system: string, jobs: number): Promise<Figures> {
  const asked = { seconds: Number(values.seconds ?? seconds ?? secondsUsually), held, durability: durability ?? ownDurability };
  return ask({ system, question: name, title, jobs, asked });
}

async function write(): Promise<void> {
  const { writeReport } = await import("./write.ts");
  const written = await writeReport(cells, machine, `npm run bench -- ${process.argv.slice(2).join(" ")}`);
  console.error(written.length === 0 ? "nothing written: no section was measured as a whole; ask with --full" : `written: ${written.join("; ")}`);
}
