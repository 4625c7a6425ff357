/** Members of joins: how each ending counts, jobs that stood already, and what members add to their own join (G11). */
import assert from "node:assert/strict";
import type { Outcome } from "../../src/core/engine.ts";
import { job, join, member } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

const inJ: JobOptions = { join: "J" };
const keyed: JobOptions = { unique: { key: "u", mode: { is: "keep" } } };

/** What becomes of the only member, "a", and how its join counts it. */
const endingRows: readonly { readonly claim: string; readonly end: (stage: Stage) => Promise<unknown>; readonly state: string }[] = [
  { claim: "completed is a success", end: (stage) => stage.run("a"), state: "closed 0 live 1 succeeded 0 failed" },
  { claim: "skipped is a success", end: (stage) => stage.run("a", "skipped"), state: "closed 0 live 1 succeeded 0 failed" },
  { claim: "dead is a failure", end: (stage) => stage.die("a"), state: "closed 0 live 0 succeeded 1 failed" },
  { claim: "cancelled is a failure", end: (stage) => stage.cancel("a"), state: "closed 0 live 0 succeeded 1 failed" },
  { claim: "a retry is no ending", end: (stage) => stage.run("a", "retry"), state: "open 1 live 0 succeeded 0 failed" },
  { claim: "a snooze is no ending", end: (stage) => stage.run("a", "snoozed", { delayMs: 5 }), state: "open 1 live 0 succeeded 0 failed" },
  { claim: "a release is no ending", end: (stage) => stage.run("a", "released"), state: "open 1 live 0 succeeded 0 failed" },
  {
    claim: "being taken back is no ending",
    end: async (stage) => {
      await stage.claim();
      await stage.crash();
    },
    state: "open 1 live 0 succeeded 0 failed",
  },
];

/** A job "a" that stands already, brought into a state before it is given to join "J" again, and how that counts. */
const adoptedRows: readonly { readonly claim: string; readonly reach: (stage: Stage) => Promise<unknown>; readonly state: string }[] = [
  { claim: "ready", reach: () => Promise.resolve(), state: "open 1 live 0 succeeded 0 failed" },
  { claim: "running", reach: (stage) => stage.claim(), state: "open 1 live 0 succeeded 0 failed" },
  { claim: "completed", reach: (stage) => stage.run("a"), state: "closed 0 live 1 succeeded 0 failed" },
  { claim: "dead", reach: (stage) => stage.die("a"), state: "closed 0 live 0 succeeded 1 failed" },
  { claim: "cancelled", reach: (stage) => stage.cancel("a"), state: "closed 0 live 0 succeeded 1 failed" },
];

