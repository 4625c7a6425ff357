/**
 * An engine answers as the reference model does, command by command, and shows the same jobs, counts, notes, events, lanes and locks.
 * MODEL_RUNS and MODEL_SEED choose, MODEL_COMMANDS replays one list; what failed before (seeds.json) is replayed first.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { tally } from "../tally.ts";
import { findDivergence, isDivergent, performed, story } from "./campaign.ts";
import type { EngineUnderTest } from "./campaign.ts";
import type { Command } from "./commands.ts";

interface Kept {
  readonly why: string;
  readonly commands: readonly Command[];
}

export const commandsMax = 60;
const seed = Number(process.env["MODEL_SEED"] ?? 20_261_121);
const asked = process.env["MODEL_RUNS"];
const given = process.env["MODEL_COMMANDS"];
const shrinkMs = 20_000;
/** On a machine that does much else. */
const runMsMost = 3_000;
const kept = JSON.parse(readFileSync(new URL("seeds.json", import.meta.url), "utf8")) as readonly Kept[];

/** `share`: of the runs that are asked for, where each of its commands is dear. */
export function agreesWithTheModel(target: EngineUnderTest, file: string, runsUsual: number, share = 1): void {
  describe(`${target.name} and the model`, { skip: target.missing ?? false }, () => {
    if (given !== undefined) {
      it("agree in the commands given", () => mustAgree(target, file, JSON.parse(given) as readonly Command[]));
      return;
    }
    for (const { why, commands } of kept) {
      it(`agree where they once did not: ${why}`, () => mustAgree(target, file, commands));
    }
    const runs = asked === undefined ? runsUsual : Math.ceil(Number(asked) * share);
    const timeout = 180_000 + runs * runMsMost;
    it(`agree in ${runs} runs of up to ${commandsMax} commands, seed ${seed}`, { timeout }, async () => {
      const before = performed.commands;
      const commands = await findDivergence(target, { runs, commandsMax, seed, shrinkMs });
      if (commands !== undefined) assert.fail(await story(target, file, commands));
      tally({ layer: "model", engine: target.name, seeds: String(seed), counts: { runs, commands: performed.commands - before, divergences: 0 } });
    });
  });
}

async function mustAgree(target: EngineUnderTest, file: string, commands: readonly Command[]): Promise<void> {
  if (await isDivergent(target, commands)) assert.fail(await story(target, file, commands));
}
