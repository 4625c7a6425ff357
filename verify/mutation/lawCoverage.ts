/** Started by coverage.ts: holds the memory engine to every law, and tells which of the places it was given each of them ran. */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { onMemory } from "../../test/conformance/engines.ts";
import { isRun, type Place, type ScriptCoverage } from "./ranges.ts";

const places = JSON.parse(readFileSync(0, "utf8")) as readonly Place[];
const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

const told: { law: string; ms: number; runs: number[] }[] = [];
taken();
for (const law of laws) {
  const begun = process.hrtime.bigint();
  await holdTo(law, onMemory);
  const ms = Number(process.hrtime.bigint() - begun) / 1e6;
  const scripts = taken();
  told.push({ law: law.name, ms, runs: places.flatMap((place, nth) => (isRun(scripts, place) ? [nth] : [])) });
}
process.stdout.write(JSON.stringify(told), () => process.exit(0));

function taken(): readonly ScriptCoverage[] {
  let result: readonly ScriptCoverage[] = [];
  session.post("Profiler.takePreciseCoverage", (_, answer) => (result = (answer as { result: ScriptCoverage[] }).result));
  return result;
}
