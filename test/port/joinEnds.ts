/** How joins end other than by their members: their own predecessor, and cancel (G11). */
import assert from "node:assert/strict";
import type { After } from "../../src/core/engine.ts";
import { fillJoin, job, join, member } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

const inJ: JobOptions = { join: "J" };

function after(id: string, when: After["when"]): { readonly after: readonly After[] } {
  return { after: [{ id, when }] };
}

/** The join's own predecessor "a": how it ends, what the join asks, and what becomes of it and its member. */
const ownRows: readonly { readonly ends: "completed" | "dead"; readonly when: After["when"]; readonly member: string; readonly state: string }[] = [
  { ends: "completed", when: "well", member: "ready", state: "open 1 live 0 succeeded 0 failed" },
  { ends: "completed", when: "badly", member: "skipped", state: "closed 0 live 1 succeeded 0 failed" },
  { ends: "completed", when: "ended", member: "ready", state: "open 1 live 0 succeeded 0 failed" },
  { ends: "dead", when: "well", member: "cancelled", state: "closed 0 live 0 succeeded 1 failed" },
  { ends: "dead", when: "badly", member: "ready", state: "open 1 live 0 succeeded 0 failed" },
  { ends: "dead", when: "ended", member: "ready", state: "open 1 live 0 succeeded 0 failed" },
];

const own: readonly Case[] = [
  ...ownRows.flatMap(({ ends, when, member: then, state }): Case[] => [
    {
      claim: `a join that asks for "${when}" of one that ends ${ends}: its member is ${then}`,
      run: async (stage) => {
        await stage.enqueue(job("a"), join("J", after("a", when)), job("m", inJ));
        assert.deepEqual([(await stage.row("m")).waits?.reason, (await stage.joinRow("J")).state], ["join", "waiting"]);
        await stage.run("a", ends);
        assert.deepEqual([await stage.state("m"), await stage.joinState("J")], [then, state]);
        const { reason } = await stage.row("m");
        if (then === "cancelled") assert.equal(reason, "not started: it comes after job a, which is dead");
        if (then === "skipped") assert.equal(reason, "not needed: it was for the failure of job a, which is completed");
      },
    },
    {
      claim: `the same where it has ended already: sealed and stored in one atom, its member is ${then}`,
      run: async (stage) => {
        await stage.enqueue(job("a"));
        await stage.run("a", ends);
        const answers = await stage.enqueue(join("J", after("a", when)), job("m", inJ));
        assert.deepEqual([answers[1]?.state, await stage.joinState("J")], [then, state]);
      },
    },
  ]),
  {
    claim: "an empty join whose own predecessor ended otherwise closes as its members would have ended",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J", after("a", "well")), join("K", after("a", "badly")));
      await stage.enqueue(...["J", "K"].flatMap((id) => [job(`well ${id}`, after(id, "well")), job(`badly ${id}`, after(id, "badly"))]));
      await stage.run("a", "dead");
      assert.deepEqual([(await stage.joinRow("J")).state, (await stage.joinRow("K")).state], ["closed", "closed"]);
      assert.equal(await stage.states("well J", "badly J", "well K", "badly K"), "cancelled ready ready skipped");
    },
  },
  {
    claim: "a join that asks for the failure of what did not fail closes without one, for those after it",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J", after("a", "badly")), job("m", inJ), job("then", after("J", "well")));
      await stage.run("a");
      assert.equal(await stage.states("m", "then"), "skipped ready");
    },
  },
  {
    claim: "joins within it end with it",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("P", after("a", "well")), join("J", { join: "P" }), job("m", inJ), join("empty", { join: "P" }));
      await stage.run("a", "dead");
      assert.deepEqual(
        [await stage.state("m"), await stage.joinState("J"), await stage.joinState("P")],
        ["cancelled", "closed 0 live 0 succeeded 1 failed", "closed 0 live 0 succeeded 2 failed"],
      );
    },
  },
  {
    claim: "a job that joined it goes on as it was, and the join closes after it",
    run: async (stage) => {
      await stage.enqueue(job("stands"), job("a"), join("J", after("a", "well")), job("m", inJ), job("stands", inJ));
      await stage.claim();
      await stage.settle("a", "dead");
      assert.equal(await stage.joinState("J"), "waiting 1 live 0 succeeded 1 failed");
      await stage.settle("stands", "completed");
      assert.equal(await stage.joinState("J"), "closed 0 live 1 succeeded 1 failed");
    },
  },
  {
    claim: "it takes no members any more, though it has not closed",
    run: async (stage) => {
      await stage.enqueue(job("stands"), job("a"), join("J", after("a", "well")), job("stands", inJ));
      await stage.claim();
      await stage.settle("a", "dead");
      assert.equal((await stage.joinRow("J")).state, "waiting");
      assert.equal(await stage.refused({ works: [job("new", inJ)] }), "join-closed");
    },
  },
  {
    claim: "its own predecessor is judged when it is sealed",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J", { isSealed: false, ...after("a", "well") }), job("m", inJ));
      await stage.run("a", "dead");
      assert.equal(await stage.joinState("J"), "staged 1 live 0 succeeded 0 failed");
      await stage.enqueue(join("J", after("a", "well")));
      assert.deepEqual([await stage.state("m"), await stage.joinState("J")], ["cancelled", "closed 0 live 0 succeeded 1 failed"]);
    },
  },
  {
    claim: "many members end in bounded passes, and the join closes when the last one has",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await fillJoin(stage, 1_200, after("a", "well"));
      await stage.run("a", "dead");
      assert.equal(await stage.joinState("J"), "waiting 200 live 0 succeeded 1000 failed");
      const { dropped, closed, hasMore } = await stage.tidy(150);
      assert.deepEqual([dropped, closed, hasMore], [150, 0, true]);
      const last = await stage.tidy(150);
      assert.deepEqual([last.dropped, last.closed, await stage.joinState("J")], [50, 1, "closed 0 live 0 succeeded 1200 failed"]);
    },
  },
];

