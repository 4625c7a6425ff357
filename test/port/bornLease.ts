/** Jobs that run from the start, for the process that enqueues them. */
import assert from "node:assert/strict";
import type { NewJob } from "../../src/core/engine.ts";
import { pausedQueue, pausedTask } from "../../src/core/notes.ts";
import { job, join, leaseMs, member, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

const lease: NonNullable<NewJob["lease"]> = { process: "p1", leaseMs, claim: "born", lastFence: 0 };

function born(id: string, options: JobOptions = {}): NewJob {
  return job(id, { lease, ...options });
}

/** What stands before it, how it is stored, and what its state is then. Leased is only what runs. */
const rows: readonly {
  readonly claim: string;
  readonly before?: (stage: Stage) => Promise<unknown>;
  readonly options?: JobOptions;
  readonly state: string;
}[] = [
  { claim: "one that would be ready runs", state: "running" },
  { claim: "the first of a lane runs", options: { lane: { key: "k", width: 1, ifDead: "park" } }, state: "running" },
  { claim: "one with room under its limits runs", options: { keyLimits: [{ key: "k", is: { running: 1 } }] }, state: "running" },
  { claim: "one that is due later is scheduled", options: { delayMs: 1 }, state: "scheduled" },
  {
    claim: "one behind its lane is blocked",
    before: (stage) => stage.enqueue(member("ahead", "park")),
    options: { lane: { key: 'send["k"]', width: 1, ifDead: "park" } },
    state: "blocked",
  },
  {
    claim: "one in a closed lane is parked",
    before: async (stage) => {
      await stage.enqueue(member("dies", "park"));
      await stage.die("dies");
    },
    options: { lane: { key: 'send["k"]', width: 1, ifDead: "park" } },
    state: "parked",
  },
  {
    claim: "one without room under its limits is blocked",
    before: (stage) => stage.enqueue(job("holds", { keyLimits: [{ key: "k", is: { running: 1 } }] })),
    options: { keyLimits: [{ key: "k", is: { running: 1 } }] },
    state: "blocked",
  },
  {
    claim: "one that comes after another is blocked",
    before: (stage) => stage.enqueue(job("x")),
    options: { after: [{ id: "x", when: "well" }] },
    state: "blocked",
  },
  { claim: "a member of a staged join is blocked", before: (stage) => stage.enqueue(join("J", { isSealed: false })), options: { join: "J" }, state: "blocked" },
  { claim: "one of a paused queue is ready", before: (stage) => stage.write({ key: pausedQueue("mail"), value: "{}" }), state: "ready" },
  { claim: "one of a paused task is ready", before: (stage) => stage.write({ key: pausedTask("send"), value: "{}" }), state: "ready" },
  { claim: "one that is too late is ready, to be skipped", options: { startBy: start - 1 }, state: "ready" },
  {
    claim: "under a limit with room it runs",
    before: (stage) => stage.limit("api", { running: 1 }),
    options: { lease: { ...lease, terms: { gates: ["api"] } } },
    state: "running",
  },
  {
    claim: "under a full limit it is ready",
    before: (stage) => stage.limit("api", { running: 0 }),
    options: { lease: { ...lease, terms: { gates: ["api"] } } },
    state: "ready",
  },
  {
    claim: "with what it needs it runs",
    before: (stage) => stage.resource("gpu", 2),
    options: { lease: { ...lease, terms: { needs: { gpu: 2 } } } },
    state: "running",
  },
  {
    claim: "without what it needs it is ready",
    before: (stage) => stage.resource("gpu", 1),
    options: { lease: { ...lease, terms: { needs: { gpu: 2 } } } },
    state: "ready",
  },
  { claim: "`most` 0 lets none run", options: { lease: { ...lease, terms: { most: 0 } } }, state: "ready" },
  { claim: "`retriesMost` does not matter", options: { lease: { ...lease, terms: { retriesMost: 0 } } }, state: "running" },
  { claim: "`freshFrom` does not matter", options: { lease: { ...lease, terms: { freshFrom: start + 9 } } }, state: "running" },
  {
    claim: "for a process that is lost it is ready",
    before: async (stage) => {
      await stage.enqueue(job("lost"));
      await stage.claim();
      await stage.crash();
      await stage.cancel("lost");
    },
    state: "ready",
  },
];

export const cases: readonly Case[] = [
  ...rows.map(({ claim, before, options, state }): Case => ({
    claim,
    run: async (stage) => {
      await before?.(stage);
      const [answer] = await stage.enqueue(born("a", options));
      assert.deepEqual([answer?.state, answer?.leased !== undefined], [state, state === "running"]);
      assert.equal(await stage.state("a"), state);
    },
  })),
  {
    claim: "it runs as if claimed: its start is counted, its process has a lease, and its fence is above all others",
    run: async (stage) => {
      const { fence } = await stage.claim();
      const [answer] = await stage.enqueue(born("a", { lease: { ...lease, lastFence: fence + 1_000_000 } }));
      assert.ok(answer?.leased && answer.leased.fence > fence + 1_000_000);
      assert.equal(answer.leased.now, start);
      const { starts, attempts, claim, waits } = await stage.row("a");
      assert.deepEqual([starts, attempts, waits], [1, 0, undefined]);
      assert.deepEqual(claim, { process: "p1", claim: "born", fence: answer.leased.fence, startedAt: start, leaseUntil: start + leaseMs, isCancelling: false });
      assert.deepEqual(await stage.claimIds({ process: "p2" }), []);
    },
  },
  {
    claim: "it is settled as if claimed, by claim and fence",
    run: async (stage) => {
      const [answer] = await stage.enqueue(born("a"));
      const fence = answer?.leased?.fence ?? 0;
      const outcome = { id: "a", claim: "born", fence, is: "completed", result: "7", ranMs: 3 } as const;
      assert.equal((await stage.settleAll({ ...outcome, fence: fence + 1 }))[0]?.is, "lease-lost");
      assert.deepEqual(await stage.settleAll(outcome), [{ id: "a", is: "settled", state: "completed" }]);
      assert.equal((await stage.row("a")).result, "7");
    },
  },
  {
    claim: "it is kept by beats, and taken back when its lease has ended",
    run: async (stage) => {
      await stage.enqueue(born("a"));
      for (let beat = 0; beat < 3; beat += 1) {
        stage.advance(leaseMs - 1);
        assert.equal((await stage.beat("p1")).isLost, false);
      }
      stage.advance(leaseMs);
      assert.equal((await stage.tidy()).takenBack, 1);
      assert.equal((await stage.beat("p1")).isLost, true);
      assert.deepEqual([await stage.state("a"), (await stage.row("a")).suspects], ["ready", 1]);
    },
  },
  {
    claim: "a duplicate is never leased, by id or by unique key, whatever the first one does",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(job("a", { unique }));
      assert.deepEqual(await stage.enqueue(born("a", { unique }), born("b", { unique })), [
        { id: "a", isDuplicate: true, state: "ready" },
        { id: "a", isDuplicate: true, state: "ready" },
      ]);
      const [first] = await stage.enqueue(born("c"));
      assert.ok(first?.leased);
      assert.deepEqual(await stage.enqueue(born("c")), [{ id: "c", isDuplicate: true, state: "running" }]);
    },
  },
  {
    claim: "`most` counts for the whole call, a limit for all",
    run: async (stage) => {
      await stage.limit("api", { running: 3 });
      const most = { lease: { ...lease, terms: { most: 2, gates: ["api"] } } };
      const answers = await stage.atoms(
        { works: [born("a", most)] },
        { works: [born("b", most), born("c", most), born("d", { ...most, task: "print" }), born("e", { ...most, task: "print" })] },
      );
      assert.deepEqual(
        answers.map((answer) => (Array.isArray(answer) ? answer.map(({ state }) => state) : answer)),
        [["running"], ["running", "ready", "running", "ready"]],
      );
      assert.equal((await stage.gate("api"))?.used, 3);
    },
  },
  {
    claim: "what it holds of limits and resources it gives back when it ends; its start counts on",
    run: async (stage) => {
      await stage.limit("api", { starts: 1, everyMs: 1_000 });
      await stage.resource("gpu", 2);
      const terms = { gates: ["api"], needs: { gpu: 2 } };
      const [answer] = await stage.enqueue(born("a", { lease: { ...lease, terms } }));
      assert.deepEqual([(await stage.gate("api"))?.used, (await stage.gate("gpu"))?.used], [1, 2]);
      await stage.settleAll({ id: "a", claim: "born", fence: answer?.leased?.fence ?? 0, is: "completed", ranMs: 1 });
      assert.deepEqual([(await stage.gate("api"))?.used, (await stage.gate("gpu"))?.used], [1, 0]);
      assert.equal((await stage.enqueue(born("b", { lease: { ...lease, terms } })))[0]?.state, "ready");
    },
  },
  {
    claim: "those behind it in its lane wait, and go on when it has ended",
    run: async (stage) => {
      const [answer] = await stage.enqueue(born("a", { lane: { key: 'send["k"]', width: 1, ifDead: "park" } }), member("b", "park"));
      assert.equal(await stage.states("a", "b"), "running blocked");
      await stage.settleAll({ id: "a", claim: "born", fence: answer?.leased?.fence ?? 0, is: "completed", ranMs: 1 });
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "follow-up work is stored as if it had no lease",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.run("a", "completed", { follow: [born("b")] });
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "a refused atom leases nothing",
    run: async (stage) => {
      await stage.enqueue(job("known"));
      assert.equal(await stage.refused({ works: [born("a"), job("known", { content: "other" })] }), "id-conflict");
      assert.equal(await stage.find("a"), undefined);
    },
  },
];
