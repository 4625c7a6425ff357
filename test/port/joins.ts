/** Joins (G11): their life, from staged to closed. What counts, and who is adopted, is in joinMembers.ts; predecessors are in after.ts. */
import assert from "node:assert/strict";
import type { NewWork } from "../../src/core/engine.ts";
import { event, fillJoin, job, join, member, start } from "./stage.ts";
import type { Case, JobOptions } from "./stage.ts";

const inJ: JobOptions = { join: "J" };

/** Works of an atom after those of `before`, and the code that refuses it. */
const refusedRows: readonly { readonly claim: string; readonly before?: readonly NewWork[]; readonly works: readonly NewWork[]; readonly code: string }[] = [
  { claim: "a member of a join that nobody stored", works: [job("a", { join: "nobody" })], code: "after-unknown" },
  { claim: "a member before its join, in one atom", works: [job("a", inJ), join("J")], code: "after-unknown" },
  { claim: "a join within one that nobody stored", works: [join("J", { join: "nobody" })], code: "after-unknown" },
  { claim: "a join within itself", works: [join("J", { join: "J" })], code: "after-unknown" },
  { claim: "a job's id where a join is named", works: [job("x"), job("a", { join: "x" })], code: "after-unknown" },
  { claim: "an event's id where a join is named", works: [event("x"), job("a", { join: "x" })], code: "after-unknown" },
  { claim: "a known join with other content", before: [join("J")], works: [join("J", { content: "other" })], code: "id-conflict" },
  { claim: "a join twice in one atom, with different content", works: [join("J"), join("J", { content: "other" })], code: "id-conflict" },
  { claim: "a new member of a join that has closed", before: [join("J")], works: [job("a", inJ)], code: "join-closed" },
  { claim: "a new join within one that has closed", before: [join("J")], works: [join("K", inJ)], code: "join-closed" },
  { claim: "a member that comes after its own join", works: [join("J"), job("a", { ...inJ, after: [{ id: "J", when: "ended" }] })], code: "graph-cycle" },
  {
    claim: "a member that comes after a join around its own",
    before: [join("P", { isSealed: false })],
    works: [join("K", { join: "P" }), join("J", { join: "K" }), job("a", { ...inJ, after: [{ id: "P", when: "ended" }] })],
    code: "graph-cycle",
  },
  {
    claim: "a join within one that it comes after",
    before: [join("P", { isSealed: false })],
    works: [join("J", { join: "P", after: [{ id: "P", when: "well" }] })],
    code: "graph-cycle",
  },
  { claim: "sealing with fewer members than it has by `size`", works: [join("J", { size: 2 }), job("a", inJ)], code: "join-incomplete" },
  {
    claim: "sealing what was stored in parts, one of which is missing",
    before: [join("J", { isSealed: false }), job("a", inJ)],
    works: [job("b", inJ), join("J", { size: 3 })],
    code: "join-incomplete",
  },
];

/** Works of one atom, and what becomes of its join. */
const bornRows: readonly { readonly claim: string; readonly works: readonly NewWork[]; readonly state: string }[] = [
  { claim: "a sealed join without a member closes at once, without a failure", works: [join("J")], state: "closed 0 live 0 succeeded 0 failed" },
  { claim: "a sealed join with members is open", works: [join("J"), job("a", inJ), job("b", inJ)], state: "open 2 live 0 succeeded 0 failed" },
  { claim: "a join that is not sealed is staged", works: [join("J", { isSealed: false }), job("a", inJ)], state: "staged 1 live 0 succeeded 0 failed" },
  { claim: "a staged join without a member does not close", works: [join("J", { isSealed: false })], state: "staged 0 live 0 succeeded 0 failed" },
  {
    claim: "a join within a staged one waits",
    works: [join("P", { isSealed: false }), join("J", { join: "P" })],
    state: "waiting 0 live 0 succeeded 0 failed",
  },
  { claim: "a join within an open one is open", works: [join("P"), join("J", { join: "P" }), job("a", inJ)], state: "open 1 live 0 succeeded 0 failed" },
  {
    claim: "a join that comes after an open job waits",
    works: [job("x"), join("J", { after: [{ id: "x", when: "well" }] })],
    state: "waiting 0 live 0 succeeded 0 failed",
  },
  {
    claim: "a join of as many members as its size is sealed",
    works: [join("J", { size: 2 }), job("a", inJ), job("b", inJ)],
    state: "open 2 live 0 succeeded 0 failed",
  },
  { claim: "more members than its size do no harm", works: [join("J", { size: 1 }), job("a", inJ), job("b", inJ)], state: "open 2 live 0 succeeded 0 failed" },
];

