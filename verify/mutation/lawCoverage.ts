/** Started by coverage.ts: holds the memory engine to every law, and tells which of the places it was given each of them ran, and which ran before any did. */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector";
import { isRun, ownOf, type Place, type ScriptCoverage } from "./ranges.ts";

export interface LawsRan {
  readonly loaded: readonly string[];
  readonly atLoad: readonly number[];
  readonly laws: readonly { readonly law: string; readonly ms: number; readonly runs: readonly number[] }[];
}

const places = JSON.parse(readFileSync(0, "utf8")) as readonly Place[];
const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

const { holdTo, laws } = await import("../../src/conformance/index.ts");
const { onMemory } = await import("../../test/conformance/engines.ts");
const loaded = new Set<string>();
const atLoad = runsSinceLast();
const ran: LawsRan["laws"][number][] = [];
for (const law of laws) {
  const begun = process.hrtime.bigint();
  await holdTo(law, onMemory);
  const ms = Number(process.hrtime.bigint() - begun) / 1e6;
  ran.push({ law: law.name, ms, runs: runsSinceLast() });
}
process.stdout.write(JSON.stringify({ loaded: [...loaded], atLoad, laws: ran } satisfies LawsRan), () => process.exit(0));

function runsSinceLast(): readonly number[] {
  let scripts: readonly ScriptCoverage[] = [];
  session.post("Profiler.takePreciseCoverage", (_, answer) => (scripts = (answer as { result: ScriptCoverage[] }).result));
  for (const url of ownOf(scripts)) loaded.add(url);
  return places.flatMap((place, nth) => (isRun(scripts, place) ? [nth] : []));
}
