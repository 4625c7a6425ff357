/** Order by key (G7): who is admitted, and when. What the death of a member does has a table of its own. */
import assert from "node:assert/strict";
import { job, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const key = 'send["k"]';
const policies = ["park", "block", "continue"] as const;

/** Runs of the head that leave it the head: the next stays blocked. Each brings it back to ready. */
const keepingRuns: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  retry: (stage) => stage.run("a", "retry"),
  "a delayed retry": (stage) => stage.run("a", "retry", { delayMs: 50 }).then(() => stage.advance(50)),
  snooze: (stage) => stage.run("a", "snoozed", { delayMs: 50 }).then(() => stage.advance(50)),
  release: (stage) => stage.run("a", "released"),
  crash: (stage) => stage.claim().then(() => stage.crash()),
};

/** Endings of the head after which the next starts. */
const endings: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  completed: (stage) => stage.run("a"),
  skipped: (stage) => stage.run("a", "skipped", { reason: "no need" }),
  "cancelled while it waits": (stage) => stage.cancel("a"),
  "cancelled while it runs": (stage) =>
    stage
      .claim()
      .then(() => stage.cancel("a"))
      .then(() => stage.settle("a", "completed")),
  "cancelled, then crashed": (stage) =>
    stage
      .claim()
      .then(() => stage.cancel("a"))
      .then(() => stage.crash()),
};

export const cases: readonly Case[] = [
  {
    claim: "a lane, and a limit, of an empty name are like others",
    run: async (stage) => {
      const options = { lane: { key: "", width: 1, ifDead: "park" }, keyLimits: [{ key: "", is: { running: 1 } }] } as const;
      await stage.enqueue(job("a", options), job("b", options));
      await stage.run("a");
      assert.equal(await stage.states("a", "b"), "completed ready");
    },
  },
  ...policies.flatMap((ifDead) => [
    ...Object.entries(keepingRuns).map(([run, bring]): Case => ({
      claim: `${ifDead}: the next stays blocked through ${run} of the one ahead`,
      run: async (stage) => {
        await stage.enqueue(member("a", ifDead), member("b", ifDead, { headStartMs: 1_000 }));
        await bring(stage);
        assert.equal(await stage.state("b"), "blocked");
        await stage.tidy();
        assert.deepEqual(await stage.claimIds(), ["a"]);
      },
    })),
    ...Object.entries(endings).map(([ending, bring]): Case => ({
      claim: `${ifDead}: the next starts when the one ahead is ${ending}`,
      run: async (stage) => {
        await stage.enqueue(member("a", ifDead), member("b", ifDead), member("c", ifDead));
        await bring(stage);
        assert.equal(await stage.states("b", "c"), "ready blocked");
        await stage.run("b");
        await stage.run("c");
      },
    })),
  ]),
  {
    claim: "members start in the order of enqueue, whatever their urgency and due time",
    run: async (stage) => {
      await stage.enqueue(member("a", "park", { delayMs: 1_000 }), member("b", "park", { headStartMs: 9_000 }), member("c", "park"));
      assert.equal(await stage.states("a", "b", "c"), "scheduled blocked blocked");
      assert.deepEqual(await stage.claimIds(), []);
      stage.advance(1_000);
      for (const id of ["a", "b", "c"]) await stage.run(id);
    },
  },
  {
    claim: "a blocked member says what it waits for, and since when",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"));
      stage.advance(5);
      await stage.enqueue(member("b", "park"));
      assert.deepEqual((await stage.row("b")).waits, { reason: "key", on: key, since: start + 5 });
    },
  },
  {
    claim: "an admitted member that is not due yet is scheduled",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park", { delayMs: 1_000 }), member("c", "park"));
      assert.equal(await stage.state("b"), "blocked");
      await stage.run("a");
      assert.equal(await stage.states("b", "c"), "scheduled blocked");
    },
  },
  {
    claim: "a member that is admitted too late is skipped, and the next one admitted in the same call",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park", { startWithinMs: 10 }), member("c", "park", { startWithinMs: 10 }), member("d", "park"));
      await stage.claim();
      stage.advance(11);
      await stage.tidy();
      assert.equal(await stage.state("b"), "blocked");
      await stage.settle("a", "completed");
      assert.equal(await stage.states("b", "c", "d"), "skipped skipped ready");
    },
  },
  {
    claim: "a wide lane admits as many as it is wide, in order",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c", "d"].map((id) => member(id, "continue", {}, 2)));
      assert.equal(await stage.states("a", "b", "c", "d"), "ready ready blocked blocked");
      assert.deepEqual(await stage.claimIds(), ["a", "b"]);
      await stage.settle("b", "completed");
      assert.equal(await stage.states("c", "d"), "ready blocked");
      await stage.settle("a", "retry", { delayMs: 5 });
      assert.equal(await stage.states("a", "c", "d"), "scheduled ready blocked");
    },
  },
  {
    claim: "other lanes, and jobs without one, flow",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park"), job("free"), job("other", { lane: { key: "other", width: 1, ifDead: "park" } }));
      await stage.die("a");
      assert.equal(await stage.states("free", "other"), "ready ready");
    },
  },
  {
    claim: "a claim that settles admits: to ready, to scheduled, past one that is too late",
    run: async (stage) => {
      await stage.enqueue(
        member("a", "continue"),
        member("b", "continue"),
        member("late", "continue", { startWithinMs: 10 }),
        member("c", "continue", { delayMs: 50 }),
      );
      await stage.claim();
      await stage.claim({ slots: 0, settling: [stage.outcome("a", "completed")] });
      assert.equal(await stage.state("b"), "ready");
      await stage.claim();
      stage.advance(11);
      await stage.claim({ slots: 0, settling: [stage.outcome("b", "completed")] });
      assert.equal(await stage.states("late", "c"), "skipped scheduled");
    },
  },
  {
    claim: "the pass that skips a late head admits the next: past those that are late too, to those that are not due yet",
    run: async (stage) => {
      await stage.enqueue(
        member("a", "continue", { startWithinMs: 10 }),
        member("b", "continue", { startWithinMs: 10 }),
        member("c", "continue", { delayMs: 1_000 }),
      );
      stage.advance(11);
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c"), "skipped skipped scheduled");
    },
  },
  {
    claim: "the pass that skips a late head admits the next",
    run: async (stage) => {
      await stage.enqueue(member("a", "continue", { startWithinMs: 10 }), member("b", "continue"));
      stage.advance(11);
      assert.equal((await stage.tidy()).skipped, 1);
      assert.equal(await stage.states("a", "b"), "skipped ready");
    },
  },
];
