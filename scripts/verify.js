/**
 * `npm run verify`: a few minutes of every layer of the proof, with new seeds. `npm run verify -- --help` names the layers, which are run by their words.
 * The seed is printed; `npm run verify -- simulator --seed 7 --runs 20000` lives 20,000 lives from that seed on.
 */
import { parseArgs } from "node:util";
import { runOnNode } from "./setUp.js";

const help = `npm run verify                      a few minutes of every layer, new seeds each time; --record adds it to verify/certificate.json
npm run verify:soak -- --hours 2    rounds of every layer for so long, all recorded; goes on where the last one ended
npm run verify -- simulator         simulated lives of a fleet under faults; --runs 20000 --seed 7
npm run verify -- model             random commands, every engine against the model; --runs, --seed
npm run verify -- differential      one stream of operations to all engines
npm run verify -- scopes            all interleavings of small scopes, with up to two faults; --faults 1 takes a tenth of the time
npm run verify -- disk              SQLite's files: processes killed at each system call, calls that fail, power cuts
npm run verify -- wire              PostgreSQL and Redis: the connection broken at each message of each verb
npm run verify -- zones             schedules around every change of every zone's clocks
npm run verify -- locks             locks under faults, checked for linearizability
npm run verify -- faults            fault runs on servers of its own; --help
npm run verify -- million           a million jobs without faults on each engine
npm run verify -- planted           planted bugs, and who finds them; --help
npm run verify -- mutation          small changes of core, and how many are noticed; --sample 300 --seed 1
npm run verify -- certificate       what has been run so far; --write writes docs/reliability.md`;

/** Programs of their own; every other word is tests. */
const programs = {
  faults: "verify/faults/main.ts",
  million: "verify/million/main.ts",
  planted: "verify/planted/main.ts",
  mutation: "verify/mutation/main.ts",
  certificate: "verify/certificate/main.ts",
  soak: "verify/certificate/soak.ts",
};

const [word = "", ...rest] = process.argv.slice(2);
if (word === "--help") console.log(help);
else if (word === "" || word.startsWith("--")) runOnNode("verify/certificate/quick.ts", process.argv.slice(2));
else if (word in programs) runOnNode(programs[word], rest);
else runTests([word, ...rest]);

function runTests(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
      runs: { type: "string", default: "5000" },
      faults: { type: "string", default: "2" },
    },
  });
  console.log(`Seed ${values.seed}, ${values.runs} runs`);
  Object.assign(process.env, { MODEL_SEED: values.seed, MODEL_RUNS: values.runs, ERRAND_SEED: values.seed, ERRAND_LIVES: values.runs });
  Object.assign(process.env, { ZONES_SEED: values.seed, STREAM_SEED: values.seed, ZONES: "all", DISK: "all", WIRE: "all", SCOPES_FAULTS: values.faults });
  runOnNode(
    "scripts/runTests.ts",
    positionals.map((one) => (one === "walk" ? one : `verify/${one}`)),
  );
}
