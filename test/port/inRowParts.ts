/** A row of which something is asked, or some end, while the rest runs. */
import assert from "node:assert/strict";
import type { NewJob } from "../../src/core/engine.ts";
import { job, join, leaseMs, member } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const row: NonNullable<Parameters<Stage["claim"]>[0]> = { slots: 1, ahead: 9, inRow: 10 };

function members(ids: string): NewJob[] {
  return ids.split("").map((id) => member(id, "park"));
}

export const cases: readonly Case[] = [
  {
    claim: "one that is let go while a row runs that it stands between waits for the end of it",
    run: async (stage) => {
      await stage.enqueue(job("x", { task: "print" }), ...members("ab"), member("held", "park", { after: [{ id: "x", when: "well" }] }), member("c", "park"));
      assert.deepEqual(await stage.claimIds(row), ["a", "b", "c"]);
      await stage.claim({ tasks: ["print"] });
      await stage.settle("x", "completed");
      assert.equal(await stage.states("b", "held", "c"), "running blocked running");
      await stage.settleAll(...["a", "b", "c"].map((id) => stage.outcome(id, "completed")));
      assert.equal(await stage.states("b", "held", "c"), "completed ready completed");
    },
  },
  {
    claim: "what comes after one of a row, or waits for a batch that it was given to, goes on when that one has ended",
    run: async (stage) => {
      await stage.enqueue(...members("abcd"));
      await stage.claim(row);
      await stage.enqueue(job("y", { after: [{ id: "b", when: "well" }] }));
      await stage.settleAll(...["a", "b"].map((id) => stage.outcome(id, "completed")));
      assert.equal(await stage.states("y", "c", "d"), "ready running running");
      await stage.enqueue(join("J"), member("d", "park", { join: "J" }));
      assert.equal((await stage.joinRow("J")).state, "open");
      await stage.settleAll(...["c", "d"].map((id) => stage.outcome(id, "completed")));
      assert.equal((await stage.joinRow("J")).state, "closed");
    },
  },
  {
    claim: "those of a row whose first has died go on, and are parked when they come back",
    run: async (stage) => {
      await stage.enqueue(...members("abcd"));
      await stage.claim({ ...row, inRow: 3 });
      await stage.settle("a", "dead");
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c", "d"), "parked running running parked");
      await stage.settle("b", "completed");
      assert.equal((await stage.settle("c", "released")).state, "parked");
    },
  },
  {
    claim: "those of a row that end in another order end all the same",
    run: async (stage) => {
      await stage.enqueue(...members("abcde"));
      await stage.claim({ ...row, inRow: 4 });
      await stage.settleAll(...["b", "d"].map((id) => stage.outcome(id, "completed")));
      assert.equal(await stage.states("a", "b", "c", "d", "e"), "running completed running completed blocked");
      await stage.settleAll(...["c", "a"].map((id) => stage.outcome(id, "completed")));
      assert.equal(await stage.states("a", "c", "e"), "completed completed ready");
    },
  },
  {
    claim: "the rest of a row is found, counted and renewed as what runs",
    run: async (stage) => {
      await stage.enqueue(...members("abcde"));
      await stage.claim({ ...row, inRow: 4 });
      await stage.settleAll(...["a", "b"].map((id) => stage.outcome(id, "completed")));
      const found = async (state: "running" | "blocked"): Promise<string> =>
        (await stage.engine.find({ of: "jobs", where: { states: [state] }, limit: 9 }, stage.at)).rows.map(({ id }) => id).join(" ");
      assert.equal(`${await found("running")}, ${await found("blocked")}`, "c d, e");
      const processes = await stage.engine.find({ of: "processes", limit: 9 }, stage.at);
      assert.deepEqual(
        processes.rows.map(({ running }) => running),
        [2],
      );
      stage.advance(leaseMs - 1);
      await stage.beat();
      stage.advance(leaseMs - 1);
      assert.equal((await stage.tidy()).takenBack, 0);
    },
  },
  {
    claim: "a unique key is free when one of a row that had it has ended",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(...members("ab"), member("c", "park", { unique }));
      await stage.claim(row);
      await stage.settleAll(...["a", "b", "c"].map((id) => stage.outcome(id, "completed")));
      assert.equal((await stage.enqueue(job("next", { unique })))[0]?.id, "next");
    },
  },
  {
    claim: "each of a row is kept for its own time",
    run: async (stage) => {
      const keep = { completed: 1_000, skipped: 1_000, cancelled: 1_000, dead: 1_000 };
      await stage.enqueue(...members("ab"), member("c", "park", { keep }));
      await stage.claim(row);
      await stage.settleAll(...["a", "b", "c"].map((id) => stage.outcome(id, "completed")));
      stage.advance(1_001);
      await stage.tidy();
      assert.deepEqual([(await stage.find("b"))?.state, await stage.find("c")], ["completed", undefined]);
    },
  },
];
