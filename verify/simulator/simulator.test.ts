/**
 * Simulated lives: real brokers and workers, a store and a network under a virtual clock, and whatever a seed draws of work and of faults. While there are faults nothing
 * wrong may happen; when they are over, all must come to its end. `npm run verify -- simulator --runs 20000 --seed 7` lives 20,000 lives from that seed on.
 * SIMULATOR_PLAN='…' (as a failure prints it) lives that one, and tells all that happened; SIMULATOR_ENGINE=sqlite says on what.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EngineMaker } from "../../src/conformance/index.ts";
import { onMemory, onSqlite } from "../../test/conformance/engines.ts";
import { planted, type Distortion } from "../../test/conformance/planted.ts";
import { bugs } from "./bugs.ts";
import { live } from "./life.ts";
import { complaintsOf, minimised } from "./minimise.ts";
import { planOf, type Plan } from "./plan.ts";

const firstSeed = Number(process.env["ERRAND_SEED"] ?? 1);
const asked = process.env["ERRAND_LIVES"] === undefined ? undefined : Number(process.env["ERRAND_LIVES"]);
const given = process.env["SIMULATOR_PLAN"];
const makers: readonly { readonly maker: EngineMaker; readonly usual: number; readonly share: number }[] = [
  { maker: onMemory, usual: 90, share: 1 },
  { maker: onSqlite, usual: 15, share: 0.2 },
];
/** A bug that so many lives do not meet is not caught. */
const livesPerBug = 60;

if (given === undefined) {
  for (const { maker, usual, share } of makers) {
    test(`simulated lives on ${maker.name}: nothing wrong happens, and all comes to its end`, async (context) => {
      const lives = asked === undefined ? usual : Math.max(1, Math.round(asked * share));
      const sum = { steps: 0, jobs: 0, faults: 0 };
      for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
        const story = await live(maker, planOf(seed)).catch(async (error: unknown) => assert.fail(await told(maker, planOf(seed), [String(error)])));
        if (story.complaints.length > 0) assert.fail(await told(maker, planOf(seed), story.complaints));
        sum.steps += story.steps;
        sum.jobs += story.jobs;
        for (const times of story.met.values()) sum.faults += times;
      }
      context.diagnostic(`${lives} lives from seed ${firstSeed}, ${sum.steps} steps, ${sum.jobs} jobs, ${sum.faults} faults`);
    });
    test(`the same seed is the same life on ${maker.name}`, async () => {
      for (const seed of [firstSeed, firstSeed + 1, firstSeed + 2]) {
        const [once, again] = [await live(maker, planOf(seed)), await live(maker, planOf(seed))];
        assert.deepEqual([again.trace, again.steps], [once.trace, once.steps]);
      }
    });
  }
  describe("planted bugs", () => {
    for (const bug of bugs) test(`${bug.name}: caught as ${bug.caughtAs}`, () => isCaught(bug.distortion, bug.caughtAs));
  });
} else {
  test("the life that was asked for", async () => {
    const maker = makers.find(({ maker: { name } }) => name === (process.env["SIMULATOR_ENGINE"] ?? "memory"))?.maker ?? onMemory;
    const story = await live(maker, JSON.parse(given) as Plan, (line) => console.log(line));
    assert.deepEqual(story.complaints, []);
  });
}

async function isCaught(distortion: Distortion, caughtAs: string): Promise<void> {
  const maker = planted(onMemory, distortion);
  for (let seed = 1; seed <= livesPerBug; seed++) {
    const complaints = await complaintsOf(maker, planOf(seed));
    if (complaints.some((complaint) => complaint.startsWith(`${caughtAs} `))) return;
  }
  assert.fail(`${livesPerBug} lives did not meet it as ${caughtAs}`);
}

async function told(maker: EngineMaker, plan: Plan, complaints: readonly string[]): Promise<string> {
  const least = await minimised(maker, plan);
  const replay = `SIMULATOR_ENGINE=${maker.name} SIMULATOR_PLAN='${JSON.stringify(least)}' npm run verify -- simulator`;
  return `seed ${plan.seed}:\n${complaints.join("\n")}\n\nthe smallest that goes wrong as well:\n${(await complaintsOf(maker, least)).join("\n")}\n${replay}`;
}
