/** beat, and what tidy takes back: leases, suspicion, quarantine (G3, G13, G20). */
import assert from "node:assert/strict";
import { deathsAloneMax, suspectsBeforeAlone } from "../../src/core/defaults.ts";
import { job, leaseMs, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

export const cases: readonly Case[] = [
  {
    claim: "a beat renews all that a process holds",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"));
      await stage.claim({ slots: 1 });
      await stage.claim();
      for (let beat = 0; beat < 5; beat += 1) {
        stage.advance(leaseMs - 1);
        assert.equal((await stage.beat()).isLost, false);
        assert.equal((await stage.tidy()).takenBack, 0);
      }
      assert.equal(await stage.states("a", "b"), "running running");
      assert.equal((await stage.row("a")).claim?.leaseUntil, stage.now + leaseMs);
    },
  },
  {
    claim: "a lease that expired and that nobody took is renewed by the next beat",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      stage.advance(10 * leaseMs);
      assert.equal((await stage.beat()).isLost, false);
      assert.equal((await stage.tidy()).takenBack, 0);
    },
  },
  {
    claim: "tidy takes back what an expired process held, and only that",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"));
      await stage.claim({ slots: 1 });
      await stage.claim({ process: "p2" });
      stage.advance(leaseMs - 1);
      await stage.beat("p2");
      stage.advance(2);
      const { takenBack, quarantined } = await stage.tidy();
      assert.deepEqual([takenBack, quarantined], [1, 0]);
      assert.equal(await stage.states("a", "b"), "ready running");
      const { suspects, attempts, starts, history, claim } = await stage.row("a");
      assert.deepEqual([suspects, attempts, starts, history.map(({ is }) => is), claim], [1, 0, 1, ["crashed"], undefined]);
    },
  },
  {
    claim: "a pass that may not expire takes nothing back",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      stage.advance(100 * leaseMs);
      assert.equal((await stage.tidy(1_000, false)).takenBack, 0);
      assert.equal(await stage.state("a"), "running");
    },
  },
  {
    claim: "a pass takes back from processes whose lease ended as long ago as it says, and from no others",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"));
      await stage.claim({ slots: 1 });
      stage.advance(5_000);
      await stage.claim({ process: "p2" });
      stage.advance(leaseMs);
      for (const overdueMs of [leaseMs, 5_001]) assert.equal((await stage.tidy(1_000, true, overdueMs)).takenBack, 0);
      assert.equal((await stage.beat("p2")).isLost, false);
      assert.equal((await stage.tidy(1_000, true, 5_000)).takenBack, 1);
      assert.equal(await stage.states("a", "b"), "ready running");
    },
  },
  {
    claim: "a process whose jobs were taken back hears that it is lost, again and again, and gets nothing under its old id",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      await stage.crash();
      assert.equal((await stage.beat("p1")).isLost, true);
      assert.deepEqual(await stage.claimIds({ process: "p1" }), []);
      assert.equal((await stage.beat("p1")).isLost, true);
      assert.deepEqual(await stage.claimIds({ process: "p1 again" }), ["a"]);
      assert.equal((await stage.beat("p1 again")).isLost, false);
    },
  },
  {
    claim: "a process that holds nothing is not lost, however long it was silent, and its beat writes nothing",
    run: async (stage) => {
      assert.equal((await stage.beat("idle")).isLost, false);
      stage.advance(10 * leaseMs);
      await stage.tidy();
      assert.equal((await stage.beat("idle")).isLost, false);
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds({ process: "idle" }), ["a"]);
      await stage.settle("a", "completed");
      stage.advance(leaseMs + 1);
      assert.equal((await stage.beat("idle")).isLost, false);
      await stage.tidy();
      assert.equal((await stage.beat("idle")).isLost, false);
      assert.deepEqual((await stage.engine.find({ of: "processes", limit: 10 }, stage.at)).rows, []);
    },
  },
  {
    claim: "taking back is bounded, and goes on in the next pass",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c"].map((id) => job(id)));
      await stage.claim();
      stage.advance(leaseMs + 1);
      const first = await stage.tidy(2);
      assert.deepEqual([first.takenBack, first.hasMore], [2, true]);
      assert.equal((await stage.beat()).isLost, true);
      assert.equal((await stage.tidy(2)).takenBack, 1);
      assert.deepEqual(await stage.counts(), { "mail send ready": 3 });
    },
  },
  {
    claim: "jobs taken back run again at once, the attempt not counted, the start counted",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      await stage.crash();
      const [again] = (await stage.claim({ process: "p2" })).jobs;
      assert.deepEqual([again?.attempt, again?.starts, again?.suspects], [1, 2, 1]);
    },
  },
  {
    claim: "cancel is heard by the beat of the process that runs it, until it settles, and by no other",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c"));
      await stage.claim({ slots: 2 });
      await stage.claim({ process: "p2" });
      for (const id of ["a", "c"]) assert.equal(await stage.cancel(id), "cancelling");
      assert.deepEqual((await stage.beat()).cancelled, ["a"]);
      assert.deepEqual((await stage.beat()).cancelled, ["a"]);
      assert.deepEqual((await stage.beat("p2")).cancelled, ["c"]);
      await stage.settle("a", "completed");
      assert.deepEqual((await stage.beat()).cancelled, []);
    },
  },
  {
    claim: "a job taken back after cancel was asked for ends cancelled",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      await stage.cancel("a");
      assert.equal((await stage.crash()).takenBack, 1);
      const { state, reason, suspects } = await stage.row("a");
      assert.deepEqual([state, reason], ["cancelled", "not wanted"]);
      assert.ok(suspects <= 1);
    },
  },
  {
    claim: "a beat tells the time, the era and how far the notes are",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      const first = await stage.beat();
      assert.equal(first.now, start);
      await stage.write({ key: "n", value: "1" });
      const second = await stage.beat();
      await stage.write({ key: "n", value: "1" });
      const third = await stage.beat();
      assert.ok(first.notesVersion < second.notesVersion && second.notesVersion < third.notesVersion);
      assert.equal(first.era, third.era);
      assert.ok(first.era.length > 0);
    },
  },
  {
    claim: "a job fewer than twice suspect runs among others, then alone only",
    run: async (stage) => {
      await stage.enqueue(job("culprit"));
      for (let crash = 1; crash <= suspectsBeforeAlone; crash += 1) {
        assert.deepEqual(await stage.claimIds({ process: `p${crash}` }), ["culprit"]);
        await stage.crash();
      }
      await stage.enqueue(job("innocent"));
      assert.equal((await stage.row("culprit")).waits?.reason, "alone");
      const together = await stage.claim({ process: "q" });
      assert.deepEqual([together.jobs.map(({ id }) => id), together.hasSuspects], [["innocent"], true]);
      const alone = await stage.claim({ process: "q", alone: "only" });
      assert.deepEqual(
        alone.jobs.map(({ id, suspects }) => [id, suspects]),
        [["culprit", suspectsBeforeAlone]],
      );
      assert.equal((await stage.claim({ process: "q" })).hasSuspects, false);
    },
  },
  {
    claim: "alone gives one job, the most urgent suspect, and nothing that is not suspect",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c", { headStartMs: 10 }));
      await suspectAll(stage);
      await stage.enqueue(job("innocent", { headStartMs: 1_000_000 }));
      assert.deepEqual(await stage.claimIds({ process: "alone", alone: "only" }), ["c"]);
      assert.deepEqual(await stage.claimIds({ process: "alone", alone: "only" }), ["a"]);
    },
  },
  {
    claim: "alone gives the most urgent suspect of all queues that have a slot",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", { queue: "print", headStartMs: 10 }), job("c", { queue: "full", headStartMs: 20 }));
      const queues = ["mail", "print", "full"].map((queue) => ({ queue, slots: 3, ahead: 0 }));
      for (const process of ["p1", "p2"]) {
        await stage.claim({ process, queues });
        await stage.crash();
      }
      const asked = queues.map((queue) => ({ ...queue, slots: queue.queue === "full" ? 0 : 1, ahead: 2 }));
      assert.deepEqual(await stage.claimIds({ process: "alone", alone: "only", queues: asked }), ["b"]);
      assert.deepEqual(await stage.claimIds({ process: "alone", alone: "only", queues: asked }), ["a"]);
    },
  },
  {
    claim: "suspects of other queues and tasks are not told",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await suspectAll(stage);
      assert.equal((await stage.claim({ tasks: ["print"] })).hasSuspects, false);
      assert.equal((await stage.claim({ queues: [{ queue: "print", slots: 1, ahead: 0 }] })).hasSuspects, false);
    },
  },
  {
    claim: `a job whose process dies ${deathsAloneMax} times while it runs alone is quarantined`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await suspectAll(stage);
      for (let death = 1; death <= deathsAloneMax; death += 1) {
        assert.deepEqual(await stage.claimIds({ process: `alone ${death}`, alone: "only" }), ["a"]);
        const { takenBack, quarantined } = await stage.crash();
        assert.deepEqual([takenBack, quarantined], [1, death === deathsAloneMax ? 1 : 0]);
      }
      const { state, isPoison, reason, attempts } = await stage.row("a");
      assert.deepEqual([state, isPoison, attempts], ["dead", true, 0]);
      assert.match(reason ?? "", /\w/);
    },
  },
  {
    claim: "quarantine parks where the lane parks",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park"));
      await quarantine(stage);
      await stage.tidy();
      assert.equal(await stage.states("a", "b"), "parked parked");
    },
  },
  {
    claim: "quarantine in a lane that continues starts the next",
    run: async (stage) => {
      await stage.enqueue(member("a", "continue"), member("b", "continue"));
      await quarantine(stage);
      assert.equal(await stage.states("a", "b"), "dead ready");
    },
  },
  {
    claim: "quarantine in a wide lane parks the members beside it",
    run: async (stage) => {
      await stage.enqueue(member("a", "park", {}, 3));
      await suspectAll(stage);
      await stage.enqueue(member("b", "park", {}, 3), member("c", "park", { delayMs: 3_600_000 }, 3));
      for (let death = 1; death <= deathsAloneMax; death += 1) {
        await stage.claim({ process: `alone ${death}`, alone: "only" });
        await stage.crash();
      }
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c"), "parked parked parked");
    },
  },
  ...(["retry", "snoozed"] as const).map((is): Case => ({
    claim: `${is} clears the suspicion`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await suspectAll(stage);
      await stage.claim({ process: "alone", alone: "only" });
      await stage.settle("a", is);
      assert.equal((await stage.row("a")).suspects, 0);
      assert.deepEqual(await stage.claimIds({ process: "q" }), ["a"]);
    },
  })),
  ...(["released", "saved"] as const).map((is): Case => ({
    claim: `${is} keeps the suspicion`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await suspectAll(stage);
      await stage.claim({ process: "alone", alone: "only" });
      await stage.settle("a", is);
      assert.equal((await stage.row("a")).suspects, suspectsBeforeAlone);
    },
  })),
  {
    claim: "a redriven job is not suspect",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await quarantine(stage);
      assert.equal(await stage.retry("a"), "retried");
      const { suspects, isPoison, starts } = await stage.row("a");
      assert.deepEqual([suspects, isPoison ?? false, starts], [0, false, 0]);
      assert.deepEqual(await stage.claimIds({ process: "q" }), ["a"]);
    },
  },
  {
    claim: "processes that hold jobs are listed, with how many",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c"));
      await stage.claim({ slots: 2 });
      stage.advance(5);
      await stage.claim({ process: "p2" });
      const { rows } = await stage.engine.find({ of: "processes", limit: 10 }, stage.at);
      assert.deepEqual(rows, [
        { process: "p1", leaseUntil: start + leaseMs, since: start, running: 2 },
        { process: "p2", leaseUntil: start + 5 + leaseMs, since: start + 5, running: 1 },
      ]);
    },
  },
];

/** Crashes everything that is ready until it is to run alone. */
async function suspectAll(stage: Stage): Promise<void> {
  for (let crash = 1; crash <= suspectsBeforeAlone; crash += 1) {
    await stage.claim({ process: `crash ${crash} at ${stage.now}` });
    await stage.crash();
  }
}

async function quarantine(stage: Stage): Promise<void> {
  await suspectAll(stage);
  for (let death = 1; death <= deathsAloneMax; death += 1) {
    await stage.claim({ process: `alone ${death}`, alone: "only" });
    await stage.crash();
  }
}
