/** Predecessors: what must end before a job may start, and what follows from each ending. */
import assert from "node:assert/strict";
import { afterMax } from "../../src/core/defaults.ts";
import type { After, NewWork } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";
import { event, job, join, member, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

const whens: readonly After["when"][] = ["well", "badly", "ended"];

function after(id: string, when: After["when"]): Pick<JobOptions, "after"> {
  return { after: [{ id, when }] };
}

/** How a job ends that stands before others. */
const endings: Readonly<
  Record<"completed" | "skipped" | "dead" | "cancelled" | "parked", { readonly ended: "well" | "badly"; readonly end: (stage: Stage) => Promise<unknown> }>
> = {
  completed: { ended: "well", end: (stage) => stage.run("a") },
  skipped: { ended: "well", end: (stage) => stage.run("a", "skipped", { reason: "no need" }) },
  dead: { ended: "badly", end: (stage) => stage.die("a") },
  cancelled: { ended: "badly", end: (stage) => stage.cancel("a") },
  parked: { ended: "badly", end: (stage) => stage.die("a") },
};

function first(state: keyof typeof endings): NewWork {
  return state === "parked" ? member("a", "park") : job("a");
}

function expected(ended: "well" | "badly", when: After["when"]): JobState {
  if (when === "ended" || when === ended) return "ready";
  return when === "well" ? "cancelled" : "skipped";
}

const matrix = (Object.keys(endings) as (keyof typeof endings)[]).flatMap((state) =>
  whens.map((when) => ({ state, when, ...endings[state], then: expected(endings[state].ended, when) })),
);

const joinMatrix = (["well", "badly"] as const).flatMap((ended) => whens.map((when) => ({ ended, when, then: expected(ended, when) })));

const refusedRows: readonly { readonly claim: string; readonly works: readonly NewWork[]; readonly code: string }[] = [
  { claim: "one that comes after what nobody stored", works: [job("b", after("nobody", "well"))], code: "after-unknown" },
  { claim: "one that comes after what stands later in the atom", works: [job("b", after("a", "well")), job("a")], code: "after-unknown" },
  { claim: "one that comes after itself", works: [job("b", after("b", "well"))], code: "after-unknown" },
  { claim: "one that comes after an event", works: [event("e"), job("b", after("e", "well"))], code: "after-unknown" },
  { claim: "a join that comes after what nobody stored", works: [join("J", after("nobody", "well"))], code: "after-unknown" },
  {
    claim: "one that comes after more than it may",
    works: [job("a"), job("b", { after: Array.from({ length: afterMax + 1 }, () => ({ id: "a", when: "well" })) })],
    code: "option-invalid",
  },
];

export const cases: readonly Case[] = [
  ...matrix.flatMap(({ state, when, end, then }): Case[] => [
    {
      claim: `after "${when}" of one that ends ${state}: blocked, then ${then}`,
      run: async (stage) => {
        await stage.enqueue(first(state), job("b", after("a", when)));
        assert.deepEqual((await stage.row("b")).waits, { reason: "after", on: "a", since: start });
        stage.advance(3);
        await end(stage);
        const { state: is, reason, endedAt, history } = await stage.row("b");
        assert.equal(is, then);
        if (then === "ready") return;
        assert.equal(
          reason,
          then === "cancelled" ? `not started: it comes after job a, which is ${state}` : `not needed: it was for the failure of job a, which is ${state}`,
        );
        assert.deepEqual([endedAt, history.map((row) => row.is)], [start + 3, [then]]);
      },
    },
    {
      claim: `after "${when}" of one that has ended ${state}: judged at once, ${then}`,
      run: async (stage) => {
        await stage.enqueue(first(state));
        await end(stage);
        assert.deepEqual(await stage.enqueue(job("b", after("a", when))), [{ id: "b", isDuplicate: false, state: then }]);
      },
    },
  ]),
  ...joinMatrix.flatMap(({ ended, when, then }): Case[] => [
    {
      claim: `after "${when}" of a join that closes ${ended === "well" ? "without" : "with"} a failure: blocked, then ${then}`,
      run: async (stage) => {
        await stage.enqueue(join("J"), job("a", { join: "J" }), job("b", after("J", when)));
        assert.equal((await stage.row("b")).waits?.reason, "after");
        await endings[ended === "well" ? "completed" : "dead"].end(stage);
        const { state, reason } = await stage.row("b");
        assert.equal(state, then);
        if (then === "cancelled") assert.equal(reason, "not started: it comes after batch J, which failed");
        if (then === "skipped") assert.equal(reason, "not needed: it was for the failure of batch J, which succeeded");
      },
    },
    {
      claim: `after "${when}" of a join that has closed ${ended === "well" ? "without" : "with"} a failure: judged at once, ${then}`,
      run: async (stage) => {
        await stage.enqueue(join("J"), job("a", { join: "J" }));
        await endings[ended === "well" ? "completed" : "dead"].end(stage);
        assert.deepEqual(await stage.enqueue(job("b", after("J", when))), [{ id: "b", isDuplicate: false, state: then }]);
      },
    },
  ]),
  ...refusedRows.map(({ claim, works, code }): Case => ({
    claim: `${claim} refuses the atom whole: ${code}`,
    run: async (stage) => assert.equal(await stage.refused({ works: [job("good"), ...works] }), code),
  })),
  {
    claim: `as many predecessors as it may have, ${afterMax}, are taken`,
    run: async (stage) => {
      await stage.enqueue(...Array.from({ length: afterMax }, (_, index) => job(`a-${index}`)));
      await stage.enqueue(job("b", { after: Array.from({ length: afterMax }, (_, index) => ({ id: `a-${index}`, when: "ended" })) }));
      const ids = await stage.claimIds({ slots: 1_000 });
      await stage.settleAll(...ids.slice(1).map((id) => stage.outcome(id, "completed")));
      assert.deepEqual((await stage.row("b")).waits?.on, "a-0");
      await stage.settle("a-0", "dead");
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "it waits until all have ended, and tells the first of them that is open",
    run: async (stage) => {
      await stage.enqueue(job("x"), job("y"), job("z"), job("b", { after: ["x", "y", "z"].map((id) => ({ id, when: "well" })) }));
      await stage.claim();
      const on: (string | undefined)[] = [];
      for (const id of ["y", "x", "z"]) {
        on.push((await stage.row("b")).waits?.on);
        await stage.settle(id, "completed");
      }
      assert.deepEqual([on, await stage.state("b")], [["x", "x", "z"], "ready"]);
    },
  },
  {
    claim: "as soon as one has ended otherwise it ends, while others are open",
    run: async (stage) => {
      await stage.enqueue(job("x"), job("y"), job("b", { after: ["x", "y"].map((id) => ({ id, when: "well" })) }));
      await stage.claim();
      await stage.settle("y", "dead");
      assert.equal(await stage.state("b"), "cancelled");
      await stage.settle("x", "completed");
      assert.equal(await stage.state("b"), "cancelled");
    },
  },
  {
    claim: "where several ended otherwise, the first of its list decides",
    run: async (stage) => {
      const list: readonly After[] = [
        { id: "x", when: "badly" },
        { id: "y", when: "well" },
      ];
      await stage.enqueue(job("x"), job("y"), job("b", { after: list }), job("c", { after: list.toReversed() }));
      await stage.claim();
      await stage.settleAll(stage.outcome("x", "completed"), stage.outcome("y", "dead"));
      assert.equal(await stage.states("b", "c"), "skipped cancelled");
    },
  },
  {
    claim: "endings go on from one to the next in the same verb, the first stored first",
    run: async (stage) => {
      await stage.enqueue(
        job("a"),
        job("b", after("a", "well")),
        job("c", after("b", "well")),
        job("d", { after: [{ id: "c", when: "badly" }] }),
        job("e", {
          after: [
            { id: "c", when: "well" },
            { id: "a", when: "well" },
          ],
        }),
      );
      await stage.die("a");
      assert.equal(await stage.states("b", "c", "d", "e"), "cancelled cancelled ready cancelled");
      assert.match((await stage.row("e")).reason ?? "", /job c, which is cancelled/);
    },
  },
  {
    claim: "a chain of three runs one after the other",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", after("a", "well")), job("c", after("b", "well")));
      for (const id of ["a", "b", "c"]) assert.deepEqual(await stage.run(id), { id, is: "settled", state: "completed" });
    },
  },
  {
    claim: "a claimed job is told that something ended before it",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", after("a", "well")));
      await stage.run("a");
      assert.deepEqual(
        (await stage.claim()).jobs.map(({ id, isAfter }) => [id, isAfter]),
        [["b", true]],
      );
      assert.deepEqual((await stage.row("b")).after, [{ id: "a", when: "well" }]);
    },
  },
  {
    claim: "an id that lost its unique key in the same atom means the winner",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(job("winner", { unique }));
      await stage.enqueue(job("loser", { unique }), job("b", after("loser", "well")), join("J", after("loser", "well")));
      assert.deepEqual([(await stage.row("b")).after, (await stage.joinRow("J")).after], [[{ id: "winner", when: "well" }], [{ id: "winner", when: "well" }]]);
      await stage.run("winner");
      assert.deepEqual([await stage.state("b"), (await stage.joinRow("J")).state], ["ready", "closed"]);
    },
  },
  {
    claim: "a winner that was deleted is in nobody's way",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "throttle", windowMs: 60_000 } } as const;
      await stage.enqueue(job("winner", { unique }));
      await stage.die("winner");
      await stage.changeOne("winner", { do: "delete" });
      await stage.enqueue(job("loser", { unique }), job("b", after("loser", "well")));
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "a predecessor that ended as asked and is deleted is in nobody's way",
    run: async (stage) => {
      await stage.enqueue(job("x"), job("y"), job("b", { after: ["x", "y"].map((id) => ({ id, when: "well" })) }));
      await stage.claim();
      await stage.settle("x", "completed");
      assert.equal(await stage.changeOne("x", { do: "delete" }), "deleted");
      assert.equal(await stage.state("b"), "blocked");
      await stage.settle("y", "completed");
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "one that was parked and lives again is waited for again",
    run: async (stage) => {
      await stage.enqueue(member("x", "block"), job("y"), job("b", { after: ["x", "y"].map((id) => ({ id, when: "ended" })) }));
      await stage.claim();
      await stage.settle("x", "dead");
      await stage.retry("x");
      await stage.settle("y", "completed");
      assert.equal(await stage.state("b"), "blocked");
      await stage.run("x");
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "a redrive of what ended badly does not bring back what was cancelled for it",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", after("a", "well")), job("c", after("a", "badly")));
      await stage.die("a");
      await stage.retry("a");
      assert.equal(await stage.states("a", "b", "c"), "ready cancelled ready");
      assert.equal(await stage.retry("b"), "ended");
    },
  },
  {
    claim: "one that waits can be cancelled, and is not let go any more",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", after("a", "ended")));
      assert.equal(await stage.retry("b"), "waiting");
      assert.equal(await stage.cancel("b"), "cancelled");
      await stage.run("a");
      assert.equal(await stage.state("b"), "cancelled");
    },
  },
  {
    claim: "follow-up work may come after the job that hands it over, and after what stands earlier in it",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      const follow = [job("b", after("a", "well")), job("c", after("b", "well")), job("d", after("a", "badly"))];
      await stage.run("a", "completed", { follow });
      assert.equal(await stage.states("b", "c", "d"), "ready blocked skipped");
    },
  },
  {
    claim: "what comes after one that retries waits on",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b", after("a", "ended")));
      await stage.run("a", "retry");
      await stage.run("a", "snoozed");
      assert.equal(await stage.state("b"), "blocked");
      await stage.run("a");
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "a known job is a duplicate, whatever it comes after this time",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.enqueue(job("a", after("nobody", "well"))), [{ id: "a", isDuplicate: true, state: "ready" }]);
    },
  },
  {
    claim: "members of a join may come after each other, and end with each other",
    run: async (stage) => {
      const inJ = { join: "J" };
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ), job("b", { ...inJ, ...after("a", "well") }));
      assert.equal((await stage.row("b")).waits?.reason, "join");
      await stage.enqueue(join("J"));
      assert.deepEqual((await stage.row("b")).waits, { reason: "after", on: "a", since: start });
      await stage.die("a");
      assert.deepEqual([await stage.state("b"), await stage.joinState("J")], ["cancelled", "closed 0 live 0 succeeded 2 failed"]);
    },
  },
  {
    claim: "a staged member whose predecessor ends otherwise ends at once",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J", { isSealed: false }), job("b", { join: "J", ...after("a", "badly") }));
      await stage.run("a");
      assert.deepEqual([await stage.state("b"), await stage.joinState("J")], ["skipped", "staged 0 live 1 succeeded 0 failed"]);
    },
  },
  {
    claim: "more than one verb may let go is let go by tidy, by order of enqueue",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      for (let atom = 0; atom < 3; atom += 1) await stage.enqueue(...Array.from({ length: 400 }, (_, index) => job(`${atom}-${index}`, after("a", "well"))));
      await stage.run("a");
      assert.deepEqual(await stage.counts(), { "mail send completed": 1, "mail send ready": 1_000, "mail send blocked": 200 });
      assert.equal(await stage.states("2-199", "2-200"), "ready blocked");
      await stage.tidy(150);
      assert.equal(await stage.states("2-349", "2-350"), "ready blocked");
      await stage.tidy(150);
      assert.deepEqual(await stage.counts(), { "mail send completed": 1, "mail send ready": 1_200 });
    },
  },
  {
    claim: "tidy counts what ended because of what it came after",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      for (let atom = 0; atom < 3; atom += 1) await stage.enqueue(...Array.from({ length: 400 }, (_, index) => job(`${atom}-${index}`, after("a", "badly"))));
      await stage.run("a");
      const { dropped, hasMore } = await stage.tidy(150);
      assert.deepEqual([dropped, hasMore], [150, true]);
      assert.equal((await stage.tidy(150)).dropped, 50);
    },
  },
];
