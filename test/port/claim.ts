/** claim: what is handed out, to whom, in which order. */
import assert from "node:assert/strict";
import type { ClaimedJob, NewJob } from "../../src/core/engine.ts";
import { pausedQueue, pausedTask } from "../../src/core/notes.ts";
import { job, leaseMs, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const minute = 60_000;

/** By turns. */
const uneven = Array.from({ length: 200 }, (_, n) => ({ task: n % 2 === 0 ? "send" : "print", nth: Math.floor(n / 2) }));

/** Jobs, a claim a minute later, and the ids it hands out, in order. */
const orderRows: readonly {
  readonly claim: string;
  readonly jobs: readonly NewJob[];
  readonly wanted: Parameters<Stage["claim"]>[0];
  readonly ids: readonly string[];
}[] = [
  { claim: "the first enqueued goes first", jobs: [job("a"), job("b"), job("c")], wanted: {}, ids: ["a", "b", "c"] },
  {
    claim: "the smallest urgency goes first",
    jobs: [job("low", { headStartMs: -minute }), job("normal"), job("high", { headStartMs: minute })],
    wanted: {},
    ids: ["high", "normal", "low"],
  },
  {
    claim: "a head start is a head start, not a rank: an older job is overtaken only by as much",
    jobs: [job("old"), job("fresh", { delayMs: minute, headStartMs: minute / 2 })],
    wanted: {},
    ids: ["old", "fresh"],
  },
  {
    claim: "urgency is compared across tasks of one queue",
    jobs: [job("a"), job("b", { task: "print", headStartMs: 5 }), job("c", { headStartMs: 9 })],
    wanted: { tasks: ["send", "print"] },
    ids: ["c", "b", "a"],
  },
  {
    claim: "a line whose jobs are all more urgent than those of others gives all that is handed out",
    jobs: uneven.map(({ task, nth }) => job(`${task} ${nth}`, { task, headStartMs: task === "print" ? 0 : 9 })),
    wanted: { tasks: ["send", "print"], slots: 60 },
    ids: Array.from({ length: 60 }, (_, nth) => `send ${nth}`),
  },
  { claim: "slots bound what one queue gets", jobs: [job("a"), job("b"), job("c")], wanted: { slots: 2 }, ids: ["a", "b"] },
  { claim: "ahead comes on top of slots", jobs: [job("a"), job("b"), job("c"), job("d")], wanted: { slots: 1, ahead: 2 }, ids: ["a", "b", "c"] },
  { claim: "ahead stops before the first job with a lane", jobs: [job("a"), member("b", "park"), job("c")], wanted: { slots: 1, ahead: 2 }, ids: ["a"] },
  { claim: "slots may hold jobs with a lane", jobs: [member("a", "park"), job("b")], wanted: { slots: 1, ahead: 1 }, ids: ["a", "b"] },
  { claim: "no slots, no jobs", jobs: [job("a")], wanted: { slots: 0 }, ids: [] },
  { claim: "tasks that this worker cannot run are left alone", jobs: [job("a", { task: "print" }), job("b")], wanted: {}, ids: ["b"] },
  { claim: "queues that were not asked for are left alone", jobs: [job("a", { queue: "other" }), job("b")], wanted: {}, ids: ["b"] },
  { claim: "no tasks, no jobs", jobs: [job("a")], wanted: { tasks: [] }, ids: [] },
  { claim: "a job that became due in between is handed out at once", jobs: [job("a", { delayMs: minute })], wanted: {}, ids: ["a"] },
  { claim: "a job is never handed out early", jobs: [job("a", { delayMs: minute + 1 })], wanted: {}, ids: [] },
  { claim: "a job may start at its startBy", jobs: [job("a", { startWithinMs: minute })], wanted: {}, ids: ["a"] },
  {
    claim: "a job may not start after its startBy",
    jobs: [job("a", { startWithinMs: minute - 1 }), job("b", { delayMs: 10, startBy: start + 20 })],
    wanted: {},
    ids: [],
  },
];

export const cases: readonly Case[] = [
  ...orderRows.map(({ claim, jobs, wanted, ids }): Case => ({
    claim,
    run: async (stage) => {
      await stage.enqueue(...jobs);
      stage.advance(minute);
      assert.deepEqual(await stage.claimIds(wanted), ids);
    },
  })),
  {
    claim: "each queue has slots of its own",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c", { queue: "print" }), job("d", { queue: "print" }));
      const queues = [
        { queue: "mail", slots: 1, ahead: 0 },
        { queue: "print", slots: 2, ahead: 0 },
      ];
      assert.deepEqual((await stage.claimIds({ queues })).toSorted(), ["a", "c", "d"]);
    },
  },
  {
    claim: "urgency is compared across queues too, also where one of them is full",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c", "d", "e"].map((id, index) => job(id, { queue: index % 2 ? "print" : "mail", headStartMs: index })));
      const queues = [
        { queue: "mail", slots: 2, ahead: 0 },
        { queue: "print", slots: 5, ahead: 0 },
      ];
      assert.deepEqual(await stage.claimIds({ queues }), ["e", "d", "c", "b"]);
    },
  },
  {
    claim: "a claimed job is told whole",
    run: async (stage) => {
      await stage.enqueue(job("a", { headStartMs: 5 }));
      stage.advance(7);
      const { jobs, now } = await stage.claim();
      const told: ClaimedJob = {
        id: "a",
        task: "send",
        queue: "mail",
        payload: '{"id":"a"}',
        attempt: 1,
        starts: 1,
        suspects: 0,
        enqueuedAt: start,
        dueAt: start,
        isOrdered: false,
      };
      assert.deepEqual(jobs, [told]);
      assert.equal(now, start + 7);
      const row = await stage.row("a");
      assert.deepEqual(row.claim && { ...row.claim, claim: "", fence: 0 }, {
        process: "p1",
        claim: "",
        fence: 0,
        startedAt: now,
        leaseUntil: now + leaseMs,
        isCancelling: false,
      });
      assert.equal(row.waits, undefined);
    },
  },
  {
    claim: "a member of a lane is told to be ordered",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"));
      assert.deepEqual(
        (await stage.claim()).jobs.map(({ isOrdered }) => isOrdered),
        [true],
      );
    },
  },
  {
    claim: "a running job is handed out to nobody else",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      assert.deepEqual(await stage.claimIds({ process: "p2" }), []);
    },
  },
  {
    claim: "fences only grow: above the last one, above the time in µs, above the largest that the asker knows",
    run: async (stage) => {
      const first = (await stage.claim()).fence;
      assert.ok(first > start * 1_000 - 1);
      const second = (await stage.claim({ lastFence: first })).fence;
      assert.ok(second > first);
      const third = (await stage.claim({ lastFence: second + 1_000_000 })).fence;
      assert.ok(third > second + 1_000_000);
      await stage.enqueue(job("a"));
      const fourth = (await stage.claim({ process: "p2", lastFence: third })).fence;
      assert.ok(fourth > third);
      stage.advance(3_600_000);
      assert.ok((await stage.claim()).fence >= stage.now * 1_000);
    },
  },
  {
    claim: "every claim that hands out jobs has a higher fence, also for askers that know none",
    run: async (stage) => {
      const fences: number[] = [];
      for (const id of ["a", "b", "c", "d"]) {
        await stage.enqueue(job(id));
        fences.push((await stage.claim({ process: `process of ${id}`, lastFence: id === "b" ? start * 2_000 : 0 })).fence);
      }
      assert.deepEqual(
        fences,
        [...new Set(fences)].toSorted((a, b) => a - b),
      );
    },
  },
  ...[pausedQueue("mail"), pausedTask("send")].map((key): Case => ({
    claim: `${key} closes its lines: nothing is handed out, running jobs go on, and resuming opens them`,
    run: async (stage) => {
      await stage.enqueue(job("running"));
      await stage.claim();
      await stage.enqueue(job("a"), job("elsewhere", { queue: "print", task: "print" }));
      await stage.write({ key, value: '{"by":"me"}' });
      const queues = ["mail", "print"].map((queue) => ({ queue, slots: 5, ahead: 0 }));
      assert.deepEqual(await stage.claimIds({ queues, tasks: ["send", "print"] }), ["elsewhere"]);
      assert.equal(await stage.states("running", "a"), "running ready");
      assert.equal((await stage.settle("running", "completed")).is, "settled");
      await stage.write({ key, value: undefined });
      assert.deepEqual(await stage.claimIds({ queues, tasks: ["send", "print"] }), ["a"]);
    },
  })),
  {
    claim: "settling comes first: what it makes ready is handed out by the same claim",
    run: async (stage) => {
      await stage.enqueue(member("a", "continue"), member("b", "continue"));
      await stage.claim();
      const { settled, jobs } = await stage.claim({ settling: [stage.outcome("a", "completed")] });
      assert.deepEqual(settled, [{ id: "a", is: "settled", state: "completed" }]);
      assert.deepEqual(
        jobs.map(({ id }) => id),
        ["b"],
      );
    },
  },
  {
    claim: "a claim without slots settles and promotes",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", { delayMs: 10 }), job("late", { delayMs: 10, startWithinMs: 15 }));
      await stage.claim();
      stage.advance(20);
      await stage.claim({ slots: 0, settling: [stage.outcome("a", "completed")] });
      assert.equal(await stage.states("a", "b", "late"), "completed ready skipped");
    },
  },
  {
    claim: "a ready job that is too late is skipped, with a reason that says until when",
    run: async (stage) => {
      await stage.enqueue(job("a", { startWithinMs: 10 }));
      stage.advance(11);
      assert.deepEqual(await stage.claimIds(), []);
      const row = await stage.row("a");
      assert.equal(row.state, "skipped");
      assert.match(row.reason ?? "", /^too late: not started by /);
    },
  },
  {
    claim: "more late jobs than one pass skips: none of them starts, and later claims go on",
    run: async (stage) => {
      for (let atom = 0; atom < 3; atom += 1)
        await stage.enqueue(...Array.from({ length: 400 }, (_, index) => job(`late-${atom}-${index}`, { startWithinMs: 10 })));
      await stage.enqueue(job("fresh"));
      stage.advance(11);
      const ids = [...(await stage.claimIds({ slots: 1_000 })), ...(await stage.claimIds()), ...(await stage.claimIds())];
      assert.deepEqual([ids, await stage.counts()], [["fresh"], { "mail send running": 1, "mail send skipped": 1_200 }]);
    },
  },
  {
    claim: "nextDueMs tells how long the first scheduled job of any queue has to go",
    run: async (stage) => {
      assert.equal((await stage.claim()).nextDueMs, undefined);
      await stage.enqueue(job("a", { delayMs: 500 }), job("b", { delayMs: 200, queue: "other" }));
      assert.equal((await stage.claim()).nextDueMs, 200);
      stage.advance(150);
      assert.equal((await stage.claim()).nextDueMs, 50);
      stage.advance(50);
      assert.equal((await stage.claim()).nextDueMs, 300);
    },
  },
  {
    claim: "500 ready jobs of tasks that nobody here knows do not hide the one that can run",
    run: async (stage) => {
      await stage.enqueue(...Array.from({ length: 500 }, (_, index) => job(`closed-${index}`, { task: `task-${index % 100}` })));
      await stage.enqueue(job("open"));
      assert.deepEqual(await stage.claimIds(), ["open"]);
    },
  },
];
