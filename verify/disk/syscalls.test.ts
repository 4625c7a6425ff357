/**
 * The engine on SQLite, killed at its system calls, and each of them failed: nothing that was acknowledged is missing, what is called definite was not stored, and work goes
 * on. A usual run draws a few for each operation; `npm run verify -- disk` does them all, in some hours.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tally } from "../tally.ts";
import { operationOf, operations } from "./operations.ts";
import type { Bug } from "./planted.ts";
import { drawn, firstSeed, isWhole, sayIfMissing, timeoutMs } from "./scale.ts";
import { Victim } from "./syscalls.ts";
import type { Trial } from "./syscalls.ts";

const skip = sayIfMissing("WHAT A KILL OR A FAILURE AT A SYSTEM CALL LEAVES");
const options = { skip, timeout: timeoutMs };
const killsLeast = 1;
const failuresLeast = 1;
const told = ({ point, fault }: Trial): string => `${fault === "KILL" ? "killed" : fault.error} at ${point.call} ${point.nth}`;

describe("at its system calls, on sqlite", () => {
  for (const [n, operation] of operations.entries()) {
    it(`who ${operation.name} keeps what was acknowledged, and tells what failed`, options, async (context) => {
      using victim = await Victim.of(operation);
      const isKill = ({ fault }: Trial): boolean => fault === "KILL";
      const kills = drawn(victim.trials.filter(isKill), killsLeast, firstSeed * 1_000 + n);
      const failures = drawn(
        victim.trials.filter((trial) => !isKill(trial)),
        failuresLeast,
        firstSeed * 1_000 + n,
      );
      const sum = { points: kills.length + failures.length, kills: kills.length, failures: failures.length, reported: 0, acknowledged: 0, missing: 0 };
      const complaints: string[] = [];
      for (const trial of [...kills, ...failures]) {
        const { complaint, acknowledged, missing, failed } = await victim.try(trial);
        sum.acknowledged += acknowledged;
        sum.missing += missing;
        if (failed) sum.reported += 1;
        if (complaint !== "") complaints.push(`${told(trial)}: ${complaint}`);
      }
      context.diagnostic(`of ${victim.trials.length} points: ${JSON.stringify(sum)}`);
      tally({ layer: "syscalls", engine: "sqlite", seeds: isWhole ? "all" : String(firstSeed), counts: sum });
      assert.deepEqual(complaints, []);
    });
  }
});

/** Where it shows, among the trials of an operation. */
const bugs: readonly { readonly bug: Bug; readonly at: (trial: Trial) => boolean; readonly complaint: RegExp }[] = [
  {
    bug: "acknowledges before the commit",
    at: ({ point, fault }) => fault === "KILL" && point.call === "pwrite64",
    complaint: /1 steps were acknowledged|[2-9] steps were acknowledged and \d may be there, and the file holds what was there after/,
  },
  {
    bug: "acknowledges what failed",
    at: ({ point, fault }) => fault !== "KILL" && fault.error === "ENOSPC" && point.call === "pwrite64",
    complaint: /acknowledged/,
  },
  {
    bug: "calls every failure definite",
    at: ({ point, fault }) => fault !== "KILL" && fault.error === "EIO" && point.call === "fsync",
    complaint: /told definite .* and the file holds what was there after/,
  },
];
/** Of those places; a bug that so many do not meet is not caught. */
const trialsPerBug = 12;

describe("planted bugs, at the system calls of sqlite", () => {
  for (const { bug, at, complaint } of bugs) {
    it(`an engine that ${bug} is caught`, options, async () => {
      using victim = await Victim.of(operationOf("enqueues one"), bug);
      for (const trial of victim.trials.filter(at).slice(0, trialsPerBug)) {
        const verdict = await victim.try(trial);
        if (complaint.test(verdict.complaint)) return;
      }
      assert.fail("nothing of it was seen");
    });
  }
});
