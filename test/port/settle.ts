/** settle: what each outcome does. */
import assert from "node:assert/strict";
import type { JobRow, Outcome } from "../../src/core/engine.ts";
import { job, start } from "./stage.ts";
import type { Case } from "./stage.ts";

/** The outcome of a first run at start + 10, and the job it leaves. */
const outcomeRows: readonly { readonly is: Outcome["is"]; readonly options?: Partial<Outcome>; readonly row: Partial<JobRow> }[] = [
  { is: "completed", options: { result: '"r"' }, row: { state: "completed", attempts: 1, starts: 1, result: '"r"', endedAt: start + 10, history: [] } },
  {
    is: "skipped",
    options: { reason: "sent before" },
    row: {
      state: "skipped",
      reason: "sent before",
      endedAt: start + 10,
      history: [{ start: 1, is: "skipped", at: start + 10, ranMs: 5, reason: "sent before" }],
    },
  },
  {
    is: "dead",
    options: { reason: "gave up", error: { name: "E", message: "m", stack: "s", code: "c" } },
    row: {
      state: "dead",
      attempts: 1,
      reason: "gave up",
      endedAt: start + 10,
      history: [{ start: 1, is: "dead", at: start + 10, ranMs: 5, reason: "gave up", error: { name: "E", message: "m", stack: "s", code: "c" } }],
    },
  },
  { is: "dead", options: { reason: "killed its process", isPoison: true }, row: { state: "dead", isPoison: true } },
  {
    is: "retry",
    options: { delayMs: 1_000, error: { name: "E", message: "m" } },
    row: {
      state: "scheduled",
      attempts: 1,
      starts: 1,
      dueAt: start + 1_010,
      history: [{ start: 1, is: "retry", at: start + 10, ranMs: 5, error: { name: "E", message: "m" } }],
    },
  },
  { is: "retry", options: {}, row: { state: "ready", attempts: 1, starts: 1, dueAt: start + 10 } },
  {
    is: "snoozed",
    options: { delayMs: 1_000, reason: "not yet" },
    row: {
      state: "scheduled",
      attempts: 0,
      starts: 1,
      dueAt: start + 1_010,
      history: [{ start: 1, is: "snoozed", at: start + 10, ranMs: 5, reason: "not yet" }],
    },
  },
  { is: "snoozed", options: {}, row: { state: "ready", attempts: 0, starts: 1 } },
  { is: "released", row: { state: "ready", attempts: 0, starts: 0, history: [] } },
  { is: "saved", options: { checkpoint: '"page 2"' }, row: { state: "running", attempts: 0, starts: 1, checkpoint: '"page 2"' } },
];

const everyOutcome: readonly Outcome["is"][] = ["completed", "skipped", "dead", "retry", "snoozed", "released", "saved"];

