/** The stream is alive: each bug of the model test, planted in one of two engines that are otherwise the same, shows as a difference between them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Atom, Changed, Claim, Claimed, Enqueued, At, Outcome, Settled } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { memory } from "../../src/memory/index.ts";
import type { EngineUnderTest } from "../model/campaign.ts";
import { Divergence } from "../model/divergence.ts";
import { plants } from "../model/planted.ts";
import type { Plant } from "../model/planted.ts";
import { joinedPlants } from "../model/plantedJoined.ts";
import { Wrapped } from "../model/wrapped.ts";
import { compareEngines } from "./campaign.ts";
import type { Campaign } from "./campaign.ts";

/** Looked at often: what is shown wrongly for a moment is a difference, too. */
const campaign: Campaign = { segments: 40, seed: 1, chapters: 8, commandsMax: 60, compareEvery: 4, atOnce: 1, shrinkMs: 0 };

class RestUntold extends Wrapped {
  override async change(...asked: Parameters<Wrapped["change"]>): Promise<Changed> {
    return { ...(await this.inner.change(...asked)), hasMore: false };
  }
}

class OrderReversed extends Wrapped {
  override async claim(wanted: Claim, at: At): Promise<Claimed> {
    const claimed = await this.inner.claim(wanted, at);
    return { ...claimed, jobs: claimed.jobs.toReversed() };
  }
}

class OtherCode extends Wrapped {
  override async enqueue(atoms: readonly Atom[], at: At<unknown>): Promise<(Enqueued[] | ErrandError)[]> {
    const answers = await this.inner.enqueue(atoms, at);
    return answers.map((answer) =>
      answer instanceof ErrandError && answer.code === "note-conflict" ? new ErrandError("id-conflict", answer.message) : answer,
    );
  }
}

class CutOff extends Wrapped {
  override claim(): never {
    throw new ErrandError("store-unreachable", "cut off; try again");
  }
}

class CheckpointLost extends Wrapped {
  override async settle(outcomes: readonly Outcome[], at: At<unknown>): Promise<Settled[]> {
    return this.inner.settle(
      outcomes.map(({ checkpoint: _, ...outcome }) => outcome),
      at,
    );
  }
}

const own: readonly Plant[] = [
  { bug: "an answer is wrong: that more jobs were selected than changed is not told", breaks: "G19", on: (engine) => new RestUntold(engine) },
  { bug: "what is claimed comes in another order", breaks: "G8", on: (engine) => new OrderReversed(engine) },
  { bug: "a refusal has another code", breaks: "G1", on: (engine) => new OtherCode(engine) },
  { bug: "a change is lost though it was answered", breaks: "G2", on: (engine) => new CheckpointLost(engine) },
];

/** Fences are set above all that an engine gives out by itself, and what a bounded pass of tidy counts is not compared: see together.ts. */
const unseen: ReadonlySet<string> = new Set(["the fence of an empty claim stands still"]);

describe("the stream of operations", () => {
  it("finds nothing in an engine that only hands on", async () => {
    assert.equal(
      (
        await compareEngines(
          beside((engine) => new Wrapped(engine)),
          { ...campaign, segments: 3 },
        )
      ).found,
      undefined,
    );
  });
  it("tells a store that was not reached from an engine that answers otherwise", async () => {
    const { found } = await compareEngines(
      beside((engine) => new CutOff(engine)),
      { ...campaign, segments: 1 },
    );
    assert.ok(found?.first instanceof Error && !(found.first instanceof Divergence), String(found?.first));
    assert.match(found.first.message, /^memory threw what is no answer/);
  });
  for (const { bug, breaks, on } of [...own, ...plants, ...joinedPlants].filter((plant) => !unseen.has(plant.bug))) {
    it(`finds that ${bug} (${breaks})`, async () => {
      assert.notEqual((await compareEngines(beside(on), campaign)).found, undefined);
    });
  }
});

function beside(on: Plant["on"]): readonly EngineUnderTest[] {
  return [
    { name: "memory", make: () => ({ connect: () => memory(), isShared: false }) },
    { name: "planted", make: () => ({ connect: () => on(memory()), isShared: false }) },
  ];
}