export const cases: readonly Case[] = [
  ...endingRows.map(({ claim, end, state }): Case => ({
    claim,
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ));
      await end(stage);
      assert.equal(await stage.joinState("J"), state);
    },
  })),
  ...(["park", "block"] as const).map((ifDead): Case => ({
    claim: `parked (by its own death, or behind one that died; ${ifDead}) counts as a failure, and nobody waits for a person`,
    run: async (stage) => {
      await stage.enqueue(join("J"), join("K"), member("a", ifDead, inJ), member("b", ifDead, { join: "K" }));
      await stage.die("a");
      await stage.tidy();
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 1 failed");
      assert.equal(await stage.joinState("K"), ifDead === "park" ? "closed 0 live 0 succeeded 1 failed" : "open 1 live 0 succeeded 0 failed");
    },
  })),
  {
    claim: "a member that is born parked counts as a failure",
    run: async (stage) => {
      await stage.enqueue(member("dies", "park"));
      await stage.die("dies");
      await stage.enqueue(join("J"), member("a", "park", inJ));
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 1 failed");
    },
  },
  ...(["continue", "park"] as const).map((ifDead): Case => ({
    claim: `a redrive of a member that is ${ifDead === "park" ? "parked" : "dead"}, before the join has closed, takes its count back`,
    run: async (stage) => {
      await stage.enqueue(join("J"), member("a", ifDead, inJ), job("other", inJ));
      await stage.die("a");
      assert.equal(await stage.joinState("J"), "open 1 live 0 succeeded 1 failed");
      await stage.retry("a");
      assert.equal(await stage.joinState("J"), "open 2 live 0 succeeded 0 failed");
      await stage.claim();
      await stage.settleAll(stage.outcome("a", "completed"), stage.outcome("other", "completed"));
      assert.equal(await stage.joinState("J"), "closed 0 live 2 succeeded 0 failed");
    },
  })),
  {
    claim: "a redrive after the join has closed is not counted any more",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), job("then", { after: [{ id: "J", when: "badly" }] }));
      await stage.die("a");
      await stage.retry("a");
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 1 failed");
      await stage.claim();
      await stage.settle("a", "completed");
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 1 failed");
    },
  },
  {
    claim: "a parked member that is cancelled stays one failure",
    run: async (stage) => {
      await stage.enqueue(join("J"), member("a", "block", inJ), job("other", inJ));
      await stage.die("a");
      await stage.cancel("a");
      assert.equal(await stage.joinState("J"), "open 1 live 0 succeeded 1 failed");
    },
  },
  ...adoptedRows.flatMap(({ claim, reach, state }): Case[] => [
    {
      claim: `a job whose id is known (${claim}) is made a member as it stands`,
      run: async (stage) => {
        await stage.enqueue(job("a"));
        await reach(stage);
        const before = await stage.state("a");
        assert.deepEqual(await stage.enqueue(join("J"), job("a", inJ)), [
          { id: "J", isDuplicate: false },
          { id: "a", isDuplicate: true, state: before },
        ]);
        assert.deepEqual([await stage.joinState("J"), (await stage.row("a")).joins], [state, ["J"]]);
      },
    },
  ]),
  ...(["keep", "replace", "throttle"] as const).map((is): Case => ({
    claim: `the winner of a unique key (${is}) is made a member in the loser's place`,
    run: async (stage) => {
      const mode = is === "throttle" ? { is, windowMs: 60_000 } : { is };
      const unique = { key: "u", mode };
      await stage.enqueue(job("a", { unique }));
      await stage.enqueue(join("J"), job("b", { ...inJ, unique }), job("c", inJ));
      assert.equal(await stage.joinState("J"), "open 2 live 0 succeeded 0 failed");
      await stage.claim();
      await stage.settle("a", "completed");
      assert.equal(await stage.joinState("J"), "open 1 live 1 succeeded 0 failed");
      await stage.settle("c", "completed");
      assert.equal(await stage.joinState("J"), "closed 0 live 2 succeeded 0 failed");
    },
  })),
  {
    claim: "the winner of a throttled key that has ended counts as it ended; one that was deleted not at all",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "throttle", windowMs: 60_000 } } as const;
      await stage.enqueue(job("a", { unique }));
      await stage.die("a");
      await stage.enqueue(join("J"), job("b", { ...inJ, unique }));
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 1 failed");
      await stage.changeOne("a", { do: "delete" });
      await stage.enqueue(join("K"), job("c", { join: "K", unique }));
      assert.equal(await stage.joinState("K"), "closed 0 live 0 succeeded 0 failed");
    },
  },
  {
    claim: "a job may be a member of several joins: its own first, then those that it joined, and each counts it once",
    run: async (stage) => {
      await stage.enqueue(join("I"), join("J"), join("K"), job("a", inJ), job("a", { join: "K" }), job("a", { join: "K" }), job("a", { join: "I" }));
      assert.deepEqual((await stage.row("a")).joins, ["J", "K", "I"]);
      await stage.run("a");
      for (const id of ["I", "J", "K"]) assert.equal(await stage.joinState(id), "closed 0 live 1 succeeded 0 failed");
    },
  },
  {
    claim: "a job that stands goes on as it was: only its own join holds it back",
    run: async (stage) => {
      await stage.enqueue(job("a", keyed));
      await stage.enqueue(join("J", { isSealed: false }), job("b", { ...inJ, ...keyed }));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      await stage.settle("a", "completed");
      assert.equal(await stage.joinState("J"), "staged 0 live 1 succeeded 0 failed");
      await stage.enqueue(join("J"));
      assert.equal(await stage.joinState("J"), "closed 0 live 1 succeeded 0 failed");
    },
  },
  {
    claim: "a claimed job is told its own join, not those that it joined",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a"), job("a", inJ));
      assert.equal((await stage.claim()).jobs[0]?.join, undefined);
    },
  },
  {
    claim: "duplicates count for the size of a join",
    run: async (stage) => {
      await stage.enqueue(job("a", keyed));
      await stage.enqueue(join("J", { size: 2 }), job("b", { ...inJ, ...keyed }), job("a", inJ));
      assert.equal(await stage.joinState("J"), "open 1 live 0 succeeded 0 failed");
    },
  },
  {
    claim: "a job that is known is a duplicate also where its join has closed, and is not adopted",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J"));
      assert.deepEqual(await stage.enqueue(job("a", inJ)), [{ id: "a", isDuplicate: true, state: "ready" }]);
      assert.equal((await stage.row("a")).joins, undefined);
    },
  },
  {
    claim: "what stands and waits for a join, over whatever, is not made a member of it: the join would wait for itself",
    run: async (stage) => {
      const afterJ = { after: [{ id: "J", when: "ended" }] } as const;
      await stage.enqueue(
        job("x"),
        join("J", { isSealed: false }),
        job("direct", afterJ),
        job("over", { after: [{ id: "direct", when: "ended" }] }),
        join("K", afterJ),
        job("in waiting", { join: "K" }),
        join("P"),
        job("in P", { join: "P", after: [{ id: "in waiting", when: "ended" }] }),
        job("after P", { after: [{ id: "P", when: "ended" }] }),
        job("free", { after: [{ id: "x", when: "ended" }] }),
      );
      const again = ["direct", "over", "in waiting", "in P", "after P", "free"];
      await stage.enqueue(...again.map((id) => job(id, inJ)), join("J"));
      assert.equal(await stage.joinState("J"), "open 1 live 0 succeeded 0 failed");
      assert.deepEqual((await stage.row("free")).joins, ["J"]);
      await stage.run("x");
      await stage.run("free");
      assert.equal(await stage.joinState("J"), "closed 0 live 1 succeeded 0 failed");
    },
  },
  {
    claim: "what stands within a join that J is within waits for it too",
    run: async (stage) => {
      await stage.enqueue(join("P"), join("J", { join: "P" }), job("m", inJ), job("after P", { after: [{ id: "P", when: "ended" }] }), job("after P", inJ));
      assert.equal(await stage.joinState("J"), "open 1 live 0 succeeded 0 failed");
    },
  },
  {
    claim: "what a member's outcome hands over is stored before its ending counts: it may add to its own join",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ));
      await stage.run("a", "completed", { follow: [job("b", inJ), join("K", { join: "J" }), job("c", { join: "K" })] });
      assert.equal(await stage.joinState("J"), "open 2 live 1 succeeded 0 failed");
      assert.equal(await stage.states("b", "c"), "ready ready");
      await stage.claim();
      await stage.settleAll(stage.outcome("b", "completed"), stage.outcome("c", "dead"));
      assert.deepEqual([await stage.joinState("J"), await stage.joinState("K")], ["closed 0 live 2 succeeded 1 failed", "closed 0 live 0 succeeded 1 failed"]);
    },
  },
  ...(["after-unknown", "join-closed"] as const).map((code): Case => ({
    claim: `follow-up work that is refused (${code}) refuses its outcome whole, and nothing is counted`,
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), join("closed"));
      await stage.claim();
      const follow = [job("b", inJ), job("c", { join: code === "join-closed" ? "closed" : "nobody" })];
      const { is, error, state } = await stage.settle("a", "completed", { follow });
      assert.deepEqual([is, error?.code, state], ["refused", code, "running"]);
      assert.deepEqual([await stage.joinState("J"), await stage.find("b")], ["open 1 live 0 succeeded 0 failed", undefined]);
    },
  })),
  {
    claim: "what a run adds does not count for the size that a staged join must be given",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), job("given", inJ), job("outside"));
      await stage.run("outside", "completed", { follow: [job("added", inJ)] });
      assert.equal(await stage.refused({ works: [join("J", { size: 2 })] }), "join-incomplete");
      await stage.enqueue(join("J", { size: 1 }));
      assert.equal(await stage.joinState("J"), "open 2 live 0 succeeded 0 failed");
    },
  },
  {
    claim: "endings of one settle count together: a join is closed when all of them are written",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), job("outside"));
      await stage.claim();
      const adding: Partial<Outcome> = { follow: [job("b", inJ)] };
      const settled = await stage.settleAll(stage.outcome("a", "completed"), stage.outcome("outside", "completed", adding));
      assert.deepEqual(
        settled.map(({ is }) => is),
        ["settled", "settled"],
      );
      assert.equal(await stage.joinState("J"), "open 1 live 1 succeeded 0 failed");
    },
  },
  {
    claim: "a claim that settles lets go, in the same call, what its outcomes let go",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), job("then", { after: [{ id: "J", when: "well" }] }));
      await stage.claim();
      const { jobs, settled } = await stage.claim({ settling: [stage.outcome("a", "completed")] });
      assert.deepEqual([settled[0]?.state, jobs.map(({ id }) => id)], ["completed", ["then"]]);
      assert.equal((await stage.joinRow("J")).state, "closed");
    },
  },
];
