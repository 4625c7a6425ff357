/** open, close, guarantees, listen, joins. */
import assert from "node:assert/strict";
import { ErrandError } from "../../src/core/errors.ts";
import { pausedQueue } from "../../src/core/notes.ts";
import { job } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";
import { StillRuntime } from "./stillRuntime.ts";

export const cases: readonly Case[] = [
  {
    claim: "opening an open engine again changes nothing, and it stays open until the last one closes it",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      const { era } = await stage.beat();
      await stage.engine.open({ runtime: new StillRuntime() });
      await stage.engine.close();
      assert.equal(await stage.state("a"), "ready");
      assert.equal((await stage.beat()).era, era);
    },
  },
  {
    claim: "guarantees name the engine, say what an acknowledged write survives, and give a reason for each that is weaker",
    run: async (stage) => {
      const { engine, durability, beatsFromThread, weaker } = stage.engine.guarantees();
      assert.equal(engine, stage.engine.name);
      assert.match(durability, /\w/);
      assert.equal(beatsFromThread, stage.engine.beatSource !== undefined);
      for (const [guarantee, reason] of Object.entries(weaker)) assert.match(`${guarantee}: ${reason}`, /^G([1-9]|1\d|2[0-2]): \w/);
    },
  },
  {
    claim: "joins refuses what is not a transaction, definitely",
    run: async (stage) => {
      for (const tx of [undefined, null, 7, {}, "tx"]) {
        assert.throws(
          () => stage.engine.joins(tx),
          (error) => error instanceof ErrandError && error.code.startsWith("tx-") && error.isDefinite,
        );
      }
    },
  },
  { claim: "listen wakes when a job becomes ready", run: (stage) => wakes(stage, () => stage.enqueue(job("a"))) },
  {
    claim: "listen wakes when a lane's next member becomes ready",
    run: async (stage) => {
      const lane = { key: "k", width: 1, ifDead: "continue" } as const;
      await stage.enqueue(job("a", { lane }), job("b", { lane }));
      await stage.claim();
      await wakes(stage, () => stage.settle("a", "completed"));
    },
  },
  {
    claim: "listen wakes when a job is redriven",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.die("a");
      await wakes(stage, () => stage.retry("a"));
    },
  },
  {
    claim: "listen wakes when a queue is resumed",
    run: async (stage) => {
      await stage.write({ key: pausedQueue("mail"), value: "{}" });
      await stage.enqueue(job("a"));
      await stage.claim();
      await wakes(stage, () => stage.write({ key: pausedQueue("mail"), value: undefined }));
    },
  },
  {
    claim: "a listener that stopped is not woken",
    run: async (stage) => {
      let woken = 0;
      const stop = await stage.engine.listen(() => (woken += 1));
      stop();
      await wakes(stage, () => stage.enqueue(job("a")));
      assert.equal(woken, 0);
    },
  },
];

async function wakes(stage: Stage, act: () => Promise<unknown>): Promise<void> {
  // What was done before may be told of only now.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const woken = Promise.withResolvers<void>();
  const stop = await stage.engine.listen(woken.resolve);
  const timer = setTimeout(() => woken.reject(new Error("nobody was woken within 5 s")), 5_000);
  await act();
  await woken.promise;
  clearTimeout(timer);
  stop();
}
