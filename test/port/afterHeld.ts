/** A job that waits for a predecessor: its lane, its unique key and its times. */
import assert from "node:assert/strict";
import { job, join, member, start } from "./stage.ts";
import type { Case, JobOptions } from "./stage.ts";

function after(id: string, when: "well" | "badly"): Pick<JobOptions, "after"> {
  return { after: [{ id, when }] };
}

export const cases: readonly Case[] = [
  {
    claim: "outside its lane while it waits: those behind it go first, and it takes its place by order of enqueue when it is let go",
    run: async (stage) => {
      await stage.enqueue(job("a"), member("b", "park", after("a", "well")), member("c", "park"), member("d", "park"));
      assert.equal(await stage.states("b", "c", "d"), "blocked ready blocked");
      await stage.run("a");
      assert.equal((await stage.row("b")).waits?.reason, "key");
      await stage.run("c");
      assert.equal(await stage.states("b", "d"), "ready blocked");
    },
  },
  {
    claim: "two that are let go together stand in their lane by order of enqueue, whichever ended first",
    run: async (stage) => {
      await stage.enqueue(job("x"), job("y"), member("b", "park", after("y", "well")), member("c", "park", after("x", "well")));
      await stage.claim();
      await stage.settleAll(stage.outcome("x", "completed"), stage.outcome("y", "completed"));
      assert.equal(await stage.states("b", "c"), "ready blocked");
    },
  },
  {
    claim: "what is let go by one verb is let go before lanes admit, also from joins within joins",
    run: async (stage) => {
      await stage.enqueue(join("P", { isSealed: false }), join("J", { join: "P" }), member("first", "park", { join: "J" }));
      await stage.enqueue(member("second", "park", { join: "P" }), join("P"));
      assert.equal(await stage.states("first", "second"), "ready blocked");
    },
  },
  {
    claim: "it comes after what stood when it was stored, never after a later one with the same id",
    run: async (stage) => {
      await stage.enqueue(job("x"), job("y"), job("b", { after: ["x", "y"].map((id) => ({ id, when: "well" })) }));
      await stage.claim();
      await stage.settle("x", "completed");
      await stage.changeOne("x", { do: "delete" });
      await stage.enqueue(job("x", { delayMs: 99_999 }));
      await stage.settle("y", "completed");
      assert.equal(await stage.state("b"), "ready");
      const { rows } = await stage.engine.find({ of: "jobs", where: { after: "x" }, limit: 9 }, stage.at);
      assert.deepEqual([rows, (await stage.row("b")).after?.length], [[], 2]);
    },
  },
  {
    claim: "it holds its unique key while it waits",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(job("a"), job("b", { ...after("a", "well"), unique }));
      assert.deepEqual(await stage.enqueue(job("c", { unique })), [{ id: "b", isDuplicate: true, state: "blocked" }]);
      await stage.die("a");
      assert.deepEqual(await stage.enqueue(job("c", { unique })), [{ id: "c", isDuplicate: false, state: "ready" }]);
    },
  },
  {
    claim: "delayMs and startWithinMs count from its being let go; its urgency stays",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", { ...after("a", "well"), delayMs: 100, startWithinMs: 300, headStartMs: 7 }), job("c", after("a", "well")));
      stage.advance(50);
      await stage.run("a");
      const [b, c] = [await stage.row("b"), await stage.row("c")];
      assert.deepEqual([b.state, b.dueAt, b.startBy, b.urgency], ["scheduled", start + 150, start + 350, start + 93]);
      assert.deepEqual([c.state, c.dueAt, c.urgency], ["ready", start + 50, start]);
    },
  },
  {
    claim: "replacing one that waits replaces its times too: they count from its being let go",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "replace" } } as const;
      await stage.enqueue(job("a"), job("b", { ...after("a", "well"), unique, delayMs: 100 }));
      await stage.enqueue(job("b2", { unique, payload: '"new"', startWithinMs: 5 }));
      stage.advance(50);
      await stage.run("a");
      const { state, payload, dueAt, startBy } = await stage.row("b");
      assert.deepEqual([state, payload, dueAt, startBy], ["ready", '"new"', start + 50, start + 55]);
    },
  },
  {
    claim: "a debounce that waits keeps the due time of its debounce",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "debounce", quietMs: 1_000, atMostMs: 1_500 } } as const;
      await stage.enqueue(job("a"), job("b", { ...after("a", "well"), unique }));
      stage.advance(400);
      await stage.enqueue(job("b2", { unique }));
      stage.advance(100);
      await stage.run("a");
      const { state, dueAt } = await stage.row("b");
      assert.deepEqual([state, dueAt], ["scheduled", start + 1_400]);
    },
  },
];
