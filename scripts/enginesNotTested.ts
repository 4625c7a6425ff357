/**
 * Which engines a run left out. An engine is a folder of `src/` that holds an `index.ts` and a name in `engines`; it was tested
 * when a test that names it passed. A test that cannot reach its engine skips with the reason "engine not tested: <name>, …".
 */
import { existsSync, readFileSync } from "node:fs";
import { inRoot } from "./root.ts";
import type { TestRecord } from "./testReporter.ts";

const engines = ["memory", "sqlite", "postgres", "redis"];
const skipReason = /^engine not tested: (\w+),? ?(.*)/s;

export interface Missed {
  readonly engine: string;
  readonly reason: string;
}

/** A partial run is held only to what it skipped itself. */
export function enginesNotTested(reportFile: string, isPartial: boolean): readonly Missed[] {
  const records = existsSync(reportFile) ? recordsOf(reportFile) : [];
  const missed = new Map(records.flatMap(skippedEngine));
  const silent = isPartial
    ? []
    : engines.filter(
        (engine) => existsSync(inRoot(`src/${engine}/index.ts`)) && !missed.has(engine) && !records.some((record) => provesEngine(record, engine)),
      );
  for (const engine of silent) missed.set(engine, "no test that names it passed");
  return Array.from(missed, ([engine, reason]) => ({ engine, reason }));
}

function recordsOf(reportFile: string): readonly TestRecord[] {
  return readFileSync(reportFile, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TestRecord);
}

function skippedEngine({ kind, reason = "" }: TestRecord): readonly [engine: string, reason: string][] {
  const [, engine, why] = (kind === "skip" ? skipReason.exec(reason) : undefined) ?? [];
  return engine === undefined ? [] : [[engine, why || "no reason was given"]];
}

function provesEngine({ kind, file, name }: TestRecord, engine: string): boolean {
  return kind === "pass" && (file.split("/").includes(engine) || new RegExp(`\\b${engine}\\b`, "i").test(name));
}
