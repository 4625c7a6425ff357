/** Runs the test files that it is given, each in a process of its own, the first first: `node --test` would sort them by name. */
import path from "node:path";
import { run } from "node:test";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "./root.ts";
import report from "./testReporter.ts";

const testTimeoutMs = 180_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: "string", default: "1" }, only: { type: "string" }, seed: { type: "string" } },
});
const quick = pathToFileURL(path.join(import.meta.dirname, "quickTests.js")).href;

const events = run({
  files: positionals.map((file) => path.join(root, file)),
  cwd: root,
  concurrency: Number(options.concurrency),
  execArgv: [`--import=${quick}`, `--test-timeout=${testTimeoutMs}`, "--disable-warning=ExperimentalWarning"],
  ...(options.only !== undefined && { testNamePatterns: options.only }),
  ...(options.seed !== undefined && { randomSeed: Number(options.seed) }),
});
events.on("test:fail", () => (process.exitCode = 1));
events.compose(report).pipe(process.stdout);
