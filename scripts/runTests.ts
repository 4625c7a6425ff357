/** Runs the tests on this Node.js: all of them or those of a pattern, in order or shuffled, once or repeatedly. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { pgBouncerMissing } from "../test/postgres/pgbouncer.ts";
import { endSharedServer } from "../test/postgres/privateServer.ts";
import { endSharedServer as endSharedRedis } from "../test/redis/privateServer.ts";
import { enginesNotTested } from "./enginesNotTested.ts";
import { root } from "./root.ts";

const usage = `npm test                          everything
npm test -- sqlite crash          files whose path holds one of these words
npm test -- --only "a lease"      tests whose name matches
npm test -- --shuffle 7           files, and the tests of each, in a random order, the same for the same seed
npm test -- --repeat 20           again and again, in another order each time if shuffled
npm test -- --pgbouncer           what is about PostgreSQL, through PgBouncer in transaction mode with a pool of two
`;
/** Without words of its own. */
const pooledWords = ["conformance/postgres", "test/postgres", "cli/postgres"];
const testFiles = path.join(import.meta.dirname, "testFiles.ts");
/** Those that wait for servers and for time leave a core to others. */
const atOnce = availableParallelism() + 1;
/** The slowest first. */
const slow = [
  "conformance/postgres",
  "test/port/port",
  "verify/",
  "conformance/redisSpread",
  "test/crash/",
  "conformance/sqlite",
  "examples/",
  "port/",
  "conformance/",
];
/** A test that left a process behind must not hold the run for ever. */
const runTimeoutMs = 45 * 60_000;
const repeatsMax = 10_000;

const { values: options, positionals: given } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    shuffle: { type: "string" },
    repeat: { type: "string", default: "1" },
    pgbouncer: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const words = options.pgbouncer && given.length === 0 ? pooledWords : given;

if (options.help) console.log(usage);
else if (options.pgbouncer && pgBouncerMissing !== undefined) console.error(`\n!!! NOTHING WAS TESTED THROUGH PGBOUNCER: ${pgBouncerMissing}\n`);
else process.exitCode = runAll();

function runAll(): number {
  const files = wantedFiles();
  if (files.length === 0) return refuse(`No test file has ${words.map((word) => `"${word}"`).join(" or ")} in its path.`);
  const repeats = Math.min(Number(options.repeat), repeatsMax);
  if (!Number.isInteger(repeats) || repeats < 1) return refuse(`--repeat takes a whole number, not "${options.repeat}".`);
  for (let run = 0; run < repeats; run += 1) {
    if (repeats > 1) console.log(`Run ${run + 1} of ${repeats}`);
    const status = runOnce(longestFirst(files), run);
    if (status !== 0) return status;
  }
  return 0;
}

function wantedFiles(): readonly string[] {
  const files = globSync(["test/**/*.test.ts", "verify/**/*.test.ts"], { cwd: root }).sort();
  return words.length === 0 ? files : files.filter((file) => words.some((word) => file.includes(word)));
}

function runOnce(files: readonly string[], run: number): number {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-tests-"));
  const reportFile = path.join(folder, "report.jsonl");
  try {
    const env = {
      ...process.env,
      ERRAND_TEST_REPORT: reportFile,
      ERRAND_TEST_RUN: String(process.pid),
      ...(options.pgbouncer && { ERRAND_TEST_PGBOUNCER: "1" }),
    };
    const { status, error } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", testFiles, ...flags(run), ...files], {
      cwd: root,
      stdio: "inherit",
      env,
      timeout: runTimeoutMs,
    });
    if (error !== undefined) console.error(`The tests did not end by themselves: ${error.message}`);
    return sayWhatWasNotTested(reportFile) && process.env["CI"] !== undefined ? 1 : (status ?? 1);
  } finally {
    endSharedServer(process.pid);
    endSharedRedis(process.pid);
    rmSync(folder, { recursive: true, force: true });
  }
}

function flags(run: number): readonly string[] {
  return [
    `--concurrency=${atOnce}`,
    ...(options.only === undefined ? [] : [`--only=${options.only}`]),
    ...(options.shuffle === undefined ? [] : [`--seed=${seedOf(`${options.shuffle}/${run}`)}`]),
  ];
}

/** A whole number of 32 bits. */
function seedOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE();
}

/** What takes long does not begin last, when nothing is left to run beside it. */
function longestFirst(files: readonly string[]): readonly string[] {
  const place = (file: string): number => [...slow, ""].findIndex((word) => file.includes(word));
  return files.toSorted((a, b) => place(a) - place(b));
}

function sayWhatWasNotTested(reportFile: string): boolean {
  const isPartial = words.length > 0 || options.only !== undefined;
  const missed = enginesNotTested(reportFile, isPartial);
  for (const { engine, reason } of missed) console.error(`\n!!! THE ENGINE "${engine}" WAS NOT TESTED: ${reason}\n`);
  return missed.length > 0;
}

function refuse(message: string): number {
  console.error(`${message}\n\n${usage}`);
  return 2;
}
