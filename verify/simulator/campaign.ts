/**
 * Simulated lives: real brokers and workers, a store and a network under a virtual clock, and whatever a seed draws of work and of faults. While there are faults nothing
 * wrong may happen; when they are over, all must come to its end. `npm run verify -- simulator --runs 20000 --seed 7` lives 20,000 lives from that seed on.
 * SIMULATOR_PLAN='…' (as a failure prints it) lives that one, and tells all that happened; SIMULATOR_ENGINE says on what. What failed before (seeds.json) is lived first.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { EngineMaker } from "../../src/conformance/index.ts";
import { tally } from "../tally.ts";
import { live, type Story } from "./life.ts";
import { complaintsOf, minimised } from "./minimise.ts";
import { planOf, type Plan } from "./plan.ts";

interface Kept {
  readonly why: string;
  readonly engine: string;
  readonly plan: Plan;
}

export interface Campaign {
  readonly maker: EngineMaker;
  /** So many are lived through where nobody asks for a number of lives. */
  readonly steps: number;
  /** Of the lives that are asked for. */
  readonly share: number;
}

const firstSeed = Number(process.env["ERRAND_SEED"] ?? 1);
const asked = process.env["ERRAND_LIVES"] === undefined ? undefined : Number(process.env["ERRAND_LIVES"]);
const given = process.env["SIMULATOR_PLAN"];
const chosen = process.env["SIMULATOR_ENGINE"] ?? "memory";
/** Every so-many-th life is lived again, and must be the same. */
const againEvery = 100;
/** On a machine that does much else. */
const stepMsMost = 0.1;
const timeoutLeastMs = 180_000;
const complaintsMost = 20;
const kept = JSON.parse(readFileSync(new URL("seeds.json", import.meta.url), "utf8")) as readonly Kept[];

/** The tests of one engine. */
export function livesOn(campaign: Campaign): void {
  const { maker } = campaign;
  if (given !== undefined) {
    if (maker.name === chosen) test("the life that was asked for", () => lifeAskedFor(maker, JSON.parse(given) as Plan));
    return;
  }
  for (const { why, engine, plan } of kept) {
    if (engine === maker.name) test(`where it once went wrong on ${engine}: ${why}`, () => mustBeRight(maker, plan).then(() => undefined));
  }
  const timeout = asked === undefined ? timeoutLeastMs + campaign.steps * stepMsMost : Number.POSITIVE_INFINITY;
  test(`simulated lives on ${maker.name}: nothing wrong happens, and all comes to its end`, { timeout }, (context) => liveOn(campaign, context));
}

async function liveOn({ maker, steps: stepsWanted, share }: Campaign, context: TestContext): Promise<void> {
  const livesWanted = asked === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(asked * share));
  const sums = new Map<string, number>();
  let [lives, steps] = [0, 0];
  const counts = (): Record<string, number> => ({ lives, steps, ...Object.fromEntries(sums) });
  for (let seed = firstSeed; lives < livesWanted && (asked !== undefined || steps < stepsWanted); seed++) {
    const story = await mustBeRight(maker, planOf(seed));
    lives++;
    steps += story.steps;
    for (const [what, times] of story.met) sums.set(what, (sums.get(what) ?? 0) + times);
    sums.set("jobs", (sums.get("jobs") ?? 0) + story.jobs);
    sums.set("takenBack", (sums.get("takenBack") ?? 0) + story.takenBack);
    sums.set("putAside", (sums.get("putAside") ?? 0) + story.putAside);
    if (seed % againEvery === 0) await mustBeTheSame(maker, seed, story);
    await setImmediate(); // the runner's timers get their turn
  }
  context.diagnostic(`${maker.name}: ${JSON.stringify(counts())}`);
  tally({ layer: "simulator", engine: maker.name, seeds: `${firstSeed}..${firstSeed + lives - 1}`, counts: counts() });
}

async function mustBeRight(maker: EngineMaker, plan: Plan): Promise<Story> {
  const story = await live(maker, plan).catch(async (error: unknown) => assert.fail(await told(maker, plan, [String(error)])));
  if (story.complaints.length > 0) assert.fail(await told(maker, plan, story.complaints));
  return story;
}

async function mustBeTheSame(maker: EngineMaker, seed: number, { trace, steps }: Story): Promise<void> {
  const again = await live(maker, planOf(seed));
  assert.deepEqual([again.trace, again.steps], [trace, steps], `seed ${seed} on ${maker.name} is another life the second time`);
}

async function lifeAskedFor(maker: EngineMaker, plan: Plan): Promise<void> {
  const story = await live(maker, plan, (line) => console.log(line));
  assert.deepEqual(story.complaints, []);
}

async function told(maker: EngineMaker, plan: Plan, complaints: readonly string[]): Promise<string> {
  const least = await minimised(maker, plan);
  const replay = `SIMULATOR_ENGINE=${maker.name} SIMULATOR_PLAN='${JSON.stringify(least)}' npm run verify -- simulator`;
  const few = complaints.slice(0, complaintsMost).join("\n");
  const fewOfLeast = (await complaintsOf(maker, least)).slice(0, complaintsMost).join("\n");
  return `seed ${plan.seed}:\n${few}\n\nthe smallest that goes wrong as well:\n${fewOfLeast}\n${replay}`;
}
