/** The model test is alive: it finds each planted bug within a bounded number of runs, and none where none was planted. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memory } from "../../src/memory/index.ts";
import { findDivergence } from "./campaign.ts";
import { plants } from "./planted.ts";
import { joinedPlants } from "./plantedJoined.ts";
import { Wrapped } from "./wrapped.ts";

const campaign = { runs: 400, commandsMax: 60, seed: 7, shrinkMs: 0 };

describe("the model test", () => {
  it("finds nothing in an engine that only hands on", async () => {
    assert.equal(
      await findDivergence({ name: "memory", make: () => ({ connect: () => new Wrapped(memory()), isShared: false }) }, { ...campaign, runs: 30 }),
      undefined,
    );
  });
  for (const { bug, breaks, on } of [...plants, ...joinedPlants]) {
    it(`finds that ${bug} (${breaks})`, async () => {
      const found = await findDivergence({ name: "memory", make: () => ({ connect: () => on(memory()), isShared: false }) }, campaign);
      assert.notEqual(found, undefined);
    });
  }
});
