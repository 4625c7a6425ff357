/** Limits by key among all else that a job may wait for: when room is asked for, and who else has a say (G9). */
import assert from "node:assert/strict";
import type { KeyLimit, NewJob } from "../../src/core/engine.ts";
import { job, member, start } from "./stage.ts";
import type { Case, JobOptions } from "./stage.ts";

function running(most: number, key = "k"): KeyLimit {
  return { key, is: { running: most } };
}

function limited(id: string, limit: KeyLimit | readonly KeyLimit[], options: JobOptions = {}): NewJob {
  return job(id, { keyLimits: Array.isArray(limit) ? (limit as readonly KeyLimit[]) : [limit as KeyLimit], ...options });
}

export const cases: readonly Case[] = [
  {
    claim: "it is asked for when the job is due: a scheduled one holds none, and one that is due and has no room is blocked",
    run: async (stage) => {
      await stage.enqueue(limited("later", running(1), { delayMs: 100 }));
      assert.equal(await stage.state("later"), "scheduled");
      await stage.enqueue(limited("a", running(1)));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      stage.advance(100);
      const { promoted } = await stage.tidy();
      assert.deepEqual([promoted, await stage.state("later"), (await stage.row("later")).waits?.since], [1, "blocked", start + 100]);
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.claimIds(), ["later"]);
    },
  },
  ...(["claim", "retry now"] as const).map((verb): Case => ({
    claim: `a scheduled one that has no room is blocked by ${verb} too`,
    run: async (stage) => {
      await stage.enqueue(limited("later", running(1), { delayMs: 100 }), limited("a", running(1)));
      await stage.claim();
      if (verb === "retry now") assert.equal(await stage.retry("later"), "retried");
      else stage.advance(100);
      await stage.claim();
      assert.equal(await stage.state("later"), "blocked");
    },
  })),
  {
    claim: "it is asked for when its lane has admitted the job: the lane waits with it",
    run: async (stage) => {
      await stage.enqueue(limited("holder", running(1)));
      await stage.claim();
      const inLane = { keyLimits: [running(1)] };
      await stage.enqueue(member("a", "park", inLane), member("b", "park"));
      assert.deepEqual([(await stage.row("a")).waits?.reason, (await stage.row("b")).waits?.reason], ["limit", "key"]);
      await stage.settle("holder", "completed");
      assert.equal(await stage.states("a", "b"), "ready blocked");
    },
  },
  {
    claim: "one that waited for its lane only keeps its urgency; one that waited for room after that does not",
    run: async (stage) => {
      const inLane = (most: number): JobOptions => ({ keyLimits: [running(most)] });
      await stage.enqueue(member("a", "park", inLane(2)), member("b", "park", inLane(2)), member("c", "park", inLane(1)));
      await stage.enqueue(limited("other", running(2)));
      stage.advance(10);
      await stage.claim();
      await stage.settle("a", "completed");
      assert.deepEqual([await stage.state("b"), (await stage.row("b")).urgency], ["ready", start]);
      await stage.run("b");
      stage.advance(10);
      assert.equal((await stage.row("c")).waits?.reason, "limit");
      await stage.settle("other", "completed");
      assert.deepEqual([await stage.state("c"), (await stage.row("c")).urgency], ["ready", start + 20]);
    },
  },
  {
    claim: "a lane that closes takes one that waits for room with it, and its redrive asks anew",
    run: async (stage) => {
      await stage.enqueue(limited("holder", running(1)));
      await stage.claim();
      await stage.enqueue(member("dies", "park", {}, 2), member("a", "park", { keyLimits: [running(1)] }, 2));
      await stage.die("dies");
      assert.equal(await stage.state("a"), "parked");
      await stage.settle("holder", "completed");
      await stage.retry("a");
      assert.equal(await stage.state("a"), "ready");
      await stage.enqueue(limited("b", running(1)));
      assert.equal(await stage.state("b"), "blocked");
    },
  },
  {
    claim: "a ready one that is parked gives its room back",
    run: async (stage) => {
      await stage.enqueue(member("dies", "park", { headStartMs: 9 }, 2), member("a", "park", { keyLimits: [running(1)] }, 2), limited("b", running(1)));
      assert.equal(await stage.states("a", "b"), "ready blocked");
      await stage.die("dies");
      assert.equal(await stage.states("a", "b"), "parked ready");
    },
  },
  {
    claim: "a redrive asks for room",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(1)), limited("b", running(1)));
      await stage.die("a");
      assert.equal(await stage.retry("a"), "retried");
      assert.equal(await stage.states("a", "b"), "blocked ready");
      await stage.run("b");
      assert.equal(await stage.state("a"), "ready");
    },
  },
  {
    claim: "a redrive passes one that waits and is less urgent",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(1), { headStartMs: 9 }));
      await stage.die("a");
      await stage.enqueue(limited("holder", running(1)), limited("b", running(1)));
      await stage.claim();
      await stage.retry("a");
      await stage.settle("holder", "completed");
      assert.equal(await stage.states("a", "b"), "ready blocked");
    },
  },
  {
    claim: "one that is too late takes no room: it is skipped instead",
    run: async (stage) => {
      await stage.enqueue(limited("holder", running(1)));
      await stage.claim();
      await stage.enqueue(
        limited("late", running(1), { startWithinMs: 10 }),
        limited("later", running(1), { delayMs: 5, startWithinMs: 10 }),
        limited("b", running(1)),
      );
      stage.advance(11);
      const { skipped } = await stage.tidy();
      assert.deepEqual([skipped, await stage.states("late", "later")], [1, "blocked skipped"]);
      await stage.settle("holder", "completed");
      assert.equal(await stage.states("late", "b"), "skipped ready");
      assert.match((await stage.row("late")).reason ?? "", /^too late/);
    },
  },
  {
    claim: "all that a pass of tidy skipped as too late is counted",
    run: async (stage) => {
      const late = { startBy: start };
      await stage.enqueue(job("a", late), limited("b", running(1), { ...late, delayMs: 1 }));
      stage.advance(150);
      const { skipped } = await stage.tidy(1);
      const states = await stage.states("a", "b");
      assert.equal(skipped, states.split(" ").filter((state) => state === "skipped").length);
    },
  },
  {
    claim: "one that is stored too late is skipped at once, where it would be given room",
    run: async (stage) => assert.equal((await stage.enqueue(limited("late", running(1), { startBy: start - 1 })))[0]?.state, "skipped"),
  },
  {
    claim: "reprioritising one that waits changes its place in the line",
    run: async (stage) => {
      await stage.enqueue(limited("holder", running(1)));
      await stage.claim();
      await stage.enqueue(limited("a", running(1)), limited("b", running(1)));
      assert.equal(await stage.changeOne("b", { do: "prioritise", headStartMs: 50 }), "prioritised");
      await stage.settle("holder", "completed");
      assert.equal(await stage.states("a", "b"), "blocked ready");
    },
  },
  {
    claim: "replacing one that waits: with a later due time it is scheduled, else its place is by its new urgency",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "replace" } } as const;
      await stage.enqueue(limited("holder", running(1)));
      await stage.claim();
      await stage.enqueue(limited("a", running(1)), limited("b", running(1), { unique }));
      assert.deepEqual(await stage.enqueue(job("b2", { unique, headStartMs: 5 })), [{ id: "b", isDuplicate: true, state: "blocked" }]);
      await stage.settle("holder", "completed");
      assert.equal(await stage.states("a", "b"), "blocked ready");
      assert.deepEqual(await stage.enqueue(job("b3", { unique, delayMs: 50 })), [{ id: "b", isDuplicate: true, state: "scheduled" }]);
      assert.equal(await stage.state("a"), "ready");
      assert.deepEqual(await stage.enqueue(job("b4", { unique })), [{ id: "b", isDuplicate: true, state: "blocked" }]);
      assert.deepEqual(await stage.enqueue(job("b5", { unique, delayMs: 50 })), [{ id: "b", isDuplicate: true, state: "scheduled" }]);
    },
  },
  {
    claim: "replacing a ready one keeps the room that it holds",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "replace" } } as const;
      await stage.enqueue(limited("a", running(1), { unique }));
      await stage.enqueue(limited("urgent", running(1), { headStartMs: 99 }));
      assert.deepEqual(await stage.enqueue(job("a2", { unique, headStartMs: 5 })), [{ id: "a", isDuplicate: true, state: "ready" }]);
      assert.equal(await stage.state("urgent"), "blocked");
    },
  },
];
