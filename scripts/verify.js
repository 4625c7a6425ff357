/**
 * `npm run verify`: the random lives of `npm test`, many more of them and new ones each time.
 * The seed is printed; `npm run verify -- --seed 7` lives the same lives again, `--runs N` says how many.
 */
import { parseArgs } from "node:util";
import { runOnNode } from "./setUp.js";

const { values } = parseArgs({ options: { seed: { type: "string", default: String(Date.now() % 1_000_000_000) }, runs: { type: "string", default: "5000" } } });
console.log(`Seed ${values.seed}, ${values.runs} runs`);
Object.assign(process.env, { MODEL_SEED: values.seed, MODEL_RUNS: values.runs, ERRAND_SEED: values.seed, ERRAND_LIVES: values.runs });
runOnNode("scripts/runTests.ts", ["verify/", "walk"]);
