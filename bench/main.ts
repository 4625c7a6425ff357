/**
 * `npm run bench`: systems interleaved (A B C A B C), several rounds, medians and spread, CPU of the process apart.
 * A round in which the machine was busy with something else is thrown away and run again, at most three times.
 *   -- --rounds 5   -- --question drain   -- --json   -- --write (docs/benchmarks.md)
 */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { parseArgs, promisify } from "node:util";
import { isBusy, sampleMachine } from "./machine.ts";
import { jsonOf, textOf, type Cell } from "./report.ts";
import { questions } from "./questions.ts";

const run = promisify(execFile);
const retriesMax = 3;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, question: { type: "string" }, json: { type: "boolean" }, write: { type: "boolean" } },
});

const cells: Cell[] = [];
let thrownAway = 0;
for (const question of questions.filter(({ name }) => values.question === undefined || name === values.question)) {
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const system of question.systems) cells.push(await measured(question.name, system, question.jobs[system] ?? question.jobs["errand"] ?? 1, round));
  }
}
if (!values.json) console.log(textOf(cells, { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, thrownAway }));
else console.log(jsonOf(cells));
if (values.write) await (await import("./write.ts")).writeReport(cells, thrownAway);

async function measured(question: string, system: string, jobs: number, round: number): Promise<Cell> {
  for (let tries = 1; ; tries++) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${question}: ${system}, round ${round}`);
    const before = sampleMachine();
    const { stdout } = await run(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", new URL("child.ts", import.meta.url).pathname, system, question, String(jobs)],
      { maxBuffer: 1e8 },
    );
    const figures = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Record<string, number>;
    const busy = isBusy(before, sampleMachine(), figures["cpuSeconds"] ?? 0);
    if (!busy || tries === retriesMax) return { question, system, round, jobs, figures, wasBusy: busy };
    thrownAway++;
  }
}
