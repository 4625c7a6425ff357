/**
 * One stream of operations to several engines and the model: equal in answers, codes of errors, the order of what is handed out, and all that is stored.
 * STREAM_SEED and STREAM_OPERATIONS choose; STREAM_COMMANDS replays one list on STREAM_ENGINES.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { engines as all } from "../model/engines.ts";
import type { EngineName } from "../model/engines.ts";
import type { Command } from "../model/commands.ts";
import { tally } from "../tally.ts";
import { compareEngines, differs, story } from "./campaign.ts";
import type { Campaign } from "./campaign.ts";

const usual = { chapters: 12, commandsMax: 60, compareEvery: 80, atOnce: 3, shrinkMs: 60_000 } as const;
/** A segment's, about. */
const operationsOfOne = 650;
const seed = Number(process.env["STREAM_SEED"] ?? 1);
const asked = process.env["STREAM_OPERATIONS"];
const given = process.env["STREAM_COMMANDS"];
const givenEngines = process.env["STREAM_ENGINES"];
/** On a machine that does much else. */
const operationMsMost = 60;

export function answerAlike(names: readonly EngineName[], operationsUsual: number): void {
  const engines = (given === undefined ? names : ((givenEngines?.split(",") as readonly EngineName[] | undefined) ?? names)).map((name) => all[name]);
  const missing = engines.find((engine) => engine.missing !== undefined)?.missing;
  const operations = asked === undefined ? operationsUsual : Number(asked);
  const campaign: Campaign = { ...usual, seed, segments: Math.ceil(operations / operationsOfOne) };
  describe(`${engines.map(({ name }) => name).join(", ")} and the model`, { skip: missing ?? false }, () => {
    if (given !== undefined) {
      const found = { seed: 0, commands: JSON.parse(given) as readonly Command[] };
      it("answer alike in the commands given", async () => {
        if (await differs(engines, found.commands)) assert.fail(await story(engines, found));
      });
      return;
    }
    it(`answer alike in about ${operations} operations, seed ${seed}`, { timeout: 180_000 + operations * operationMsMost }, async (test) => {
      const { found, ...done } = await compareEngines(engines, campaign);
      if (found !== undefined) assert.fail(await story(engines, found));
      test.diagnostic(`${done.operations} operations in ${done.segments} segments, all that is stored compared ${done.states} times`);
      const engine = engines.map(({ name }) => name).join(" ");
      const counts = { ...done, operationsOfEngines: done.operations * engines.length, divergences: 0 };
      tally({ layer: "differential", engine, seeds: `${seed}..${seed + campaign.segments - 1}`, counts });
    });
  });
}