const cancelled: readonly Case[] = [
  {
    claim: "cancel by join cancels all members, also of joins within it and those that joined it, join by join in the order of storing",
    run: async (stage) => {
      await stage.enqueue(job("stands"));
      await stage.enqueue(
        join("P"),
        join("J", { join: "P" }),
        job("in J", inJ),
        job("in P", { join: "P" }),
        job("scheduled", { join: "P", delayMs: 5 }),
        job("held", { join: "P", ...after("in P", "well") }),
        job("stands", { join: "P" }),
        job("outside"),
      );
      await stage.claim({ slots: 2 });
      const { jobs, hasMore } = await stage.change({ join: "P" }, { do: "cancel", reason: "not wanted" });
      assert.deepEqual(
        jobs.map(({ id, is }) => `${id} ${is}`),
        ["stands cancelling", "in P cancelled", "scheduled cancelled", "held cancelled", "in J cancelling"],
      );
      assert.equal(hasMore, false);
      assert.equal(await stage.states("in J", "stands", "outside"), "running running ready");
      assert.deepEqual([(await stage.joinRow("P")).isCancelled, (await stage.joinRow("J")).isCancelled], [true, true]);
      assert.equal(await stage.joinState("P"), "open 2 live 0 succeeded 3 failed");
      await stage.settleAll(stage.outcome("in J", "completed"), stage.outcome("stands", "completed"));
      assert.deepEqual([await stage.joinState("P"), await stage.joinState("J")], ["closed 0 live 0 succeeded 5 failed", "closed 0 live 0 succeeded 1 failed"]);
    },
  },
  {
    claim: "a cancelled join takes no members any more",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ), join("K", { join: "J" }), job("stands"));
      await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" });
      for (const works of [[job("b", inJ)], [job("b", { join: "K" })], [join("L", inJ)]]) assert.equal(await stage.refused({ works }), "join-closed");
      assert.deepEqual(await stage.enqueue(job("a", inJ), job("stands", inJ)), [
        { id: "a", isDuplicate: true, state: "cancelled" },
        { id: "stands", isDuplicate: true, state: "ready" },
      ]);
      assert.equal((await stage.row("stands")).joins, undefined);
    },
  },
  {
    claim: "with a limit the first call cancels the join: no blocked member is let go, and the rest is cancelled by calling again or by tidy",
    run: async (stage) => {
      await stage.enqueue(
        job("a"),
        join("J"),
        ...["1", "2", "3", "4"].map((id) => job(id, { ...inJ, ...after("a", "ended") })),
        job("5", { ...inJ, delayMs: 50 }),
      );
      const first = await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" }, 1);
      assert.deepEqual([first.jobs.map(({ id }) => id), first.hasMore], [["1"], true]);
      await stage.run("a");
      assert.equal(await stage.states("1", "2", "3", "4", "5"), "cancelled blocked blocked blocked scheduled");
      const second = await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" }, 1);
      assert.deepEqual([second.jobs.map(({ id }) => id), second.hasMore], [["2"], true]);
      const tidied = await stage.tidy(2);
      assert.deepEqual([tidied.dropped, tidied.hasMore], [2, true]);
      const last = await stage.tidy();
      assert.deepEqual([last.dropped, last.closed, await stage.joinState("J")], [1, 1, "closed 0 live 0 succeeded 5 failed"]);
      assert.equal((await stage.row("5")).reason, "not wanted");
    },
  },
  {
    claim: "tidy cancels what is left of a cancelled join in every state, and tells running members",
    run: async (stage) => {
      await stage.enqueue(
        join("J"),
        job("first", inJ),
        job("running", { ...inJ, headStartMs: 9 }),
        job("ready", inJ),
        job("scheduled", { ...inJ, delayMs: 99_000 }),
        member("dies", "block", { ...inJ, headStartMs: 8 }),
        member("blocked", "block", inJ),
      );
      await stage.claim({ slots: 2 });
      await stage.settle("dies", "dead");
      await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" }, 1);
      assert.equal(await stage.states("first", "ready", "scheduled", "dies", "blocked"), "cancelled ready scheduled parked blocked");
      await stage.tidy();
      assert.equal(await stage.states("ready", "scheduled", "dies", "blocked", "running"), "cancelled cancelled cancelled cancelled running");
      assert.deepEqual((await stage.beat()).cancelled, ["running"]);
      await stage.settle("running", "completed");
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 6 failed");
    },
  },
  {
    claim: "what a limit leaves over is cancelled, also where their lane parks all of it, and their join has no live member any more",
    run: async (stage) => {
      await stage.enqueue(join("J"), ...["a", "b", "c"].map((id) => member(id, "park", { join: "J" })));
      await stage.claim();
      await stage.settle("a", "dead");
      assert.equal((await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" }, 1)).hasMore, true);
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c"), "cancelled cancelled cancelled");
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 3 failed");
    },
  },
  {
    claim: "what a limit leaves over of a join that has closed meanwhile is cancelled by calling again and by tidy; a member that is redriven later is not",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("x", inJ), job("dead", { ...inJ, headStartMs: 9 }), ...["a", "b", "c", "d"].map((id) => member(id, "park", inJ)));
      await stage.claim({ slots: 1 });
      await stage.settle("dead", "dead");
      await stage.claim({ slots: 2 });
      await stage.settleAll(stage.outcome("x", "released"), stage.outcome("a", "dead"));
      await stage.tidy();
      const cancel = async (limit: number): Promise<readonly string[]> =>
        (await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" }, limit)).jobs.map(({ id }) => id);
      assert.deepEqual(await cancel(1), ["x"]);
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 6 failed");
      assert.deepEqual(await cancel(1), ["a"]);
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c", "d"), "cancelled cancelled cancelled cancelled");
      assert.equal(await stage.retry("dead"), "retried");
      await stage.tidy();
      assert.equal(await stage.state("dead"), "ready");
    },
  },
  {
    claim: "a staged or empty join that is cancelled closes as failed",
    run: async (stage) => {
      await stage.enqueue(
        join("J", { isSealed: false }),
        join("K", { isSealed: false }),
        job("a", inJ),
        job("then", after("J", "badly")),
        job("k", after("K", "well")),
      );
      await stage.change({ join: "J" }, { do: "cancel", reason: "not wanted" });
      await stage.change({ join: "K" }, { do: "cancel", reason: "not wanted" });
      assert.deepEqual([await stage.joinState("J"), await stage.joinState("K")], ["closed 0 live 0 succeeded 1 failed", "closed 0 live 0 succeeded 0 failed"]);
      assert.equal(await stage.states("then", "k"), "ready cancelled");
      assert.deepEqual(await stage.enqueue(join("K", { size: 3 })), [{ id: "K", isDuplicate: true }]);
    },
  },
  {
    claim: "cancelling a join that has closed, or that nobody stored, does nothing",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ));
      await stage.run("a");
      for (const id of ["J", "nobody"])
        assert.deepEqual(await stage.change({ join: id }, { do: "cancel", reason: "not wanted" }), { jobs: [], hasMore: false });
      assert.equal((await stage.joinRow("J")).isCancelled, false);
    },
  },
  {
    claim: "retry, prioritise and delete by join mean its members, and those of joins within it",
    run: async (stage) => {
      await stage.enqueue(join("P"), job("a", { join: "P" }), join("J", { join: "P" }), job("b", inJ), job("c", inJ), job("dead outside"));
      await stage.claim();
      await stage.settleAll(...["a", "b", "dead outside"].map((id) => stage.outcome(id, "dead")), stage.outcome("c", "released"));
      const ids = async (change: Parameters<Stage["change"]>[1]): Promise<string[]> =>
        (await stage.change({ join: "P" }, change)).jobs.map(({ id, is }) => `${id} ${is}`);
      assert.deepEqual(await ids({ do: "retry" }), ["a retried", "b retried"]);
      assert.deepEqual(await ids({ do: "prioritise", headStartMs: 5 }), ["a prioritised", "b prioritised", "c prioritised"]);
      assert.deepEqual(await stage.claimIds({ slots: 2 }), ["a", "b"]);
      await stage.settleAll(stage.outcome("a", "completed"), stage.outcome("b", "completed"));
      assert.deepEqual(await ids({ do: "delete" }), ["a deleted", "b deleted"]);
      assert.equal(await stage.joinState("J"), "open 1 live 1 succeeded 0 failed");
    },
  },
];

export const cases: readonly Case[] = [...own, ...cancelled];