export const cases: readonly Case[] = [
  ...outcomeRows.map(({ is, options, row }): Case => ({
    claim: `${is} ${JSON.stringify(options ?? {})} leaves the job ${row.state}`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      stage.advance(10);
      assert.deepEqual(await stage.settle("a", is, options), { id: "a", is: "settled", state: row.state });
      const after = await stage.row("a");
      for (const [name, value] of Object.entries(row)) assert.deepEqual(after[name as keyof JobRow], value, name);
      assert.equal(after.claim !== undefined, is === "saved");
      assert.equal(after.urgency, start, "urgency is fixed at enqueue");
    },
  })),
  ...everyOutcome.map((is): Case => ({
    claim: `${is} keeps a checkpoint with the job, and without one keeps what is stored`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      await stage.settle("a", "saved", { checkpoint: '"1"' });
      await stage.settle("a", "saved");
      assert.equal((await stage.row("a")).checkpoint, '"1"');
      await stage.settle("a", is, { checkpoint: '"2"' });
      assert.equal((await stage.row("a")).checkpoint, '"2"');
    },
  })),
  ...everyOutcome.map((is): Case => ({
    claim: `${is}: a lease that was taken over cannot settle, and nothing changes`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      const old = stage.outcome("a", is, { checkpoint: '"old"' });
      await stage.crash();
      assert.deepEqual(await stage.settleAll(old), [{ id: "a", is: "lease-lost", state: "ready" }]);
      assert.deepEqual(await stage.claimIds({ process: "p2" }), ["a"]);
      const before = await stage.row("a");
      assert.deepEqual(await stage.settleAll(old), [{ id: "a", is: "lease-lost", state: "running" }]);
      assert.deepEqual(await stage.row("a"), before);
      assert.equal((await stage.settle("a", "completed")).is, "settled");
    },
  })),
  ...(["completed", "skipped", "dead", "retry", "snoozed", "released"] as const).map((is): Case => ({
    claim: `${is}: if cancel was asked for meanwhile the job ends cancelled, and its follow-up work is not stored`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      assert.equal(await stage.cancel("a"), "cancelling");
      const follow = is === "dead" || is === "released" ? [] : [job("next")];
      assert.deepEqual(await stage.settle("a", is, { delayMs: 10, follow }), { id: "a", is: "cancelled", state: "cancelled" });
      const row = await stage.row("a");
      assert.deepEqual([row.state, row.reason, row.endedAt], ["cancelled", "not wanted", stage.now]);
      assert.equal(row.history.at(-1)?.is, "cancelled");
      assert.equal(await stage.find("next"), undefined);
    },
  })),
  {
    claim: "saved goes on after cancel was asked for",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      await stage.cancel("a");
      assert.deepEqual(await stage.settle("a", "saved", { checkpoint: '"1"' }), { id: "a", is: "settled", state: "running" });
    },
  },
  ...(
    [
      ["another claim", { claim: "other" }],
      ["a lower fence", { fence: 1 }],
      ["a higher fence", { fence: Number.MAX_SAFE_INTEGER }],
    ] as const
  ).map(([what, wrong]): Case => ({
    claim: `an outcome with ${what} is lease-lost`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      assert.deepEqual(await stage.settleAll({ ...stage.outcome("a", "completed"), ...wrong }), [{ id: "a", is: "lease-lost", state: "running" }]);
    },
  })),
  {
    claim: "an outcome of a job that the store does not know is lease-lost, without a state",
    run: async (stage) => {
      assert.deepEqual(await stage.settleAll({ id: "nobody", claim: "c", fence: 1, is: "completed", ranMs: 1 }), [{ id: "nobody", is: "lease-lost" }]);
    },
  },
  {
    claim: "settling twice is lease-lost the second time",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      const outcome = stage.outcome("a", "completed");
      assert.deepEqual(
        (await stage.settleAll(outcome, outcome)).map(({ is }) => is),
        ["settled", "lease-lost"],
      );
      assert.deepEqual(await stage.settleAll(outcome), [{ id: "a", is: "lease-lost", state: "completed" }]);
    },
  },
  {
    claim: "an expired lease that nobody took may still settle",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      stage.advance(3_600_000);
      await stage.tidy(1_000, false);
      assert.equal((await stage.settle("a", "completed")).is, "settled");
    },
  },
  {
    claim: "outcomes of one call stand apart",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c"), job("known"));
      await stage.claim();
      const settled = await stage.settleAll(
        stage.outcome("a", "completed", { follow: [job("next-a")] }),
        stage.outcome("b", "completed", { follow: [job("next-b"), job("known", { content: "other" })] }),
        stage.outcome("c", "completed"),
      );
      assert.deepEqual(
        settled.map(({ is, state, error }) => [is, state, error?.code]),
        [
          ["settled", "completed", undefined],
          ["refused", "running", "id-conflict"],
          ["settled", "completed", undefined],
        ],
      );
      assert.equal(await stage.states("a", "b", "c", "next-a", "next-b"), "completed running completed ready unknown");
      assert.equal((await stage.settle("b", "completed")).is, "settled");
    },
  },
  ...(["completed", "skipped", "retry", "snoozed"] as const).map((is): Case => ({
    claim: `follow-up work of ${is} is stored with it`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      await stage.settle("a", is, { delayMs: 10, follow: [job("next"), job("later", { delayMs: 10 })] });
      assert.equal(await stage.states("next", "later"), "ready scheduled");
    },
  })),
  {
    claim: "a refused outcome changes nothing, its checkpoint neither",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("known"));
      await stage.claim();
      const before = await stage.row("a");
      await stage.settle("a", "retry", { checkpoint: '"1"', delayMs: 5, follow: [job("known", { content: "other" })] });
      assert.deepEqual(await stage.row("a"), before);
    },
  },
  {
    claim: "attempt counts outcomes, starts counts claims",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      const told: unknown[] = [];
      for (const is of ["snoozed", "retry", "released", "retry", "snoozed", "completed"] as const) {
        const [claimed] = (await stage.claim()).jobs;
        told.push([claimed?.attempt, claimed?.starts]);
        await stage.settle("a", is);
      }
      assert.deepEqual(told, [
        [1, 1],
        [1, 2],
        [2, 3],
        [2, 3],
        [3, 4],
        [3, 5],
      ]);
    },
  },
  {
    claim: "the last 10 attempts are told, oldest first",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      for (let run = 1; run <= 13; run += 1) await stage.run("a", "retry", { error: { name: "E", message: `run ${run}` } });
      const { history, attempts } = await stage.row("a");
      assert.deepEqual(
        history.map(({ start: claims }) => claims),
        [4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
      );
      assert.equal(history.at(-1)?.error?.message, "run 13");
      assert.equal(attempts, 13);
    },
  },
  {
    claim: "a retried job waits for its retry, a snoozed one for its snooze, and is handed out when due",
    run: async (stage) => {
      for (const [is, reason] of [
        ["retry", "retry"],
        ["snoozed", "snooze"],
      ] as const) {
        await stage.enqueue(job(is));
        await stage.run(is, is, { delayMs: 1_000 });
        const { waits } = await stage.row(is);
        assert.deepEqual([waits?.reason, waits?.since], [reason, stage.now]);
        stage.advance(999);
        assert.deepEqual(await stage.claimIds(), []);
        stage.advance(1);
        await stage.run(is);
      }
    },
  },
  {
    claim: "a job that started in time is not too late for its retry",
    run: async (stage) => {
      await stage.enqueue(job("a", { startWithinMs: 10 }));
      await stage.run("a", "retry", { delayMs: 1_000 });
      stage.advance(1_000);
      await stage.tidy();
      await stage.run("a");
    },
  },
  {
    claim: "a job that was released never started: it may be too late, and its claim is not told of",
    run: async (stage) => {
      for (const elapsed of [0, 11]) {
        const id = `released after ${elapsed}`;
        await stage.enqueue(job(id, { startWithinMs: 10 }));
        await stage.claim();
        stage.advance(elapsed);
        await stage.settle(id, "released");
        stage.advance(11);
        await stage.tidy();
        const { state, starts, history } = await stage.row(id);
        assert.deepEqual([state, starts, history.map(({ is, start: claims }) => [is, claims])], ["skipped", 0, [["skipped", 0]]]);
      }
    },
  },
];
