/** The terms of a claim that bound those that were tried before: they are passed over, and the others go on. */
import assert from "node:assert/strict";
import type { ClaimQueue, Outcome, TaskTerms } from "../../src/core/engine.ts";
import { job, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

type Wanted = Parameters<Stage["claim"]>[0];

const queuesOf = (slots: number): ClaimQueue[] => ["mail", "paper"].map((queue) => ({ queue, slots, ahead: 0 }));

/** Stored with more urgency than those that are not tried, claimed once, and back. */
async function tried(stage: Stage, ids: readonly string[], options: JobOptions = {}, outcome: Partial<Outcome> = { is: "retry", delayMs: 0 }): Promise<void> {
  await stage.enqueue(...ids.map((id) => job(id, { headStartMs: 100, ...options })));
  const claimed = await stage.claimIds({ queues: queuesOf(1_000), terms: { send: { retriesMost: 0 } } });
  assert.deepEqual(claimed, ids);
  const { is = "retry", ...more } = outcome;
  await stage.settleAll(...claimed.map((id) => stage.outcome(id, is, more)));
}

/** What was tried before stands before all others; what is handed out of nine slots in each queue. */
const rows: readonly {
  readonly claim: string;
  readonly tried: readonly string[];
  readonly untried: readonly string[];
  readonly terms: Record<string, TaskTerms>;
  readonly wanted?: Wanted;
  readonly ids: readonly string[];
}[] = [
  { claim: "with room for one, one goes first", tried: ["t0", "t1"], untried: ["a", "b"], terms: { send: { retriesMost: 1 } }, ids: ["t0", "a", "b"] },
  { claim: "with room for none, they are passed over", tried: ["t0", "t1"], untried: ["a", "b"], terms: { send: { retriesMost: 0 } }, ids: ["a", "b"] },
  { claim: "where there are no others, the bound holds", tried: ["t0", "t1", "t2"], untried: [], terms: { send: { retriesMost: 2 } }, ids: ["t0", "t1"] },
  { claim: "with room for all, urgency decides", tried: ["t0", "t1"], untried: ["a"], terms: { send: { retriesMost: 9 } }, ids: ["t0", "t1", "a"] },
  { claim: "without the bound, urgency decides", tried: ["t0", "t1"], untried: ["a"], terms: { send: { most: 9 } }, ids: ["t0", "t1", "a"] },
  { claim: "the bound is of its task", tried: ["t0", "t1"], untried: ["a"], terms: { print: { retriesMost: 0 } }, ids: ["t0", "t1", "a"] },
  { claim: "`most` counts all", tried: ["t0", "t1"], untried: ["a", "b"], terms: { send: { most: 2, retriesMost: 1 } }, ids: ["t0", "a"] },
  {
    claim: "none is held ahead beyond it",
    tried: ["t0", "t1"],
    untried: ["a", "b"],
    terms: { send: { retriesMost: 1 } },
    wanted: ahead(1, 9),
    ids: ["t0", "a", "b"],
  },
  {
    claim: "one that is passed over takes no slot",
    tried: ["t0", "t1"],
    untried: ["a", "b", "c"],
    terms: { send: { retriesMost: 0 } },
    wanted: ahead(2, 0),
    ids: ["a", "b"],
  },
  {
    claim: "every second one is fresh, of those that may go",
    tried: ["t0", "t1", "t2"],
    untried: ["a", "b"],
    terms: { send: { retriesMost: 1, freshFrom: start } },
    ids: ["a", "t0", "b"],
  },
  {
    claim: "none is fresh, and the bound holds",
    tried: ["t0", "t1"],
    untried: ["a", "b"],
    terms: { send: { retriesMost: 1, freshFrom: start + 9 } },
    ids: ["t0", "a", "b"],
  },
  {
    claim: "gated ones, in their slots",
    tried: ["t0", "t1"],
    untried: ["a", "b"],
    terms: { send: { retriesMost: 0, gates: ["free"] } },
    wanted: ahead(1, 9),
    ids: ["a"],
  },
];

function ahead(slots: number, more: number): Wanted {
  return { queues: [{ queue: "mail", slots, ahead: more }] };
}

/** What makes a job one that was tried. */
const outcomes: readonly { readonly claim: string; readonly outcome: Partial<Outcome>; readonly isTried: boolean }[] = [
  { claim: "a retry is one that was tried", outcome: { is: "retry", delayMs: 0 }, isTried: true },
  { claim: "a snooze is not", outcome: { is: "snoozed", delayMs: 0, reason: "later" }, isTried: false },
  { claim: "what was handed back is not", outcome: { is: "released" }, isTried: false },
];

export const cases: readonly Case[] = [
  {
    claim: "one that may not go has no turn as a fresh one: its task goes on with the others as urgent as they are",
    run: async (stage) => {
      await tried(stage, ["t0"], { headStartMs: -100 });
      await tried(stage, ["t1"], { headStartMs: -102 });
      await stage.enqueue(job("a"), job("b"), job("c"), job("x", { task: "print" }), job("y", { task: "print", headStartMs: -101 }));
      const claim = async (slots: number, retriesMost: number): Promise<string[]> =>
        stage.claimIds({ slots, tasks: ["send", "print"], terms: { send: { retriesMost, freshFrom: start + 80 } } });
      assert.deepEqual(await claim(1, 0), ["a"]);
      assert.deepEqual(await claim(1, 0), ["b"]);
      assert.deepEqual(await claim(1, 1), ["x"]);
      await stage.enqueue(job("d"));
      assert.deepEqual(await claim(4, 1), ["t0", "c", "d", "y"]);
    },
  },
  ...rows.map((row): Case => ({
    claim: row.claim,
    run: async (stage) => {
      await tried(stage, row.tried);
      if (row.untried.length > 0) await stage.enqueue(...row.untried.map((id) => job(id)));
      assert.deepEqual(await stage.claimIds({ queues: queuesOf(9), terms: row.terms, ...row.wanted }), row.ids);
    },
  })),
  ...outcomes.map(({ claim, outcome, isTried }): Case => ({
    claim,
    run: async (stage) => {
      await tried(stage, ["a"], {}, outcome);
      stage.advance(1);
      assert.equal((await stage.claimIds({ terms: { send: { retriesMost: 0 } } })).length, isTried ? 0 : 1);
      assert.equal((await stage.claimIds()).length, isTried ? 1 : 0);
    },
  })),
  {
    claim: "one that waited for its retry is one that was tried; one that waited for its time is not",
    run: async (stage) => {
      await tried(stage, ["a"], {}, { is: "retry", delayMs: 5 });
      await stage.enqueue(job("b", { delayMs: 5 }));
      stage.advance(5);
      assert.deepEqual(await stage.claimIds({ terms: { send: { retriesMost: 0 } } }), ["b"]);
    },
  },
  {
    claim: "none follows another in a row, and the first alone counts",
    run: async (stage) => {
      const lane = { key: "k", width: 1, ifDead: "continue" } as const;
      await tried(stage, ["a"], { lane });
      await stage.enqueue(job("b", { lane }), job("c", { lane }));
      const inRow = { ...ahead(1, 9), inRow: 9 };
      assert.deepEqual(await stage.claimIds({ ...inRow, terms: { send: { retriesMost: 0 } } }), []);
      assert.deepEqual(await stage.claimIds({ ...inRow, terms: { send: { retriesMost: 1 } } }), ["a"]);
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.claimIds(inRow), ["b", "c"]);
    },
  },
  {
    claim: "one that its lane let wait is one that was tried",
    run: async (stage) => {
      for (const key of ["k", "l"]) {
        const lane = { key, width: 1, ifDead: "continue" } as const;
        await stage.enqueue(job(`${key}1`, { lane }), job(`${key}2`, { lane }));
      }
      assert.deepEqual(await stage.claimIds({ ...ahead(2, 9), inRow: 9 }), ["k1", "k2", "l1", "l2"]);
      for (const id of ["k2", "l2"]) await stage.settle(id, "retry", { delayMs: 0 });
      stage.advance(5);
      await stage.settleAll(stage.outcome("k1", "completed"), stage.outcome("l1", "completed"));
      assert.equal((await stage.row("k2")).waits?.since, stage.now);
      assert.deepEqual(await stage.claimIds({ terms: { send: { retriesMost: 0 } } }), []);
      assert.deepEqual(await stage.claimIds({ terms: { send: { retriesMost: 1 } } }), ["k2"]);
    },
  },
  {
    claim: "it bounds a task over all queues, and each task by itself",
    run: async (stage) => {
      await tried(stage, ["m0", "m1"]);
      await tried(stage, ["p0", "p1"], { queue: "paper", headStartMs: 200 });
      await stage.enqueue(job("a"), job("b", { queue: "paper" }), job("c", { task: "print" }));
      const wanted = { queues: queuesOf(9), tasks: ["send", "print"] };
      assert.deepEqual(await stage.claimIds({ ...wanted, terms: { send: { retriesMost: 1 }, print: { retriesMost: 0 } } }), ["p0", "a", "b", "c"]);
      assert.deepEqual(await stage.claimIds({ ...wanted, terms: { send: { retriesMost: 2 } } }), ["p1", "m0"]);
    },
  },
  {
    claim: "one that is redriven was not tried",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.die("a");
      await stage.retry("a");
      assert.deepEqual(await stage.claimIds({ terms: { send: { retriesMost: 0 } } }), ["a"]);
    },
  },
  {
    claim: "what runs alone is not bound",
    run: async (stage) => {
      await tried(stage, ["a"]);
      for (const process of ["p1", "p2"]) {
        await stage.claim({ process });
        await stage.crash();
      }
      assert.deepEqual(await stage.claimIds({ process: "q", alone: "only", terms: { send: { retriesMost: 0 } } }), ["a"]);
    },
  },
  {
    claim: "those that were passed over are found, cancelled, made more urgent, and told of as any other",
    run: async (stage) => {
      await tried(stage, ["a", "b", "c"]);
      const terms = { send: { retriesMost: 0 } };
      const claimed = await stage.claim({ terms });
      assert.deepEqual([claimed.jobs, claimed.hasSuspects], [[], false]);
      const page = await stage.engine.find({ of: "jobs", where: { states: ["ready"], task: "send" }, limit: 9 }, stage.at);
      assert.deepEqual(
        page.rows.map(({ id }) => id),
        ["a", "b", "c"],
      );
      assert.equal(await stage.cancel("a"), "cancelled");
      assert.equal(await stage.changeOne("c", { do: "prioritise", headStartMs: 500 }), "prioritised");
      assert.deepEqual(await stage.claimIds({ terms }), []);
      assert.deepEqual(await stage.claimIds(), ["c", "b"]);
    },
  },
  {
    claim: "a limit of starts that keeps those waiting that were passed over tells when it has room",
    run: async (stage) => {
      await stage.limit("api", { starts: 1, everyMs: 1_000 });
      await tried(stage, ["a", "b"]);
      const terms = { send: { gates: ["api"], retriesMost: 1 } };
      assert.deepEqual(await stage.claimIds({ terms }), ["a"]);
      assert.equal((await stage.claim({ terms: { send: { ...terms.send, retriesMost: 0 } } })).nextDueMs, 1_000);
    },
  },
  {
    claim: "5,000 that were tried before cost the others nothing",
    run: async (stage) => {
      for (let atom = 0; atom < 10; atom += 1)
        await tried(
          stage,
          Array.from({ length: 500 }, (_, index) => `${atom}-${index}`),
        );
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds({ terms: { send: { retriesMost: 1 } } }), ["0-0", "a"]);
    },
  },
];
