/**
 * `npm run verify -- mutation --sample 300 --seed 1`: how many small changes of core and the worker the laws on memory and the tests of core notice. A sample, since
 * there are ten thousand; the interval says how far the score of all may be from it. Survivors are listed in .work/mutation/survivors.json.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { inRoot } from "../../scripts/root.ts";
import { record } from "../certificate/certificate.ts";
import { writeReliability } from "../certificate/document.ts";
import { tally, type Tally } from "../tally.ts";
import { seersOf, type Seers } from "./coverage.ts";
import { interval, percent } from "./interval.ts";
import { allMutants, sampleOf, type Mutant } from "./mutants.ts";

type Fate = "killed" | "timed out" | "survived" | "not run";

const { values } = parseArgs({
  options: { sample: { type: "string", default: "300" }, seed: { type: "string", default: "1" }, record: { type: "boolean", default: false } },
});
const [size, seed] = [Number(values.sample), Number(values.seed)];
/** On a machine that does much else. */
const patienceMs = 30_000;
const patienceTimes = 8;
const hook = inRoot("verify/planted/hook.ts");

const all = await allMutants();
const sample = sampleOf(all, size, seed);
console.log(`${all.length} mutants, of which ${sample.length} are tried, seed ${seed}`);
const seers = seersOf(sample, (what) => console.log(`  ${what}`));
const texts = new Map(sample.map(({ file }) => [file, readFileSync(inRoot(file), "utf8")]));
const counts = { killed: 0, "timed out": 0, survived: 0, "not run": 0 };
const survivors: object[] = [];
/** They are in no order, so that the first of them are a sample as well. */
let isStopped = false;
process.on("SIGINT", () => (isStopped = true));
for (const [nth, mutant] of sample.entries()) {
  if (isStopped) break;
  if (readFileSync(inRoot(mutant.file), "utf8") !== texts.get(mutant.file))
    throw new Error(`${mutant.file} was changed meanwhile: mutants are told by their place; run this in a clone of its own`);
  const seenBy = seers[nth] ?? { laws: [], files: [] };
  const { fate, by } = await fateOf(mutant, seenBy);
  counts[fate]++;
  console.log(`${nth + 1}/${sample.length} ${fate}${by === undefined ? "" : ` by ${by}`}: ${mutant.file}:${mutant.line} ${mutant.kind}`);
  if (fate === "survived" || fate === "not run") survivors.push({ fate, laws: seenBy.laws.length, files: seenBy.files, ...mutant });
  mkdirSync(inRoot(".work/mutation"), { recursive: true });
  writeFileSync(inRoot(".work/mutation/survivors.json"), JSON.stringify(survivors, null, 1));
}
const noticed = counts.killed + counts["timed out"];
const tried = noticed + counts.survived + counts["not run"];
const [least, most] = interval(noticed, tried);
console.log(`${tried} tried, ${JSON.stringify(counts)}: ${percent(noticed / tried)} noticed; of all, ${percent(least)} to ${percent(most)} (95 %, Wilson)`);
const { killed, survived } = counts;
const done: Tally = {
  layer: "mutation",
  engine: "memory",
  seeds: String(seed),
  counts: { mutants: tried, killed, timedOut: counts["timed out"], survived, notRun: counts["not run"] },
};
tally(done);
if (values.record) {
  record([done]);
  writeReliability();
}

async function fateOf(mutant: Mutant, { laws, files }: Seers): Promise<{ readonly fate: Fate; readonly by?: string }> {
  if (laws.length === 0 && files.length === 0) return { fate: "not run" };
  const lawsMs = laws.reduce((sum, { ms }) => sum + ms, 0);
  const byLaw = laws.length === 0 ? undefined : await run(mutant, ["verify/mutation/inMutant.ts"], JSON.stringify(laws.map(({ name }) => name)), lawsMs);
  if (byLaw?.is === "timed out") return { fate: "timed out" };
  if (byLaw?.is === "red") return { fate: "killed", by: byLaw.said || "a process that ended" };
  if (files.length === 0) return { fate: "survived" };
  const byFile = await run(mutant, ["--test", "--test-concurrency=1", "--test-reporter=tap", ...files], "", files.length * 5_000);
  if (byFile.is === "timed out") return { fate: "timed out" };
  return byFile.is === "red" ? { fate: "killed", by: /^\s*not ok \d+ - (.*)$/m.exec(byFile.said)?.[1] ?? "a test" } : { fate: "survived" };
}

/** In a group of its own, so that what a test started ends with it. */
function run(
  mutant: Mutant,
  args: readonly string[],
  input: string,
  usualMs: number,
): Promise<{ readonly is: "green" | "red" | "timed out"; readonly said: string }> {
  const { file, start, end, to } = mutant;
  const env = {
    ...process.env,
    ERRAND_MUTANT: JSON.stringify({ file, start, end, to }),
    NODE_OPTIONS: `--import ${hook} --disable-warning=ExperimentalWarning`,
  };
  const child = spawn(process.execPath, [...args], { cwd: inRoot("."), env, stdio: ["pipe", "pipe", "ignore"], detached: true });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let said = "";
  child.stdout.on("data", (some: Buffer) => (said += some.toString()));
  return new Promise((resolve) => {
    let isLate = false;
    const timer = setTimeout(
      () => {
        isLate = true;
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      },
      patienceMs + patienceTimes * usualMs,
    );
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ is: isLate ? "timed out" : code === 0 ? "green" : "red", said });
    });
  });
}
