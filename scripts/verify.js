/**
 * `npm run verify`: the random lives of `npm test`, many more of them and new ones each time.
 * The seed is printed; `npm run verify -- --seed 7` lives the same lives again, `--runs N` says how many.
 * `npm run verify -- zones`: schedules around every transition of every time zone from 2015 to 2040.
 */
import { parseArgs } from "node:util";
import { runOnNode } from "./setUp.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: String(Date.now() % 1_000_000_000) }, runs: { type: "string", default: "5000" } },
});
console.log(`Seed ${values.seed}, ${values.runs} runs`);
Object.assign(process.env, { MODEL_SEED: values.seed, MODEL_RUNS: values.runs, ERRAND_SEED: values.seed, ERRAND_LIVES: values.runs, ZONES_SEED: values.seed });
if (positionals.includes("zones")) process.env["ZONES"] = "all";
runOnNode("scripts/runTests.ts", positionals.length > 0 ? positionals.map((word) => `verify/${word}`) : ["verify/", "walk"]);
