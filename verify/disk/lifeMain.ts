/**
 * Lives one operation on one file, and tells each step on its standard output when it begins and when the engine has answered: in one write each, so that what was told
 * before a kill is there. Arguments: the operation, the file, and as JSON how.
 */
import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { ErrandError } from "../../src/core/errors.ts";
import { Hand } from "./hand.ts";
import { operationOf, stepsOf } from "./operations.ts";
import { planted } from "./planted.ts";
import type { Bug } from "./planted.ts";
import type { Told } from "./told.ts";

export interface How {
  /** Where a step fails, the file and its log are copied to there, then it is tried once more. */
  readonly copyTo?: string;
  readonly bug?: Bug;
  /** From this step on, those before having been lived by another process. */
  readonly from?: number;
}

const [name = "", file = "", how = "{}"] = process.argv.slice(2);
const { copyTo, bug, from = 0 } = JSON.parse(how) as How;
const { around, told } = planted(bug);
const hand = new Hand(file, around);
const steps = stepsOf(operationOf(name));
if (from > 0) hand.open();

for (const [step, act] of steps.entries()) {
  hand.runtime.begin(step);
  if (step < from) continue;
  tell({ step, is: "begun" });
  if (bug === "acknowledges before the commit") tell({ step, is: "done" });
  try {
    await act(hand);
  } catch (error) {
    tell(failed(step, error));
    if (bug === "acknowledges what failed") continue;
    if (copyTo === undefined) throw error;
    copy(copyTo);
    hand.runtime.again();
    await act(hand);
  }
  tell({ step, is: "done" });
}
await hand.close();

function failed(step: number, error: unknown): Told {
  if (!(error instanceof ErrandError)) return { step, is: "unknown", said: String(error) };
  return { step, is: error.isDefinite ? "definite" : "indefinite", said: error.message };
}

function tell(line: Told): void {
  writeSync(1, `${JSON.stringify(told(line))}\n`);
}

/** By another process: closing the file here would give up SQLite's locks. */
function copy(to: string): void {
  for (const suffix of ["", "-wal", "-journal"]) spawnSync("cp", [`${file}${suffix}`, `${to}${suffix}`], { stdio: "ignore" });
}
