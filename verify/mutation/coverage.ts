/** Which laws and which files of tests run a mutant's place: only those can see it. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inRoot } from "../../scripts/root.ts";
import type { LawsRan } from "./lawCoverage.ts";
import type { Mutant } from "./mutants.ts";
import { isRun, ownOf, type Place, type ScriptCoverage } from "./ranges.ts";

export interface Seer {
  /** The law's, or the file's path. */
  readonly name: string;
  readonly ms: number;
}

export interface Seers {
  /** The quickest first. */
  readonly laws: readonly Seer[];
  /** Those that run the fewest other places first, since they are about this one. */
  readonly files: readonly Seer[];
}

interface FileRan {
  readonly ms: number;
  /** Which of the places. */
  readonly runs: readonly number[];
  readonly loaded: readonly string[];
}

/** Those that look at core and the worker without a server. */
const testFiles = ["test/core/*.test.ts", "test/worker/*.test.ts", "test/testing/*.test.ts", "test/docs/reference.test.ts", "verify/mutation/portOnMemory.ts"];
/** Minutes for what the others see as well. */
const tooSlow = ["test/core/hundredThousand.test.ts", "test/core/recovery{Kinds,Outage,Retries}.test.ts"];
/** What these modules make they keep, so that only the first law that needs it runs the place, and each sees it. */
const keeping = ["src/core/schedule/cron.ts", "src/core/schedule/zone.ts"];
const kept = inRoot(".work/mutation/coverage");
const outputMax = 256 * 1_024 * 1_024;
/** As tests are run always. */
export const nodeArgs = ["--disable-warning=ExperimentalWarning", "--import", pathToFileURL(inRoot("scripts/quickTests.js")).href];
/** What was compiled before tells less of what is run within a function. */
const environment = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };

export function seersOf(mutants: readonly Mutant[], progress: (what: string) => void): readonly Seers[] {
  const places = mutants.map(({ file, start }): Place => ({ url: pathToFileURL(inRoot(file)).href, offset: start }));
  progress("every law on the memory engine, once");
  const { atLoad, laws } = once("laws", places, () => runsOfLaws(places));
  const files = globSync(testFiles, { cwd: inRoot("."), exclude: tooSlow }).sort();
  const ofFiles = files.map((file, nth) => {
    progress(`${nth + 1} of ${files.length}: ${file}`);
    return { name: file, ...once(file, places, () => runsOfFile(file, places)) };
  });
  return mutants.map(({ file }, nth) => ({
    laws: laws
      .filter(({ runs }) => runs.includes(nth) || atLoad.includes(nth) || keeping.includes(file))
      .map(({ law, ms }) => ({ name: law, ms }))
      .sort((one, other) => one.ms - other.ms),
    files: ofFiles
      .filter(({ runs }) => runs.includes(nth))
      .sort((one, other) => one.runs.length - other.runs.length)
      .map(({ name, ms }) => ({ name, ms })),
  }));
}

/** Kept between campaigns, for as long as all files that were loaded for it are the same. */
function once<Found extends { readonly loaded: readonly string[] }>(what: string, places: readonly Place[], find: () => Found): Found {
  const file = path.join(kept, `${hashOf(JSON.stringify([what, places]))}.json`);
  if (existsSync(file)) {
    const { found, hashes } = JSON.parse(readFileSync(file, "utf8")) as { readonly found: Found; readonly hashes: Readonly<Record<string, string>> };
    if (Object.entries(hashes).every(([url, hash]) => hashOfFile(url) === hash)) return found;
  }
  const found = find();
  mkdirSync(kept, { recursive: true });
  writeFileSync(file, JSON.stringify({ found, hashes: Object.fromEntries(found.loaded.map((url) => [url, hashOfFile(url)])) }));
  return found;
}

function hashOfFile(url: string): string | undefined {
  const file = fileURLToPath(url);
  return existsSync(file) ? hashOf(readFileSync(file, "utf8")) : undefined;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function runsOfLaws(places: readonly Place[]): LawsRan {
  const { stdout, status, stderr } = spawnSync(process.execPath, [...nodeArgs, inRoot("verify/mutation/lawCoverage.ts")], {
    input: JSON.stringify(places),
    env: environment,
    encoding: "utf8",
    maxBuffer: outputMax,
  });
  if (status !== 0) throw new Error(`the laws do not hold as they are: ${stderr}`);
  return JSON.parse(stdout) as LawsRan;
}

function runsOfFile(file: string, places: readonly Place[]): FileRan {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-coverage-"));
  try {
    const begun = process.hrtime.bigint();
    const { status, stdout } = spawnSync(process.execPath, [...nodeArgs, file], {
      cwd: inRoot("."),
      env: { ...environment, NODE_V8_COVERAGE: folder },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${file} is red as it is:\n${stdout}`);
    const ms = Number(process.hrtime.bigint() - begun) / 1e6;
    const scripts = globSync("*.json", { cwd: folder }).map(
      (name) => (JSON.parse(readFileSync(path.join(folder, name), "utf8")) as { result: ScriptCoverage[] }).result,
    );
    const loaded = [...new Set(scripts.flatMap(ownOf))];
    return { ms, loaded, runs: places.flatMap((place, nth) => (scripts.some((all) => isRun(all, place)) ? [nth] : [])) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
