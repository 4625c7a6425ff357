/** change: cancel, retry, prioritise, delete; by id and by filter. */
import assert from "node:assert/strict";
import type { Change, ChangedJob } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";
import { job, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const minute = 60_000;
const cancel: Change = { do: "cancel", reason: "not wanted" };
const retry: Change = { do: "retry" };
const prioritise: Change = { do: "prioritise", headStartMs: minute };
const remove: Change = { do: "delete" };

/** Brings job "a" into a state. */
const reach: Readonly<Record<JobState, (stage: Stage) => Promise<unknown>>> = {
  ready: (stage) => stage.enqueue(job("a")),
  scheduled: (stage) => stage.enqueue(job("a", { delayMs: minute })),
  blocked: (stage) => stage.enqueue(member("ahead", "block"), member("a", "block")),
  running: (stage) => stage.enqueue(job("a")).then(() => stage.claim()),
  parked: (stage) => stage.enqueue(member("a", "block")).then(() => stage.die("a")),
  completed: (stage) => stage.enqueue(job("a")).then(() => stage.run("a")),
  skipped: (stage) => stage.enqueue(job("a")).then(() => stage.run("a", "skipped", { reason: "no need" })),
  cancelled: (stage) => stage.enqueue(job("a")).then(() => stage.cancel("a")),
  dead: (stage) => stage.enqueue(job("a")).then(() => stage.die("a")),
};

type Row = readonly [state: JobState, change: Change, is: ChangedJob["is"], then: JobState | "unknown"];

const table: readonly Row[] = [
  ["ready", cancel, "cancelled", "cancelled"],
  ["scheduled", cancel, "cancelled", "cancelled"],
  ["blocked", cancel, "cancelled", "cancelled"],
  ["parked", cancel, "cancelled", "cancelled"],
  ["running", cancel, "cancelling", "running"],
  ["completed", cancel, "ended", "completed"],
  ["skipped", cancel, "ended", "skipped"],
  ["cancelled", cancel, "ended", "cancelled"],
  ["dead", cancel, "ended", "dead"],
  ["ready", retry, "waiting", "ready"],
  ["blocked", retry, "waiting", "blocked"],
  ["scheduled", retry, "retried", "ready"],
  ["parked", retry, "retried", "ready"],
  ["dead", retry, "retried", "ready"],
  ["running", retry, "running", "running"],
  ["completed", retry, "ended", "completed"],
  ["skipped", retry, "ended", "skipped"],
  ["cancelled", retry, "ended", "cancelled"],
  ["ready", prioritise, "prioritised", "ready"],
  ["scheduled", prioritise, "prioritised", "scheduled"],
  ["blocked", prioritise, "prioritised", "blocked"],
  ["parked", prioritise, "prioritised", "parked"],
  ["running", prioritise, "running", "running"],
  ["completed", prioritise, "ended", "completed"],
  ["skipped", prioritise, "ended", "skipped"],
  ["cancelled", prioritise, "ended", "cancelled"],
  ["dead", prioritise, "ended", "dead"],
  ["ready", remove, "live", "ready"],
  ["scheduled", remove, "live", "scheduled"],
  ["blocked", remove, "live", "blocked"],
  ["parked", remove, "live", "parked"],
  ["running", remove, "live", "running"],
  ["completed", remove, "deleted", "unknown"],
  ["skipped", remove, "deleted", "unknown"],
  ["cancelled", remove, "deleted", "unknown"],
  ["dead", remove, "deleted", "unknown"],
];

export const cases: readonly Case[] = [
  ...table.map(([state, change, is, then]): Case => ({
    claim: `${change.do} of a ${state} job answers ${is}, and the job is ${then}`,
    run: async (stage) => {
      await reach[state](stage);
      assert.equal(await stage.state("a"), state);
      const before = await stage.row("a");
      assert.equal(await stage.changeOne("a", change), is);
      assert.equal(await stage.states("a"), then);
      const changes: readonly ChangedJob["is"][] = ["cancelled", "cancelling", "retried", "prioritised", "deleted"];
      if (!changes.includes(is)) assert.deepEqual(await stage.row("a"), before);
    },
  })),
  ...[cancel, retry, prioritise, remove].map((change): Case => ({
    claim: `${change.do} of a job that nobody knows answers unknown`,
    run: async (stage) => assert.equal(await stage.changeOne("nobody", change), "unknown"),
  })),
  {
    claim: "each job is answered, in the order of asking",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"));
      assert.deepEqual(await stage.change({ ids: ["b", "nobody", "a"] }, cancel), {
        jobs: [
          { id: "b", is: "cancelled" },
          { id: "nobody", is: "unknown" },
          { id: "a", is: "cancelled" },
        ],
        hasMore: false,
      });
    },
  },
  {
    claim: "a cancelled job says why, and starts no more",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      stage.advance(5);
      await stage.cancel("a");
      const { reason, endedAt, history } = await stage.row("a");
      assert.deepEqual([reason, endedAt, history.at(-1)?.is], ["not wanted", start + 5, "cancelled"]);
      assert.deepEqual(await stage.claimIds(), []);
    },
  },
  {
    claim: "a running job that is being cancelled says so",
    run: async (stage) => {
      await reach.running(stage);
      await stage.cancel("a");
      assert.equal((await stage.row("a")).claim?.isCancelling, true);
      assert.equal(await stage.cancel("a"), "cancelling");
    },
  },
  {
    claim: "a scheduled job that is retried is due now, its attempts anew, its history kept",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.run("a", "retry", { delayMs: minute });
      assert.equal(await stage.retry("a"), "retried");
      const { dueAt, attempts, starts, history } = await stage.row("a");
      assert.deepEqual([dueAt, attempts, starts, history.length], [start, 0, 0, 1]);
      const [claimed] = (await stage.claim()).jobs;
      assert.deepEqual([claimed?.attempt, claimed?.starts], [1, 1]);
    },
  },
  {
    claim: "a dead job that is retried begins anew: it has no ending, and dies anew",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.run("a", "retry");
      await stage.die("a");
      await stage.retry("a");
      const { attempts, starts, endedAt, reason, isPoison, history } = await stage.row("a");
      assert.deepEqual([attempts, starts, endedAt, reason, isPoison, history.length], [0, 0, undefined, undefined, undefined, 2]);
    },
  },
  {
    claim: "a job that had started in time is not too late when it is redriven",
    run: async (stage) => {
      await stage.enqueue(
        job("dead", { startWithinMs: 10 }),
        job("scheduled", { startWithinMs: 10 }),
        job("parked", { startWithinMs: 10, lane: { key: "k", width: 1, ifDead: "block" } }),
      );
      await stage.die("dead");
      await stage.run("scheduled", "retry", { delayMs: minute });
      await stage.die("parked");
      stage.advance(1_000);
      for (const id of ["dead", "scheduled", "parked"]) assert.equal(await stage.retry(id), "retried");
      await stage.tidy();
      assert.deepEqual((await stage.claimIds()).toSorted(), ["dead", "parked", "scheduled"]);
    },
  },
  {
    claim: "a dead job whose unique key another live job holds is taken",
    run: async (stage) => {
      const unique = { key: "k", mode: { is: "keep" } } as const;
      await stage.enqueue(job("a", { unique }));
      await stage.die("a");
      await stage.enqueue(job("b", { unique }));
      assert.equal(await stage.retry("a"), "taken");
      assert.equal(await stage.state("a"), "dead");
      await stage.run("b");
      assert.equal(await stage.retry("a"), "retried");
      assert.equal((await stage.enqueue(job("c", { unique })))[0]?.id, "a");
    },
  },
  {
    claim: "prioritise: urgency becomes due - headStartMs, and decides",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c"));
      await stage.changeOne("c", prioritise);
      await stage.changeOne("a", { do: "prioritise", headStartMs: -minute });
      const { urgency, headStartMs, dueAt } = await stage.row("c");
      assert.deepEqual([urgency, headStartMs, dueAt], [start - minute, minute, start]);
      assert.deepEqual(await stage.claimIds(), ["c", "b", "a"]);
    },
  },
  {
    claim: "prioritise of a scheduled job counts when it is due, and does not make it due",
    run: async (stage) => {
      await stage.enqueue(job("a", { delayMs: 10 }), job("b", { delayMs: 5 }));
      await stage.changeOne("a", prioritise);
      assert.deepEqual(await stage.claimIds(), []);
      stage.advance(10);
      assert.deepEqual(await stage.claimIds(), ["a", "b"]);
    },
  },
  ...[
    { filter: { task: "print" }, ids: ["b"] },
    { filter: { queue: "paper" }, ids: ["b", "c"] },
    { filter: { states: ["scheduled"] }, ids: ["c"] },
    { filter: { states: ["scheduled", "ready"], queue: "mail" }, ids: ["a", "d"] },
    { filter: { lane: 'send["k"]' }, ids: ["d", "e"] },
    { filter: { unique: "u" }, ids: ["a"] },
    { filter: {}, ids: ["a", "b", "c", "d", "e"] },
    { filter: { task: "nobody" }, ids: [] },
  ].map(({ filter, ids }): Case => ({
    claim: `a filter ${JSON.stringify(filter)} selects just those jobs`,
    run: async (stage) => {
      await stage.enqueue(
        job("a", { unique: { key: "u", mode: { is: "keep" } } }),
        job("b", { task: "print", queue: "paper" }),
        job("c", { queue: "paper", delayMs: 5 }),
        member("d", "block"),
        member("e", "block"),
      );
      const { jobs, hasMore } = await stage.change({ jobs: filter as { states?: JobState[] } }, cancel);
      assert.deepEqual([jobs.map(({ id }) => id).toSorted(), hasMore], [ids, false]);
    },
  })),
  ...[
    { change: cancel, state: "ready" },
    { change: cancel, state: "running" },
    { change: retry, state: "dead" },
    { change: retry, state: "scheduled" },
    { change: prioritise, state: "ready" },
    { change: remove, state: "completed" },
  ].map(({ change, state }): Case => ({
    claim: `${change.do} of all ${state} jobs by a filter, in steps of two: each once, and it comes to an end`,
    run: async (stage) => {
      const ids = ["a", "b", "c", "d", "e"];
      await stage.enqueue(...ids.map((id) => job(id, state === "scheduled" ? { delayMs: minute } : {})));
      if (state !== "ready" && state !== "scheduled") await stage.claim();
      if (state === "dead" || state === "completed") await stage.settleAll(...ids.map((id) => stage.outcome(id, state, { reason: "r" })));
      const changed: string[] = [];
      let steps = 0;
      for (let hasMore = true; hasMore && steps < 10; steps += 1) {
        const answer = await stage.change({ jobs: { task: "send" } }, change, 2);
        assert.ok(answer.jobs.length <= 2);
        changed.push(...answer.jobs.map(({ id }) => id));
        ({ hasMore } = answer);
      }
      assert.deepEqual(changed.toSorted(), ids);
      assert.ok(steps < 10, "it never came to an end");
    },
  })),
  {
    claim: "never more jobs than the limit, by ids too",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c"));
      const { jobs, hasMore } = await stage.change({ ids: ["a", "b", "c"] }, cancel, 2);
      assert.deepEqual([jobs.map(({ id }) => id), hasMore, await stage.state("c")], [["a", "b"], true, "ready"]);
    },
  },
  {
    claim: "a deleted job's id is free again",
    run: async (stage) => {
      await stage.enqueue(job("a", { rememberMs: minute }));
      await stage.run("a");
      await stage.changeOne("a", remove);
      assert.deepEqual(await stage.enqueue(job("a", { content: "other" })), [{ id: "a", isDuplicate: false, state: "ready" }]);
    },
  },
];
