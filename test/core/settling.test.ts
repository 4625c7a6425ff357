/** Outcomes on their way to the store. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Outcome, Settled } from "../../src/core/engine.ts";
import { Meter } from "../../src/core/metrics/meter.ts";
import { Settling } from "../../src/core/worker/settling.ts";
import { StillRuntime } from "../port/stillRuntime.ts";

function outcome(id: string): Outcome {
  return { id, claim: "c", fence: 1, is: "completed", ranMs: 1 };
}

describe("outcomes of a worker", () => {
  it("are written again where a part of the store gave no answer", () => {
    const runtime = new StillRuntime();
    const settling = new Settling({ runtime, log: runtime.log, meter: new Meter() }, () => undefined);
    settling.addBare([outcome("a"), outcome("b"), outcome("c")]);
    const taken = settling.take();
    assert.equal(settling.waiting, 0);
    const answers: Settled[] = [];
    answers[1] = { id: "b", is: "settled" };
    settling.answered(taken, answers);
    assert.deepEqual(
      settling.take().map(({ id }) => id),
      ["a", "c"],
    );
  });
});
