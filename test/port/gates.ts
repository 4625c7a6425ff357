/** Limits and resources over all keys, as the terms of a claim name them (G9). */
import assert from "node:assert/strict";
import type { NewJob, TaskTerms } from "../../src/core/engine.ts";
import { pausedTask } from "../../src/core/notes.ts";
import { job, member, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

type Wanted = Parameters<Stage["claim"]>[0];

function jobs(count: number, prefix = "a", options: JobOptions = {}): NewJob[] {
  return Array.from({ length: count }, (_, index) => job(`${prefix}${index}`, options));
}

/** Terms of task "send". */
function send(terms: TaskTerms, wanted: Wanted = {}): Wanted {
  return { terms: { send: terms }, ...wanted };
}

/** Rounded up to a multiple of max(1, floor(everyMs / 1000)) ms. */
const roundingRows: readonly { readonly everyMs: number; readonly startedAt: number; readonly freeAt: number }[] = [
  { everyMs: 100, startedAt: 7, freeAt: 107 },
  { everyMs: 1_999, startedAt: 7, freeAt: 2_006 },
  { everyMs: 2_000, startedAt: 7, freeAt: 2_008 },
  { everyMs: 2_000, startedAt: 8, freeAt: 2_008 },
  { everyMs: 60_000, startedAt: 61, freeAt: 60_120 },
  { everyMs: 60_000, startedAt: 1, freeAt: 60_060 },
];

const limits: readonly Case[] = [
  {
    claim: "running: each job that was handed out under the name holds one, until it leaves running",
    run: async (stage) => {
      await stage.limit("api", { running: 2 });
      await stage.enqueue(...jobs(5));
      const terms = send({ gates: ["api"] });
      assert.deepEqual(await stage.claimIds(terms), ["a0", "a1"]);
      assert.deepEqual(await stage.claimIds({ ...terms, process: "p2" }), []);
      assert.deepEqual(await stage.gate("api"), { name: "api", kind: "limit", used: 2, most: 2 });
      await stage.settle("a0", "retry", { delayMs: 50 });
      assert.deepEqual(await stage.claimIds(terms), ["a2"]);
      await stage.settle("a1", "saved");
      assert.deepEqual(await stage.claimIds(terms), []);
      await stage.settle("a2", "released");
      assert.deepEqual(await stage.claimIds(terms), ["a2"]);
    },
  },
  ...(["completed", "skipped", "dead", "retry", "snoozed", "released"] as const).map((is): Case => ({
    claim: `running: one that is ${is} gives back what it held`,
    run: async (stage) => {
      await stage.limit("api", { running: 1 });
      await stage.enqueue(job("a"));
      await stage.claim(send({ gates: ["api"], needs: {} }));
      await stage.settle("a", is, { delayMs: 5 });
      assert.equal((await stage.gate("api"))?.used, 0);
    },
  })),
  {
    claim: "running: what a crashed process held is given back when its jobs are taken back, not before",
    run: async (stage) => {
      await stage.limit("api", { running: 1 });
      await stage.resource("gpu", 4);
      await stage.enqueue(...jobs(2));
      const terms = send({ gates: ["api"], needs: { gpu: 3 } });
      await stage.claim(terms);
      stage.advance(100_000);
      assert.deepEqual(await stage.claimIds({ ...terms, process: "p2" }), []);
      await stage.crash();
      assert.deepEqual([(await stage.gate("api"))?.used, (await stage.gate("gpu"))?.used], [0, 0]);
      assert.deepEqual(await stage.claimIds(terms), ["a0"]);
    },
  },
  {
    claim: "a member of a lane that is parked while it comes back gives back what it held",
    run: async (stage) => {
      await stage.limit("api", { running: 2 });
      await stage.enqueue(member("a", "park", {}, 2), member("b", "park", {}, 2));
      await stage.claim(send({ gates: ["api"] }));
      await stage.settle("a", "dead");
      await stage.settle("b", "retry");
      assert.deepEqual([await stage.states("a", "b"), (await stage.gate("api"))?.used], ["parked parked", 0]);
    },
  },
  {
    claim: "a name without a note does not limit; what runs under it counts as soon as there is one",
    run: async (stage) => {
      await stage.enqueue(...jobs(4));
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] }, { slots: 2 })), ["a0", "a1"]);
      assert.deepEqual(await stage.gate("api"), { name: "api", kind: "limit", used: 2 });
      await stage.limit("api", { running: 2 });
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] })), []);
      await stage.limit("api", { running: 3 });
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] })), ["a2"]);
      await stage.limit("api", undefined);
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] })), ["a3"]);
    },
  },
  {
    claim: "jobs handed out without the name do not count",
    run: async (stage) => {
      await stage.limit("api", { running: 1 });
      await stage.enqueue(...jobs(3));
      await stage.claim({ slots: 1 });
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] })), ["a1"]);
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] })), []);
      assert.deepEqual(await stage.claimIds(), ["a2"]);
    },
  },
  {
    claim: "tasks that name the same limit share it; a job needs room under all that its task names",
    run: async (stage) => {
      await stage.limit("api", { running: 3 });
      await stage.limit("print", { running: 1 });
      await stage.enqueue(...jobs(3, "s"), ...jobs(3, "p", { task: "print" }));
      const ids = await stage.claimIds({ tasks: ["send", "print"], terms: { send: { gates: ["api"] }, print: { gates: ["api", "print"] } } });
      assert.deepEqual(ids, ["s0", "s1", "s2"]);
      await stage.settle("s0", "completed");
      await stage.settle("s1", "completed");
      assert.deepEqual(await stage.claimIds({ tasks: ["send", "print"], terms: { print: { gates: ["api", "print"] } } }), ["p0"]);
    },
  },
  {
    claim: "a task whose terms leave no room is passed over: more urgent jobs of it do not hide others",
    run: async (stage) => {
      await stage.limit("api", { running: 1 });
      await stage.enqueue(...jobs(400, "full", { headStartMs: 60_000 }), job("other", { task: "print" }));
      assert.deepEqual(await stage.claimIds({ tasks: ["send", "print"], slots: 5, terms: { send: { gates: ["api"] } } }), ["full0", "other"]);
    },
  },
  {
    claim: "starts: never more of them within any everyMs",
    run: async (stage) => {
      await stage.limit("api", { starts: 4, everyMs: 1_000 });
      await stage.enqueue(...jobs(60));
      const begun: number[] = [];
      for (let turn = 0; turn < 50; turn += 1) {
        const ids = await stage.claimIds(send({ gates: ["api"] }, { slots: 1 + (turn % 3) }));
        begun.push(...ids.map(() => stage.now));
        await stage.settleAll(...ids.map((id) => stage.outcome(id, turn % 2 ? "completed" : "dead")));
        stage.advance(130 + turn);
      }
      for (const [index, at] of begun.entries()) {
        const fifth = begun[index + 4];
        assert.ok(fifth === undefined || fifth - at >= 1_000, `five starts in ${(fifth ?? 0) - at} ms`);
      }
      assert.ok(begun.length > 28);
    },
  },
  ...roundingRows.map(({ everyMs, startedAt, freeAt }): Case => ({
    claim: `starts: one in ${everyMs} ms, begun at ${startedAt}, counts until ${freeAt}`,
    run: async (stage) => {
      await stage.limit("api", { starts: 1, everyMs });
      // A multiple of every step that is rounded to here.
      const zero = Math.ceil(start / 60_000) * 60_000;
      stage.now = zero + startedAt;
      await stage.enqueue(...jobs(2));
      const terms = send({ gates: ["api"] });
      assert.equal((await stage.claim(terms)).nextDueMs, freeAt - startedAt);
      assert.deepEqual(await stage.gate("api"), { name: "api", kind: "limit", used: 1, most: 1, freeAt: zero + freeAt });
      stage.now = zero + freeAt - 1;
      assert.deepEqual(await stage.claimIds(terms), []);
      stage.now = zero + freeAt;
      assert.equal((await stage.gate("api"))?.used, 0);
      assert.deepEqual(await stage.claimIds(terms), ["a1"]);
    },
  })),
  {
    claim: "starts: releasing a job does not give its start back, and ending it neither",
    run: async (stage) => {
      await stage.limit("api", { starts: 2, everyMs: 1_000 });
      await stage.enqueue(...jobs(3));
      const terms = send({ gates: ["api"] });
      await stage.claim({ ...terms, slots: 1 });
      await stage.settle("a0", "released");
      assert.deepEqual(await stage.claimIds({ ...terms, slots: 1 }), ["a0"]);
      await stage.settle("a0", "completed");
      assert.deepEqual(await stage.claimIds(terms), []);
    },
  },
  {
    claim: "starts: a higher number has room at once, a lower one when enough starts count no longer",
    run: async (stage) => {
      await stage.limit("api", { starts: 2, everyMs: 1_000 });
      await stage.enqueue(...jobs(9));
      const terms = send({ gates: ["api"] });
      await stage.claim(terms);
      stage.advance(100);
      await stage.limit("api", { starts: 3, everyMs: 1_000 });
      assert.deepEqual(await stage.claimIds(terms), ["a2"]);
      await stage.limit("api", { starts: 1, everyMs: 1_000 });
      assert.deepEqual(await stage.gate("api"), { name: "api", kind: "limit", used: 3, most: 1, freeAt: start + 1_100 });
      stage.advance(900);
      assert.deepEqual(await stage.claimIds(terms), []);
      stage.advance(100);
      assert.deepEqual(await stage.claimIds(terms), ["a3"]);
    },
  },
  {
    claim: "starts: 1,000 of them at once are one entry, and all come free together",
    run: async (stage) => {
      await stage.limit("api", { starts: 1_000, everyMs: 5_000 });
      for (let atom = 0; atom < 3; atom += 1) await stage.enqueue(...jobs(400, `${atom}-`));
      assert.equal((await stage.claimIds(send({ gates: ["api"] }, { slots: 5_000 }))).length, 1_000);
      stage.advance(5_004);
      assert.equal((await stage.claimIds(send({ gates: ["api"] }, { slots: 5_000 }))).length, 200);
    },
  },
  {
    claim: "nextDueMs: room of starts that keeps ready jobs of these tasks waiting; not of others, not where nothing waits",
    run: async (stage) => {
      await stage.limit("api", { starts: 1, everyMs: 1_000 });
      const terms = send({ gates: ["api", "none"] });
      await stage.enqueue(job("a"));
      assert.equal((await stage.claim(terms)).nextDueMs, undefined);
      await stage.enqueue(job("b"), job("c", { queue: "other" }));
      assert.equal((await stage.claim(terms)).nextDueMs, 1_000);
      assert.equal((await stage.claim({ ...terms, tasks: ["print"] })).nextDueMs, undefined);
      assert.equal((await stage.claim({ ...terms, queues: [{ queue: "paper", slots: 1, ahead: 0 }] })).nextDueMs, undefined);
      await stage.write({ key: pausedTask("send"), value: "{}" });
      assert.equal((await stage.claim(terms)).nextDueMs, undefined);
      await stage.write({ key: pausedTask("send"), value: undefined });
      await stage.limit("api", { running: 1 });
      assert.equal((await stage.claim(terms)).nextDueMs, undefined);
    },
  },
];

