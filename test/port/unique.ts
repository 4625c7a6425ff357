/** At most one live job per key (G6), in all its modes. */
import assert from "node:assert/strict";
import type { Uniqueness } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";
import { job, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

type Mode = Uniqueness["mode"];
const modes: Readonly<Record<Mode["is"], Mode>> = {
  keep: { is: "keep" },
  replace: { is: "replace" },
  debounce: { is: "debounce", quietMs: 1_000, atMostMs: 5_000 },
  throttle: { is: "throttle", windowMs: 60_000 },
  "one-more": { is: "one-more" },
  gather: { is: "gather", quietMs: 1_000, atMostMs: 5_000, most: 3 },
};

function unique(id: string, mode: Mode, options: JobOptions = {}): ReturnType<typeof job> {
  return job(id, { unique: { key: "k", mode }, ...(mode.is === "gather" && { payload: `["${id}"]` }), ...options });
}

/** Brings the first job, "a", into a state. */
const reach: Readonly<
  Record<
    "ready" | "scheduled" | "blocked" | "running" | "parked" | "completed" | "skipped" | "cancelled" | "dead",
    (stage: Stage, mode: Mode) => Promise<unknown>
  >
> = {
  ready: (stage, mode) =>
    stage
      .enqueue(unique("a", mode))
      .then(() => stage.advance(2_000))
      .then(() => stage.tidy()),
  scheduled: (stage, mode) => stage.enqueue(unique("a", mode, { delayMs: 10_000 })),
  blocked: async (stage, mode) => {
    const lane = { key: "lane", width: 1, ifDead: "continue" } as const;
    await stage.enqueue(job("ahead", { lane }), unique("a", mode, { lane }));
  },
  running: async (stage, mode) => {
    await reach.ready(stage, mode);
    assert.deepEqual(await stage.claimIds(), ["a"]);
  },
  parked: async (stage, mode) => {
    await stage.enqueue(unique("a", mode, { lane: { key: "lane", width: 1, ifDead: "park" } }));
    stage.advance(2_000);
    await stage.die("a");
  },
  completed: (stage, mode) => reach.running(stage, mode).then(() => stage.settle("a", "completed")),
  skipped: (stage, mode) => reach.running(stage, mode).then(() => stage.settle("a", "skipped", { reason: "no need" })),
  dead: (stage, mode) => reach.running(stage, mode).then(() => stage.settle("a", "dead", { reason: "broken" })),
  cancelled: (stage, mode) => reach.ready(stage, mode).then(() => stage.cancel("a")),
};

const rewriting: readonly Mode["is"][] = ["replace", "debounce", "gather"];
const liveOnes: readonly JobState[] = ["ready", "scheduled", "blocked", "running", "parked"];

/** Every mode against every state of the first: the second loses, rewrites the first, or is accepted. */
const matrix = Object.values(modes).flatMap((mode) =>
  (Object.keys(reach) as (keyof typeof reach)[]).map((state) => ({ mode, state, then: expected(mode, state) })),
);

function expected(mode: Mode, state: keyof typeof reach): "loses" | "rewrites" | "accepted" {
  // What runs or is parked takes no elements, so that none is lost.
  if (mode.is === "gather" && (state === "running" || state === "parked")) return "accepted";
  if (!liveOnes.includes(state)) return mode.is === "throttle" ? "loses" : "accepted";
  if (mode.is === "one-more" && state === "running") return "accepted";
  return rewriting.includes(mode.is) && state !== "running" && state !== "parked" ? "rewrites" : "loses";
}

export const cases: readonly Case[] = [
  ...matrix.map(({ mode, state, then }): Case => ({
    claim: `${mode.is}: against a ${state} job the second one ${then === "accepted" ? "is accepted" : then}`,
    run: async (stage) => {
      await reach[state](stage, mode);
      assert.equal(await stage.state("a"), state);
      const before = await stage.row("a");
      const isGathering = mode.is === "gather";
      const [answer] = await stage.enqueue(unique("b", mode, { payload: isGathering ? '["new"]' : '"new"', expecting: '"e"' }));
      assert.ok(answer);
      assert.deepEqual([answer.id, answer.isDuplicate], then === "accepted" ? ["b", false] : ["a", true]);
      const after = await stage.row("a");
      assert.equal(answer.state, then === "accepted" ? (await stage.row("b")).state : after.state);
      if (then === "rewrites") assert.deepEqual([after.payload, after.expecting], [isGathering ? '["a","new"]' : '"new"', '"e"']);
      else assert.deepEqual(after, before);
    },
  })),
  ...([modes.replace, modes.debounce] as const).map((mode): Case => ({
    claim: `${mode.is} drops what the job has saved: that was of the payload before`,
    run: async (stage) => {
      await reach.running(stage, mode);
      await stage.settle("a", "retry", { checkpoint: '"1"', delayMs: 60_000 });
      await stage.enqueue(unique("b", mode));
      assert.equal((await stage.row("a")).checkpoint, undefined);
      stage.advance(120_000);
      assert.deepEqual(
        (await stage.claim()).jobs.map(({ id, checkpoint }) => [id, checkpoint]),
        [["a", undefined]],
      );
    },
  })),
  {
    claim: "replace takes the new due time, urgency and startBy, and keeps id and place",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.replace, { delayMs: 10_000, startWithinMs: 50_000 }), job("after"));
      stage.advance(1_000);
      await stage.enqueue(unique("b", modes.replace, { delayMs: 20_000, headStartMs: 5_000 }));
      const row = await stage.row("a");
      assert.deepEqual(
        [row.state, row.dueAt, row.headStartMs, row.urgency, row.startBy, row.enqueuedAt],
        ["scheduled", start + 21_000, 5_000, start + 16_000, undefined, start],
      );
      assert.deepEqual(
        (await stage.all()).map(({ id }) => id),
        ["a", "after"],
      );
    },
  },
  ...(
    [
      ["scheduled", { delayMs: 5_000 }, "ready", {}],
      ["ready", {}, "scheduled", { delayMs: 5_000 }],
      ["ready", {}, "ready", { headStartMs: 7 }],
      ["scheduled", { delayMs: 5_000 }, "scheduled", { delayMs: 50 }],
    ] as const
  ).map(([from, first, to, second]): Case => ({
    claim: `replace moves a ${from} job to ${to} by its new due time`,
    run: async (stage) => {
      const [stored] = await stage.enqueue(unique("a", modes.replace, first));
      const [replaced] = await stage.enqueue(unique("b", modes.replace, second));
      assert.deepEqual([stored?.state, replaced?.state], [from, to]);
      stage.advance(5_000);
      assert.deepEqual(await stage.claimIds(), ["a"]);
    },
  })),
  {
    claim: "replace takes the new content: the replaced id with its old content is a conflict",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.replace));
      await stage.enqueue(unique("b", modes.replace));
      assert.equal(await stage.refused({ works: [unique("a", modes.replace)] }), "id-conflict");
      const [answer] = await stage.enqueue(unique("a", modes.replace, { content: "content of b" }));
      assert.deepEqual(answer, { id: "a", isDuplicate: true, state: "ready" });
    },
  },
  {
    claim: "debounce: due quietMs after the last enqueue, never later than atMostMs after the first",
    run: async (stage) => {
      const dueAfter: number[] = [];
      for (let call = 0; call < 8; call += 1) {
        await stage.enqueue(unique(`call-${call}`, modes.debounce));
        dueAfter.push((await stage.row("call-0")).dueAt - start);
        stage.advance(800);
      }
      assert.deepEqual(dueAfter, [1_000, 1_800, 2_600, 3_400, 4_200, 5_000, 5_000, 5_000]);
    },
  },
  {
    claim: "debounce: a ready job is put off again",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.debounce));
      stage.advance(1_000);
      await stage.tidy();
      assert.equal(await stage.state("a"), "ready");
      assert.deepEqual(await stage.enqueue(unique("b", modes.debounce)), [{ id: "a", isDuplicate: true, state: "scheduled" }]);
    },
  },
  {
    claim: "throttle: the key is free again windowMs after the enqueue of its job, not before",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.throttle));
      await stage.run("a");
      stage.now = start + 59_999;
      assert.deepEqual(await stage.enqueue(unique("b", modes.throttle)), [{ id: "a", isDuplicate: true, state: "completed" }]);
      stage.now = start + 60_000;
      assert.deepEqual(await stage.enqueue(unique("c", modes.throttle)), [{ id: "c", isDuplicate: false, state: "ready" }]);
    },
  },
  {
    claim: "throttle: a job that lives longer than its window holds its key as long as it lives",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.throttle));
      stage.advance(100_000);
      assert.equal((await stage.enqueue(unique("b", modes.throttle)))[0]?.id, "a");
      await stage.run("a");
      assert.equal((await stage.enqueue(unique("c", modes.throttle)))[0]?.id, "c");
    },
  },
  {
    claim: "throttle: the window outlives also a job that was deleted",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.throttle));
      await stage.run("a");
      assert.equal(await stage.changeOne("a", { do: "delete" }), "deleted");
      assert.deepEqual(await stage.enqueue(unique("b", modes.throttle)), [{ id: "a", isDuplicate: true }]);
    },
  },
  {
    claim: "one-more: one runs, one waits, a third joins the one that waits",
    run: async (stage) => {
      const lane = { key: "k", width: 1, ifDead: "continue" } as const;
      await stage.enqueue(unique("a", modes["one-more"], { lane }));
      await stage.claim();
      assert.deepEqual(await stage.enqueue(unique("b", modes["one-more"], { lane })), [{ id: "b", isDuplicate: false, state: "blocked" }]);
      assert.deepEqual(await stage.enqueue(unique("c", modes["one-more"], { lane })), [{ id: "b", isDuplicate: true, state: "blocked" }]);
      await stage.settle("a", "completed");
      await stage.run("b");
    },
  },
  {
    claim: "unique in one atom: the second work loses to the first",
    run: async (stage) => {
      const answers = await stage.enqueue(unique("a", modes.keep), unique("b", modes.keep));
      assert.deepEqual(
        answers.map(({ id, isDuplicate }) => [id, isDuplicate]),
        [
          ["a", false],
          ["a", true],
        ],
      );
      assert.equal(await stage.find("b"), undefined);
    },
  },
  {
    claim: "another key is another job",
    run: async (stage) => {
      await stage.enqueue(unique("a", modes.keep), job("b", { unique: { key: "other", mode: modes.keep } }));
      assert.equal(await stage.states("a", "b"), "ready ready");
    },
  },
];
