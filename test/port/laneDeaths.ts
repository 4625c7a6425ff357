/** What the death of a member does to its lane (G7): continue, block, park; and how a person opens it again. */
import assert from "node:assert/strict";
import { job, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const key = 'send["k"]';

/** Ways in which "b", the head of its lane, which must start within 10 ms, makes room at 9 ms. */
const admissions: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  settle: (stage) => stage.run("b"),
  "a claim that settles": (stage) => stage.claim().then(() => stage.claim({ slots: 0, settling: [stage.outcome("b", "completed")] })),
  change: (stage) => stage.cancel("b"),
  tidy: async (stage) => {
    stage.advance(2);
    await stage.tidy();
  },
};

export const cases: readonly Case[] = [
  {
    claim: "continue: the one that died is dead, and the next starts",
    run: async (stage) => {
      await stage.enqueue(member("a", "continue"), member("b", "continue"));
      await stage.die("a");
      assert.equal(await stage.states("a", "b"), "dead ready");
    },
  },
  {
    claim: "block: the one that died is parked, those behind and those that arrive stay blocked",
    run: async (stage) => {
      await stage.enqueue(member("a", "block"), member("b", "block"));
      assert.deepEqual(await stage.die("a"), { id: "a", is: "settled", state: "parked" });
      await stage.enqueue(member("c", "block"));
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c"), "parked blocked blocked");
      assert.deepEqual(await stage.claimIds(), []);
      const { waits, reason } = await stage.row("a");
      assert.deepEqual([waits?.reason, waits?.on, reason], ["parked", key, "broken"]);
    },
  },
  {
    claim: "block: nobody behind it is admitted, though it was alone, or the lane is wide and others end",
    run: async (stage) => {
      await stage.enqueue(member("a", "block"));
      await stage.die("a");
      assert.equal((await stage.enqueue(member("b", "block")))[0]?.state, "blocked");
      const wide = { lane: { key: "wide", width: 2, ifDead: "block" } } as const;
      await stage.enqueue(...["x", "y", "z"].map((id) => job(id, wide)));
      await stage.claim();
      await stage.settle("x", "dead", { reason: "broken" });
      await stage.settle("y", "completed");
      await stage.tidy();
      assert.equal(await stage.states("b", "x", "y", "z"), "blocked parked completed blocked");
      await stage.retry("x");
      assert.deepEqual(await stage.claimIds({ process: "p2" }), ["x", "z"]);
    },
  },
  {
    claim: "park in a wide lane: the first death closed it, whoever dies after",
    run: async (stage) => {
      await stage.enqueue(member("a", "park", {}, 2), member("b", "park", {}, 2));
      await stage.claim();
      await stage.settle("b", "dead", { reason: "broken" });
      stage.advance(1);
      await stage.settle("a", "dead", { reason: "broken" });
      assert.deepEqual((await stage.engine.find({ of: "lanes", limit: 10 }, stage.at)).rows, [{ lane: key, closedBy: "b", closedAt: start }]);
      assert.equal(await stage.retry("b"), "retried");
      assert.deepEqual(await stage.claimIds({ process: "p2" }), ["a", "b"]);
    },
  },
  {
    claim: "block: redriven it runs first, its attempts anew, its history kept",
    run: async (stage) => {
      await stage.enqueue(member("a", "block"), member("b", "block"));
      await stage.die("a");
      assert.equal(await stage.retry("a"), "retried");
      const { attempts, starts, suspects, history } = await stage.row("a");
      assert.deepEqual([attempts, starts, suspects, history.length], [0, 0, 0, 1]);
      await stage.run("a");
      await stage.run("b");
    },
  },
  {
    claim: "block: when it is cancelled the next is admitted",
    run: async (stage) => {
      await stage.enqueue(member("a", "block"), member("b", "block"), member("c", "block", { delayMs: 50 }));
      await stage.die("a");
      assert.equal(await stage.cancel("a"), "cancelled");
      assert.equal(await stage.states("a", "b", "c"), "cancelled ready blocked");
      await stage.die("b");
      await stage.cancel("b");
      assert.equal(await stage.state("c"), "scheduled");
    },
  },
  {
    claim: "block: cancelling it skips the next if that is too late by now",
    run: async (stage) => {
      await stage.enqueue(member("a", "block"), member("b", "block", { startWithinMs: 10 }), member("c", "block"));
      await stage.die("a");
      stage.advance(11);
      await stage.cancel("a");
      assert.equal(await stage.states("b", "c"), "skipped ready");
    },
  },
  {
    claim: "park: it and all behind it are parked, those that arrive at once, and none of them starts meanwhile",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park"), member("c", "park"));
      await stage.die("a");
      assert.equal(await stage.state("a"), "parked");
      assert.deepEqual(await stage.enqueue(member("d", "park")), [{ id: "d", isDuplicate: false, state: "parked" }]);
      assert.deepEqual(await stage.claimIds(), []);
      assert.equal((await stage.tidy(1)).hasMore, true);
      assert.deepEqual(await stage.claimIds(), []);
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c", "d"), "parked parked parked parked");
      for (const id of ["a", "b", "c", "d"]) {
        const { waits, reason } = await stage.row(id);
        assert.deepEqual([waits?.reason, waits?.on, reason], ["parked", key, id === "a" ? "broken" : undefined], id);
      }
      assert.deepEqual(await stage.claimIds(), []);
    },
  },
  ...["a", "b", "c"].map((redriven): Case => ({
    claim: `park: redriving ${redriven} opens the lane, and all members run in their order`,
    run: async (stage) => {
      await closedLane(stage);
      assert.equal(await stage.retry(redriven), "retried");
      for (const id of ["a", "b", "c"]) await stage.run(id);
    },
  })),
  ...([1, 2] as const).map((limit): Case => ({
    claim: `park: redriven with a limit of ${limit}, the members still run in their order, with tidies in between or not`,
    run: async (stage) => {
      await closedLane(stage);
      await stage.enqueue(member("d", "park"), member("e", "park"));
      assert.equal(await stage.retry("a", limit), "retried");
      await stage.enqueue(member("f", "park"));
      await stage.run("a");
      await stage.tidy(1);
      await stage.run("b");
      await stage.claim({ slots: 0 });
      await stage.run("c");
      await stage.tidy(1);
      for (const id of ["d", "e", "f"]) await stage.run(id);
    },
  })),
  {
    claim: "park: the one that died begins anew when its lane opens, also when another was redriven",
    run: async (stage) => {
      await closedLane(stage);
      await stage.retry("c");
      const { attempts, starts, history } = await stage.row("a");
      assert.deepEqual([attempts, starts, history.length], [0, 0, 1]);
    },
  },
  {
    claim: "park: a member that is not due yet when its turn comes is scheduled; one that is too late is skipped",
    run: async (stage) => {
      await stage.enqueue(
        member("a", "park"),
        member("late", "park", { startWithinMs: 10 }),
        member("later", "park", { delayMs: 1_000 }),
        member("last", "park"),
      );
      await stage.die("a");
      await stage.tidy();
      stage.advance(20);
      await stage.retry("a", 1);
      await stage.run("a");
      assert.equal(await stage.states("late", "later", "last"), `skipped scheduled ${await stage.state("last")}`);
      assert.ok(["parked", "blocked"].includes(await stage.state("last")));
    },
  },
  {
    claim: "park: cancelling the one that died does not open the lane",
    run: async (stage) => {
      await closedLane(stage);
      assert.equal(await stage.cancel("a"), "cancelled");
      await stage.enqueue(member("d", "park"));
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c", "d"), "cancelled parked parked parked");
      assert.equal(await stage.retry("c"), "retried");
      for (const id of ["b", "c", "d"]) await stage.run(id);
    },
  },
  {
    claim: "park: redriving one of several dies again: the lane closes again",
    run: async (stage) => {
      await closedLane(stage);
      await stage.retry("a");
      await stage.die("a");
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c"), "parked parked parked");
    },
  },
  {
    claim: "park: a closed lane is listed; without live members it is forgotten",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park"));
      stage.advance(7);
      await stage.die("a");
      const lanes = async (): Promise<unknown> => (await stage.engine.find({ of: "lanes", limit: 10 }, stage.at)).rows;
      assert.deepEqual(await lanes(), [{ lane: key, closedBy: "a", closedAt: start + 7 }]);
      await stage.cancel("a");
      assert.deepEqual(await lanes(), [{ lane: key, closedBy: "a", closedAt: start + 7 }]);
      await stage.cancel("b");
      assert.deepEqual(await lanes(), []);
      assert.equal((await stage.enqueue(member("c", "park")))[0]?.state, "ready");
    },
  },
  {
    claim: "park: an opened lane is not listed",
    run: async (stage) => {
      await closedLane(stage);
      await stage.retry("b");
      assert.deepEqual((await stage.engine.find({ of: "lanes", limit: 10 }, stage.at)).rows, []);
    },
  },
  {
    claim: "park in a wide lane: members that were admitted are parked too, ready and scheduled ones; running ones go on",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c", "d"].map((id) => member(id, "park", {}, 4)));
      assert.deepEqual(await stage.claimIds({ slots: 3 }), ["a", "b", "c"]);
      await stage.settle("b", "retry", { delayMs: 1_000 });
      await stage.settle("a", "dead", { reason: "broken" });
      await stage.tidy();
      assert.equal(await stage.states("a", "b", "c", "d"), "parked parked running parked");
      assert.equal((await stage.settle("c", "completed")).state, "completed");
      assert.deepEqual(await stage.claimIds(), []);
    },
  },
  {
    claim: "park in a wide lane: a running member of a closed lane that does not end does not start again",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c", "d", "e"].map((id) => member(id, "park", {}, 5)));
      await stage.claim();
      await stage.settle("a", "dead", { reason: "broken" });
      await stage.settle("b", "retry");
      await stage.settle("c", "released");
      await stage.settle("d", "snoozed", { delayMs: 10 });
      await stage.crash();
      await stage.tidy();
      assert.deepEqual(await stage.claimIds(), []);
      assert.equal(await stage.states("a", "b", "c", "d", "e"), "parked parked parked parked parked");
    },
  },
  {
    claim: "continue: redriven, the dead one takes its place in the order again",
    run: async (stage) => {
      await stage.enqueue(member("a", "continue"), member("b", "continue"), member("c", "continue"));
      await stage.die("a");
      await stage.claim();
      assert.equal(await stage.retry("a"), "retried");
      assert.equal(await stage.states("a", "b", "c"), "blocked running blocked");
      await stage.settle("b", "completed");
      await stage.run("a");
      await stage.run("c");
    },
  },
  {
    claim: "a dead one that is redriven into a closed lane is parked",
    run: async (stage) => {
      await stage.enqueue(member("a", "continue"), member("b", "park"), member("c", "park"));
      await stage.die("a");
      await stage.die("b");
      assert.equal(await stage.retry("a"), "retried");
      assert.equal(await stage.state("a"), "parked");
    },
  },
  {
    claim: "a dead one without a lane is redriven to ready",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.die("a");
      assert.equal(await stage.retry("a"), "retried");
      await stage.run("a");
    },
  },
  ...(
    [
      ["ready", {}],
      ["scheduled", { delayMs: 1_000_000 }],
      ["skipped", { startWithinMs: 5 }],
    ] as const
  ).flatMap(([state, options]) =>
    Object.entries(admissions).map(([verb, makeRoom]): Case => ({
      claim: `park: in an opened lane, ${verb} admits one that is still parked: it is ${state}`,
      run: async (stage) => {
        await stage.enqueue(member("a", "park"), member("b", "park", { startWithinMs: 10 }), member("c", "park", options), member("d", "park"));
        await stage.die("a");
        await stage.tidy();
        // The limit leaves the rest of the lane to later passes.
        await stage.retry("a", 1);
        stage.advance(9);
        await stage.run("a");
        await makeRoom(stage);
        assert.equal(await stage.state("c"), state);
      },
    })),
  ),
  ...(
    [
      ["ready", {}],
      ["scheduled", { delayMs: 1_000_000 }],
      ["skipped", { startWithinMs: 5 }],
    ] as const
  ).map(([state, options]): Case => ({
    claim: `park: redriving a later member admits the first: it is ${state}`,
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park", options), member("c", "park"));
      await stage.die("a");
      await stage.tidy();
      await stage.cancel("a");
      stage.advance(9);
      await stage.retry("c");
      assert.equal(await stage.state("b"), state);
    },
  })),
];

/** a, b and c, of which a died: all parked. */
async function closedLane(stage: Stage): Promise<void> {
  await stage.enqueue(member("a", "park"), member("b", "park"), member("c", "park"));
  await stage.die("a");
  await stage.tidy();
  assert.equal(await stage.states("a", "b", "c"), "parked parked parked");
}