export const cases: readonly Case[] = [
  ...refusedRows.map(({ claim, before = [], works, code }): Case => ({
    claim: `${claim} refuses the atom whole: ${code}`,
    run: async (stage) => {
      await stage.enqueue(...before);
      assert.equal(await stage.refused({ works: [job("good"), ...works], notes: [{ key: "n", value: "1" }] }), code);
    },
  })),
  ...bornRows.map(({ claim, works, state }): Case => ({
    claim,
    run: async (stage) => {
      const answers = await stage.enqueue(...works);
      assert.ok(answers.every(({ isDuplicate }) => !isDuplicate));
      assert.equal(await stage.joinState("J"), state);
    },
  })),
  {
    claim: "a join is told whole",
    run: async (stage) => {
      await stage.enqueue(join("P", { name: "month" }), job("x"));
      await stage.enqueue(join("Q", { isSealed: false }));
      stage.advance(5);
      await stage.enqueue(join("J", { join: "Q", name: "chain", after: [{ id: "x", when: "ended" }] }), job("a", inJ));
      assert.deepEqual(await stage.joinRow("J"), {
        id: "J",
        name: "chain",
        state: "waiting",
        isCancelled: false,
        members: 1,
        live: 1,
        succeeded: 0,
        failed: 0,
        storedAt: start + 5,
        join: "Q",
        after: [{ id: "x", when: "ended" }],
      });
      const closed = await stage.joinRow("P");
      assert.deepEqual([closed.state, closed.closedAt, closed.name], ["closed", start, "month"]);
    },
  },
  {
    claim: "until their join is open its members are blocked on it, hold no worker, no lane and no limit; then they are let go",
    run: async (stage) => {
      const limited = { keyLimits: [{ key: "k", is: { running: 1 } }], join: "J" };
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ), member("b", "park", inJ), job("c", limited));
      for (const id of ["a", "b", "c"]) assert.deepEqual((await stage.row(id)).waits, { reason: "join", on: "J", since: start });
      await stage.enqueue(member("in lane", "park"), job("limited", { keyLimits: limited.keyLimits }));
      assert.deepEqual(await stage.claimIds(), ["in lane", "limited"]);
      await stage.enqueue(join("J"));
      assert.equal(await stage.joinState("J"), "open 3 live 0 succeeded 0 failed");
      assert.equal(await stage.states("a", "b", "c"), "ready blocked blocked");
      assert.deepEqual([(await stage.row("b")).waits?.reason, (await stage.row("c")).waits?.reason], ["key", "limit"]);
    },
  },
  {
    claim: "the same join again is the same join; sealing it is remembered, and not sealing it changes nothing",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ));
      assert.deepEqual(await stage.enqueue(join("J"), job("b", inJ)), [
        { id: "J", isDuplicate: true },
        { id: "b", isDuplicate: false, state: "ready" },
      ]);
      assert.deepEqual(await stage.enqueue(join("J", { isSealed: false })), [{ id: "J", isDuplicate: true }]);
      assert.equal(await stage.joinState("J"), "open 2 live 0 succeeded 0 failed");
    },
  },
  {
    claim: "a stored join stays where it is, also where the same is stored again as one within itself",
    run: async (stage) => {
      await stage.enqueue(job("x"), join("J", { isSealed: false }));
      await stage.enqueue(join("J", { join: "J" }), job("a", { ...inJ, after: [{ id: "x", when: "well" }] }));
      assert.deepEqual([(await stage.joinRow("J")).join, await stage.joinState("J")], [undefined, "open 1 live 0 succeeded 0 failed"]);
    },
  },
  {
    claim: "an atom that was stored is the same again, also when its join has closed",
    run: async (stage) => {
      const works = [join("J", { size: 1 }), job("a", inJ)];
      await stage.enqueue(...works);
      await stage.run("a");
      assert.equal(await stage.joinState("J"), "closed 0 live 1 succeeded 0 failed");
      assert.deepEqual(await stage.enqueue(...works), [
        { id: "J", isDuplicate: true },
        { id: "a", isDuplicate: true, state: "completed" },
      ]);
      assert.equal(await stage.joinState("J"), "closed 0 live 1 succeeded 0 failed");
    },
  },
  {
    claim: "an atom whose join has closed is the same again also where it holds works that would be new now: nothing of them is stored",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(job("winner", { unique }));
      const works = [
        join("J"),
        job("a", inJ),
        job("loser", { ...inJ, unique }),
        join("K", inJ),
        job("k", { join: "K" }),
        job("then", { after: [{ id: "loser", when: "ended" }] }),
      ];
      await stage.enqueue(...works);
      for (const id of ["winner", "a", "k", "then"]) await stage.run(id);
      await stage.changeOne("k", { do: "delete" });
      assert.deepEqual(
        (await stage.enqueue(...works)).map(({ id, isDuplicate, state }) => [id, isDuplicate, state]),
        [
          ["J", true, undefined],
          ["a", true, "completed"],
          ["loser", true, undefined],
          ["K", true, undefined],
          ["k", true, undefined],
          ["then", true, "completed"],
        ],
      );
      assert.equal(await stage.states("loser", "k"), "unknown unknown");
      assert.equal(await stage.refused({ works: [job("loser", { ...inJ, unique })] }), "join-closed");
    },
  },
  {
    claim: "a large batch is stored in several atoms: nothing starts before it is sealed, with all it was given",
    run: async (stage) => {
      for (let atom = 0; atom < 3; atom += 1) {
        await stage.enqueue(join("J", { isSealed: false }), ...Array.from({ length: 400 }, (_, index) => job(`${atom}-${index}`, inJ)));
        assert.deepEqual(await stage.claimIds(), []);
      }
      await stage.enqueue(join("J", { size: 1_200 }));
      // The first 1,000 are let go in the same verb, by order of enqueue; the rest by tidy.
      assert.deepEqual(await stage.counts(), { "mail send ready": 1_000, "mail send blocked": 200 });
      assert.equal(await stage.states("2-199", "2-200"), "ready blocked");
      assert.equal((await stage.row("2-200")).waits?.reason, "join");
      const { released, hasMore } = await stage.tidy(150);
      assert.deepEqual([released, hasMore], [150, true]);
      const last = await stage.tidy(150);
      assert.deepEqual([last.released, last.hasMore], [50, false]);
      assert.deepEqual(await stage.counts(), { "mail send ready": 1_200 });
    },
  },
  {
    claim: "a member of an open join goes on at once, also while older ones are not let go yet",
    run: async (stage) => {
      await fillJoin(stage, 1_100);
      await stage.enqueue(job("late", inJ));
      assert.equal(await stage.state("late"), "ready");
    },
  },
  {
    claim: "a join with members that are not let go yet does not close",
    run: async (stage) => {
      await fillJoin(stage, 1_100);
      const claimed = await stage.claimIds({ slots: 1_000 });
      await stage.settleAll(...claimed.map((id) => stage.outcome(id, "completed")));
      assert.equal(await stage.joinState("J"), "open 100 live 1000 succeeded 0 failed");
      await stage.tidy();
      const rest = await stage.claimIds({ slots: 1_000 });
      await stage.settleAll(...rest.map((id) => stage.outcome(id, "completed")));
      assert.equal(await stage.joinState("J"), "closed 0 live 1100 succeeded 0 failed");
    },
  },
  {
    claim: "the join closes in the verb that ends its last member",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), job("b", inJ), job("c", inJ));
      await stage.run("a");
      await stage.run("b", "dead", { reason: "broken" });
      stage.advance(7);
      assert.equal(await stage.joinState("J"), "open 1 live 1 succeeded 1 failed");
      await stage.cancel("c");
      assert.equal(await stage.joinState("J"), "closed 0 live 1 succeeded 2 failed");
      assert.equal((await stage.joinRow("J")).closedAt, start + 7);
    },
  },
  {
    claim: "joins within joins: the inner one opens with the outer one, and the outer one closes after it",
    run: async (stage) => {
      await stage.enqueue(join("P", { isSealed: false }), join("J", { join: "P" }), job("a", inJ), job("b", { join: "P" }));
      assert.equal(await stage.states("a", "b"), "blocked blocked");
      assert.equal(await stage.joinState("J"), "waiting 1 live 0 succeeded 0 failed");
      await stage.enqueue(join("P"));
      assert.equal(await stage.states("a", "b"), "ready ready");
      await stage.die("a");
      assert.equal(await stage.joinState("J"), "closed 0 live 0 succeeded 1 failed");
      assert.equal(await stage.joinState("P"), "open 1 live 0 succeeded 1 failed");
      await stage.run("b");
      assert.equal(await stage.joinState("P"), "closed 0 live 1 succeeded 1 failed");
    },
  },
  {
    claim: "an inner join that is staged holds the outer one open until it is sealed",
    run: async (stage) => {
      await stage.enqueue(join("P"), join("J", { join: "P", isSealed: false }));
      assert.equal(await stage.joinState("P"), "open 1 live 0 succeeded 0 failed");
      await stage.enqueue(job("a", inJ));
      assert.equal(await stage.state("a"), "blocked");
      await stage.enqueue(join("J", { join: "P" }));
      assert.equal(await stage.state("a"), "ready");
      await stage.run("a");
      assert.deepEqual([await stage.joinState("J"), await stage.joinState("P")], ["closed 0 live 1 succeeded 0 failed", "closed 0 live 1 succeeded 0 failed"]);
    },
  },
  {
    claim: "empty joins within empty joins all close at once",
    run: async (stage) => {
      await stage.enqueue(join("P"), join("Q", { join: "P" }), join("J", { join: "Q" }));
      for (const id of ["P", "Q", "J"]) assert.equal((await stage.joinRow(id)).state, "closed");
      assert.equal(await stage.joinState("P"), "closed 0 live 1 succeeded 0 failed");
    },
  },
  {
    claim: "times of a member count from its being let go, but those that were stated as instants",
    run: async (stage) => {
      await stage.enqueue(
        join("J", { isSealed: false }),
        job("delayed", { ...inJ, delayMs: 100, startWithinMs: 1_000 }),
        job("stated", { ...inJ, dueAt: start + 50, startBy: start + 600, headStartMs: 7 }),
        job("late", { ...inJ, startBy: start + 20 }),
      );
      assert.equal((await stage.row("delayed")).startBy, undefined);
      stage.advance(500);
      await stage.enqueue(join("J"));
      const [delayed, stated] = [await stage.row("delayed"), await stage.row("stated")];
      assert.deepEqual([delayed.state, delayed.dueAt, delayed.startBy, delayed.urgency], ["scheduled", start + 600, start + 1_500, start + 100]);
      assert.deepEqual([stated.state, stated.startBy, stated.urgency], ["ready", start + 600, start + 43]);
      const late = await stage.row("late");
      assert.deepEqual([late.state, late.reason?.startsWith("too late")], ["skipped", true]);
    },
  },
  {
    claim: "in their lane members that are let go stand by order of enqueue among those that wait there then",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), member("early", "park", inJ));
      await stage.enqueue(member("first", "park"), member("second", "park"));
      await stage.enqueue(join("J"));
      const order: string[] = [];
      for (let turn = 0; turn < 3; turn += 1) {
        const [id = ""] = await stage.claimIds();
        order.push(id);
        await stage.settle(id, "completed");
      }
      assert.deepEqual(order, ["first", "early", "second"]);
    },
  },
  {
    claim: "a member that is let go into a closed lane is parked",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), member("a", "park", inJ), member("dies", "park"));
      await stage.die("dies");
      await stage.enqueue(join("J"));
      assert.deepEqual([await stage.state("a"), await stage.joinState("J")], ["parked", "closed 0 live 0 succeeded 1 failed"]);
    },
  },
  {
    claim: "a staged member holds its unique key",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(join("J", { isSealed: false }), job("a", { ...inJ, unique }));
      assert.deepEqual(await stage.enqueue(job("b", { unique })), [{ id: "a", isDuplicate: true, state: "blocked" }]);
    },
  },
  {
    claim: "staged members are found and counted like others",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ), job("b", { ...inJ, delayMs: 5 }));
      assert.deepEqual(await stage.counts(), { "mail send blocked": 2 });
      assert.deepEqual((await stage.row("a")).joins, ["J"]);
    },
  },
  {
    claim: "a claimed member is told its join",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), job("b"));
      assert.deepEqual(
        (await stage.claim()).jobs.map((claimed) => [claimed.id, claimed.join]),
        [
          ["a", "J"],
          ["b", undefined],
        ],
      );
    },
  },
  {
    claim: "a member can be cancelled, reprioritised and replaced while its join is staged",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "replace" } } as const;
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ), job("b", { ...inJ, unique, delayMs: 5 }), job("c", inJ));
      assert.equal(await stage.cancel("a"), "cancelled");
      assert.equal(await stage.retry("c"), "waiting");
      assert.equal(await stage.changeOne("c", { do: "prioritise", headStartMs: 90 }), "prioritised");
      await stage.enqueue(job("b2", { unique, delayMs: 70, payload: '"new"' }));
      assert.equal(await stage.joinState("J"), "staged 2 live 0 succeeded 1 failed");
      stage.advance(1_000);
      await stage.enqueue(join("J"));
      const b = await stage.row("b");
      assert.deepEqual([b.payload, b.state, b.dueAt, (await stage.row("c")).urgency], ['"new"', "scheduled", start + 1_070, start - 90]);
    },
  },
];
