/** Writes down which ends the store has acknowledged to a worker: what it knows it may not run again. */
import path from "node:path";
import type { At, Claim, Claimed, Engine, Outcome, Settled } from "../../../src/core/engine.ts";
import { machineMs } from "../../../src/runtime/machineClock.ts";
import { appendLine } from "../../../src/verify/history.ts";
import type { SettledLine, StarvedLine } from "../history.ts";
import { lateMs } from "../starved.ts";

const endings: readonly Outcome["is"][] = ["completed", "skipped", "dead"];

export function witnessed(engine: Engine, folder: string, p: string): Engine {
  const file = path.join(folder, `${p}.settled.ndjson`);
  const note = (outcomes: readonly Outcome[], answers: readonly Settled[], from: number): void => {
    for (const [at, { id: job, fence, is }] of outcomes.entries()) {
      if (answers[at]?.is === "settled" && endings.includes(is)) appendLine(file, { is: "settled", t: machineMs(), p, job, fence, from } satisfies SettledLine);
    }
  };
  const [claim, settle] = [engine.claim.bind(engine), engine.settle.bind(engine)];
  engine.claim = async (wanted: Claim, at: At): Promise<Claimed> => {
    const from = machineMs();
    const claimed = await claim(wanted, at);
    const to = machineMs();
    // What it handed out may have begun long ago.
    if (to - from > lateMs) appendLine(file, { is: "fault", kind: "hang", on: p, from, to, by: "machine" } satisfies StarvedLine);
    note(wanted.settling, claimed.settled, from);
    return claimed;
  };
  engine.settle = async (outcomes: readonly Outcome[], at: At): Promise<Settled[]> => {
    const from = machineMs();
    const answers = await settle(outcomes, at);
    note(outcomes, answers, from);
    return answers;
  };
  return engine;
}
