/** Which laws and which files of tests run a mutant's place: only those can see it. */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { inRoot } from "../../scripts/root.ts";
import type { Mutant } from "./mutants.ts";
import { isRun, type Place, type ScriptCoverage } from "./ranges.ts";

export interface Seers {
  /** The quickest first. Files: those that run the fewest other places first, since they are about this one. */
  readonly laws: readonly { readonly name: string; readonly ms: number }[];
  readonly files: readonly string[];
}

/** Files of tests that look at core and the worker without a server. */
const testFiles = ["test/core/*.test.ts", "test/worker/*.test.ts"];
/** Minutes for what the others see as well. */
const tooSlow = ["test/core/hundredThousand.test.ts"];
/** Of one mutant: what the files about its place do not see, those that only pass by see no sooner. */
const filesMost = 8;
const outputMax = 256 * 1_024 * 1_024;

export function seersOf(mutants: readonly Mutant[], progress: (what: string) => void): readonly Seers[] {
  const places = mutants.map(({ file, start }): Place => ({ url: pathToFileURL(inRoot(file)).href, offset: start }));
  progress("every law on the memory engine, once");
  const { stdout, status, stderr } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", inRoot("verify/mutation/lawCoverage.ts")], {
    input: JSON.stringify(places),
    encoding: "utf8",
    maxBuffer: outputMax,
  });
  if (status !== 0) throw new Error(`the laws do not hold as they are: ${stderr}`);
  const laws = JSON.parse(stdout) as readonly { readonly law: string; readonly ms: number; readonly runs: readonly number[] }[];
  const files = globSync([...testFiles], { cwd: inRoot("."), exclude: tooSlow }).sort();
  const byFile = files.map((file, nth) => {
    progress(`${nth + 1} of ${files.length}: ${file}`);
    return new Set(runsOfFile(file, places));
  });
  return mutants.map((_, nth) => ({
    laws: laws
      .filter(({ runs }) => runs.includes(nth))
      .map(({ law, ms }) => ({ name: law, ms }))
      .sort((one, other) => one.ms - other.ms),
    files: files
      .map((file, at) => ({ file, runs: byFile[at] ?? new Set<number>() }))
      .filter(({ runs }) => runs.has(nth))
      .sort((one, other) => one.runs.size - other.runs.size)
      .map(({ file }) => file)
      .slice(0, filesMost),
  }));
}

function runsOfFile(file: string, places: readonly Place[]): readonly number[] {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-coverage-"));
  try {
    const { status, stdout } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--test", file], {
      cwd: inRoot("."),
      env: { ...process.env, NODE_V8_COVERAGE: folder },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${file} is red as it is:\n${stdout}`);
    const scripts = globSync("*.json", { cwd: folder }).map(
      (name) => (JSON.parse(readFileSync(path.join(folder, name), "utf8")) as { result: ScriptCoverage[] }).result,
    );
    return places.flatMap((place, nth) => (scripts.some((all) => isRun(all, place)) ? [nth] : []));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
