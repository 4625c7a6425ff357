/**
 * `npm run verify -- mutation --sample 300 --seed 1`: how many small changes of core and the worker the laws on memory and the tests of core notice. A sample, since
 * there are ten thousand; the interval says how far the score of all may be from it. What became of each is listed in .work/mutation/tried.json.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../../scripts/root.ts";
import { record } from "../certificate/certificate.ts";
import { writeReliability } from "../certificate/document.ts";
import { tally, type Tally } from "../tally.ts";
import { seersOf, type Seer, type Seers } from "./coverage.ts";
import { isEquivalent } from "./equivalent.ts";
import { interval, percent } from "./interval.ts";
import { allMutants, sampleOf } from "./mutants.ts";
import { tried } from "./trial.ts";

const { values } = parseArgs({
  options: { sample: { type: "string", default: "300" }, seed: { type: "string", default: "1" }, record: { type: "boolean", default: false } },
});
const [size, seed] = [Number(values.sample), Number(values.seed)];
const folder = inRoot(".work/mutation");
const noticersFile = path.join(folder, "noticers.json");

const all = await allMutants();
const sample = sampleOf(all, size, seed);
console.log(`${all.length} mutants, of which ${sample.length} are tried, seed ${seed}`);
const seers = seersOf(sample, (what) => console.log(`  ${what}`));
const texts = new Map(sample.map(({ file }) => [file, readFileSync(inRoot(file), "utf8")]));
/** Who noticed a mutant in the last campaign is asked first in this one. */
const noticers = new Map(Object.entries(existsSync(noticersFile) ? (JSON.parse(readFileSync(noticersFile, "utf8")) as Record<string, string>) : {}));
const counts = { killed: 0, "timed out": 0, survived: 0, "not run": 0, equivalent: 0 };
const told: object[] = [];
/** They are in no order, so that the first of them are a sample as well. */
let isStopped = false;
process.on("SIGINT", () => (isStopped = true));
mkdirSync(folder, { recursive: true });
await assertGreenWithout();
for (const [nth, mutant] of sample.entries()) {
  if (isStopped) break;
  const { file, line, kind, id } = mutant;
  if (readFileSync(inRoot(file), "utf8") !== texts.get(file))
    throw new Error(`${file} was changed meanwhile: mutants are told by their place; run this in a clone of its own`);
  const seenBy = seers[nth] ?? { laws: [], files: [] };
  const { fate, by, seer } = isEquivalent(mutant) ? { fate: "equivalent" as const } : await tried(mutant, seenBy, noticers.get(id));
  counts[fate]++;
  if (seer !== undefined) noticers.set(id, seer);
  console.log(`${nth + 1}/${sample.length} ${fate}${by === undefined ? "" : ` by ${by}`}: ${file}:${line} ${kind}`);
  told.push({ fate, by, laws: seenBy.laws.length, files: seenBy.files.map(({ name }) => name), ...mutant });
  writeFileSync(path.join(folder, "tried.json"), JSON.stringify(told, null, 1));
  writeFileSync(noticersFile, JSON.stringify(Object.fromEntries(noticers)));
}
const { killed, survived, equivalent } = counts;
const noticed = killed + counts["timed out"];
const mutants = noticed + survived + counts["not run"];
const [least, most] = interval(noticed, mutants);
console.log(`${mutants} tried, ${JSON.stringify(counts)}: ${percent(noticed / mutants)} noticed; of all, ${percent(least)} to ${percent(most)} (95 %, Wilson)`);
const done: Tally = {
  layer: "mutation",
  engine: "memory",
  seeds: String(seed),
  counts: { mutants, killed, timedOut: counts["timed out"], survived, notRun: counts["not run"], equivalent },
};
tally(done);
if (values.record) {
  record([done]);
  writeReliability();
}

/** As a mutant is tried: all in one process, which might not suit them. */
async function assertGreenWithout(): Promise<void> {
  const [some] = sample;
  if (some === undefined) return;
  console.log("  all of them without a mutant");
  const everyone = (of: keyof Seers): readonly Seer[] => [...new Map(seers.flatMap((those) => those[of].map((one) => [one.name, one]))).values()];
  const { fate, by } = await tried({ ...some, to: some.from }, { laws: everyone("laws"), files: everyone("files") });
  if (fate !== "survived") throw new Error(`without a mutant: ${fate} by ${by}`);
}