const resources: readonly Case[] = [
  {
    claim: "needs: the amounts that running jobs hold never exceed the capacity",
    run: async (stage) => {
      await stage.resource("gpu", 5);
      await stage.resource("mail", 10);
      await stage.enqueue(...jobs(4));
      const terms = send({ needs: { gpu: 2, mail: 1 } });
      assert.deepEqual(await stage.claimIds(terms), ["a0", "a1"]);
      assert.deepEqual((await stage.engine.find({ of: "gates", names: ["mail", "gpu", "none"] }, stage.at)).rows, [
        { name: "gpu", kind: "resource", used: 4, most: 5 },
        { name: "mail", kind: "resource", used: 2, most: 10 },
      ]);
      await stage.settle("a0", "completed");
      assert.deepEqual(await stage.claimIds(terms), ["a2"]);
    },
  },
  {
    claim: "needs: a resource without a note has none to give",
    run: async (stage) => {
      await stage.enqueue(...jobs(2));
      assert.deepEqual(await stage.claimIds(send({ needs: { gpu: 1 } })), []);
      assert.equal(await stage.gate("gpu"), undefined);
      assert.deepEqual(await stage.claimIds(send({ needs: { gpu: 0 } })), ["a0", "a1"]);
    },
  },
  {
    claim: "needs: a capacity below what is in use hands out nothing more, and takes nothing away",
    run: async (stage) => {
      await stage.resource("gpu", 2);
      await stage.enqueue(...jobs(3));
      await stage.claim(send({ needs: { gpu: 1 } }));
      await stage.resource("gpu", 1);
      assert.deepEqual([await stage.claimIds(send({ needs: { gpu: 1 } })), await stage.gate("gpu")], [[], { name: "gpu", kind: "resource", used: 2, most: 1 }]);
      await stage.settle("a0", "completed");
      assert.deepEqual(await stage.claimIds(send({ needs: { gpu: 1 } })), []);
      await stage.settle("a1", "completed");
      assert.deepEqual(await stage.claimIds(send({ needs: { gpu: 1 } })), ["a2"]);
    },
  },
  {
    claim: "a limit and a resource of one name are two things",
    run: async (stage) => {
      await stage.resource("api", 3);
      await stage.limit("api", { running: 2 });
      await stage.enqueue(...jobs(1));
      await stage.claim(send({ needs: { api: 3 } }));
      assert.deepEqual((await stage.engine.find({ of: "gates", names: ["api", "api"] }, stage.at)).rows, [
        { name: "api", kind: "limit", used: 0, most: 2 },
        { name: "api", kind: "resource", used: 3, most: 3 },
      ]);
    },
  },
  {
    claim: "changing a limit or a resource wakes those who wait for work",
    run: async (stage) => {
      let wakes = 0;
      const stop = await stage.engine.listen(() => (wakes += 1));
      for (const write of [() => stage.limit("api", { running: 1 }), () => stage.resource("gpu", 1)]) {
        const before = wakes;
        await write();
        for (let turn = 0; wakes === before && turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        assert.ok(wakes > before);
      }
      stop();
    },
  },
];

export const cases: readonly Case[] = [...limits, ...resources];
