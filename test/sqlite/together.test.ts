/** Jobs of one claim that end together: by ranges where nobody else runs between them, one by one where somebody does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { Bench, job, outcomes, rowOf, wanted } from "./bench.ts";

const ids = ["a", "b", "c", "d", "e"];

async function statesOf(engine: Engine): Promise<(string | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await rowOf(engine, id))?.state));
}

describe("of jobs that end together", () => {
  for (const [name, inFile] of [
    ["where they were handed out", 0],
    ["through another connection", 1],
  ] as const) {
    it(`one that is to be cancelled ends cancelled, the others completed (${name})`, async () => {
      await using bench = new Bench();
      const engines = [bench.engine(), bench.engine()];
      const [engine = bench.engine()] = engines;
      await engine.enqueue([{ works: ids.map((id) => job(id)) }], {});
      const claimed = await engine.claim(wanted(), {});
      await engine.change({ ids: ["c"] }, { do: "cancel", reason: "no" }, 1, {});
      const settled = await engines[inFile]?.settle(outcomes(claimed), {});
      assert.deepEqual(
        settled?.map(({ is }) => is),
        ["settled", "settled", "cancelled", "settled", "settled"],
      );
      assert.deepEqual(await statesOf(engine), ["completed", "completed", "cancelled", "completed", "completed"]);
    });

    it(`one between them that another claim holds runs on (${name})`, async () => {
      await using bench = new Bench();
      const engines = [bench.engine(), bench.engine()];
      const [engine = bench.engine()] = engines;
      await engine.enqueue([{ works: ids.map((id) => job(id, { task: id === "c" ? "call" : "send" })) }], {});
      const claimed = await engine.claim(wanted(), {});
      await engine.claim(wanted({ claim: "c2", process: "p2", tasks: ["call"] }), {});
      await engines[inFile]?.settle(outcomes(claimed), {});
      assert.deepEqual(await statesOf(engine), ["completed", "completed", "running", "completed", "completed"]);
    });
  }

  it("none counts under a claim that is not theirs any more", async () => {
    await using bench = new Bench();
    const [engine, other] = [bench.engine(), bench.engine()];
    await engine.enqueue([{ works: ids.map((id) => job(id)) }], {});
    const claimed = await engine.claim(wanted(), {});
    bench.runtime.wall += 60_000;
    await other.tidy({ items: 1_000, mayExpire: true }, {});
    await other.claim(wanted({ claim: "c2", process: "p2" }), {});
    const settled = await engine.settle(outcomes(claimed), {});
    assert.deepEqual([...new Set(settled.map(({ is }) => is))], ["lease-lost"]);
    assert.deepEqual([...new Set(await statesOf(engine))], ["running"]);
  });
});
