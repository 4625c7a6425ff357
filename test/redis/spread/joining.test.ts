/** Joins, and what comes after something, where members and predecessors are in several homes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { event, job, join } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { lane, running, unique, Way } from "./way.ts";
import type { Sent } from "./way.ts";

const skip = redisMissing ?? false;

function within(claim: string, run: (way: Way) => Promise<void>): void {
  it(claim, { skip }, async () => {
    await using way = await Way.of();
    await run(way);
  });
}

/** A work that knows where its join is. */
function memberOf(id: string, joinHome: number, work: Sent): Sent {
  return { ...work, join: id, joinHome } as Sent;
}

/** A work that knows where those are that it comes after. */
function behind(work: Sent, ...after: readonly { readonly id: string; readonly when: "well" | "badly" | "ended"; readonly home: number }[]): Sent {
  return { ...work, after } as Sent;
}

describe("a join whose members have lanes elsewhere", () => {
  within("holds them until it is sealed, and closes when the last one has ended there", async (way) => {
    const [j, l] = [way.id("j", 0), way.name("l", 1)];
    await way.enqueue(0, join(j, { isSealed: false }), memberOf(j, 0, job("a", lane(l))), memberOf(j, 0, job("b", lane(l))));
    assert.deepEqual([await way.seen("a"), await way.seen("b")], [["0 blocked"], ["0 blocked"]]);
    await way.enqueue(0, join(j, { isSealed: true }));
    assert.deepEqual(
      [await way.seen("a"), await way.seen("b")],
      [
        ["(0 away)", "1 ready"],
        ["(0 away)", "1 blocked"],
      ],
    );
    assert.equal((await way.claim(1))[0]?.join, j);
    await way.settle("a", "completed");
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 1, failed: 0 });
    await way.started(1);
    await way.settle("b", "dead");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 1, failed: 1 });
  });

  within("is enqueued from any home, in one atom", async (way) => {
    const [j, l] = [way.id("j", 0), way.name("l", 1)];
    const answers = await way.enqueue(2, job("x"), join(j), memberOf(j, 0, job("a", lane(l))), behind(job("b"), { id: j, when: "well", home: 0 }));
    assert.deepEqual(
      answers.map(({ id, state, forwarded }: (typeof answers)[number] & { forwarded?: number }) => [id, state ?? forwarded]),
      [
        ["x", "ready"],
        [j, 0],
        ["a", 0],
        ["b", 0],
      ],
    );
    assert.deepEqual([await way.seen("a"), await way.seen("b")], [["(0 away)", "1 ready"], ["0 blocked"]]);
    await way.started(1);
    await way.settle("a", "completed");
    assert.deepEqual(await way.seen("b"), ["0 ready"]);
  });

  within("counts one that is redriven again", async (way) => {
    const [j, l] = [way.id("j", 0), way.name("l", 1)];
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", lane(l))), memberOf(j, 0, job("b", lane(l, "continue", 2))));
    await way.started(1);
    await way.settle("a", "dead");
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 0, failed: 1 });
    await way.change("a", { do: "retry" });
    assert.deepEqual(await way.join(0, j), { state: "open", live: 2, succeeded: 0, failed: 0 });
  });

  within("is cancelled as a whole, wherever its members are by then", async (way) => {
    const [j, l, x] = [way.id("j", 0), way.name("l", 1), way.name("x", 2)];
    const works = ["a", "b", "c"].map((id) => memberOf(j, 0, job(id, { ...lane(l, "continue", 2), ...running(x) })));
    await way.enqueue(0, join(j), ...works, memberOf(j, 0, job("d")));
    assert.deepEqual(await way.listed(), ["a 2 ready", "b 2 blocked", "c 1 blocked", "d 0 ready"]);
    await way.started(2);
    await way.changeJoin(0, j, { do: "cancel", reason: "not wanted" });
    assert.deepEqual(await way.listed(), ["a 2 running", "b 2 cancelled", "c 1 cancelled", "d 0 cancelled"]);
    await way.settle("a", "completed");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 0, failed: 4 });
  });

  within("has a member that died when it was to be cancelled: that is redriven, and cancelled then", async (way) => {
    const [j, l] = [way.id("j", 0), way.name("l", 1)];
    const cancel = { do: "cancel", reason: "not wanted" } as const;
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", lane(l))));
    await way.started(1);
    way.isHolding = true;
    await way.settle("a", "dead");
    await way.changeWhere(0, { join: j }, cancel, 10);
    await way.carry();
    way.isHolding = false;
    await way.change("a", { do: "retry" });
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 ready"]);
    await way.changeWhere(0, { join: j }, cancel, 10);
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "1 cancelled"]);
  });

  within("is not closed before what its last member hands over is stored", async (way) => {
    const [j, l] = [way.id("j", 0), way.name("l", 1)];
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", lane(l))));
    await way.started(1);
    way.isHolding = true;
    await way.settle("a", "completed", { follow: [memberOf(j, 0, job("b"))] });
    const messages = await way.homes.client.hgetall(`${way.homes.names[1]}:out:0`);
    const kinds = Object.entries(messages)
      .toSorted(([one], [other]) => Number(one) - Number(other))
      .map(([, text]) => (JSON.parse(text.slice(text.indexOf("{"))) as { is: string }).is);
    assert.deepEqual(kinds.slice(-2), ["works", "ended"]);
    await way.carry();
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 1, failed: 0 });
  });

  within("closed before one came that has more before it: that is not started either, and goes nowhere", async (way) => {
    const j = way.id("j", 0);
    way.isHolding = true;
    await way.enqueue(0, join(j));
    await way.enqueue(1, memberOf(j, 0, job("a", { ...lane(way.name("l", 2)), ...unique(way.name("u", 1)) })));
    await way.tidy();
    await way.carry();
    assert.deepEqual(await way.seen("a"), ["0 cancelled"]);
    way.isHolding = false;
    const other = job("b", unique(way.name("u", 1)));
    assert.equal((await way.enqueue(1, other))[0]?.isDuplicate, false);
  });

  within("closed before one came: that is not started", async (way) => {
    const j = way.id("j", 0);
    await way.enqueue(0, join(j));
    await way.enqueue(1, job("x"), memberOf(j, 0, job("a")));
    assert.deepEqual(await way.seen("a"), ["0 cancelled"]);
    assert.equal((await way.row(0, "a"))?.reason, "not started: its join was closed before it came");
  });
});

describe("a join whose members have unique keys elsewhere", () => {
  within("counts a loser as the winner it lost to", async (way) => {
    const [j, u] = [way.id("j", 0), way.name("u", 1)];
    await way.enqueue(1, job("winner", unique(u)));
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", unique(u))), memberOf(j, 0, job("b", unique(u))));
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 0, failed: 0 });
    assert.deepEqual([await way.seen("a"), await way.seen("winner")], [[], ["(0 away)", "1 ready"]]);
    await way.started(1);
    await way.settle("winner", "dead");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 0, failed: 1 });
  });

  within("counts it where the winner went on to its lane", async (way) => {
    const [j, u, l] = [way.id("j", 0), way.name("u", 1), way.name("l", 2)];
    await way.enqueue(1, job("winner", { ...unique(u), ...lane(l) }));
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", unique(u))));
    await way.started(2);
    await way.settle("winner", "completed");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 1, failed: 0 });
    assert.deepEqual(await way.seen("winner"), ["(0 completed)", "(1 completed)", "2 completed"]);
  });

  within("counts one that lost to a window as its job ended", async (way) => {
    const [j, u] = [way.id("j", 0), way.name("u", 1)];
    const asked = unique(u, { is: "throttle", windowMs: 10_000 });
    await way.enqueue(1, job("winner", asked));
    await way.started(1);
    await way.settle("winner", "dead");
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", asked)));
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 0, failed: 1 });
  });

  within("counts once what came back to its home for its lane, whoever lost to it, and however often it is handed in", async (way) => {
    const [j, u, l] = [way.id("j", 0), way.name("u", 1), way.name("l", 0)];
    const winner = memberOf(j, 0, job("winner", { ...unique(u), ...lane(l), rememberMs: 1_000 }));
    await way.enqueue(0, join(j), winner);
    assert.deepEqual(await way.seen("winner"), ["(0 away)", "(1 away)", "0 ready"]);
    await way.enqueue(0, memberOf(j, 0, job("a", unique(u))));
    await way.enqueue(0, join(j), winner);
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 0, failed: 0 });
    await way.started(0);
    await way.settle("winner", "completed");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 1, failed: 0 });
  });

  within("counts once what comes to its lane after one had lost to it", async (way) => {
    const [j, u, l] = [way.id("j", 0), way.name("u", 1), way.name("l", 0)];
    await way.enqueue(1, job("winner", { ...unique(u, { is: "replace" }), ...lane(l), delayMs: 50 }));
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", unique(u))));
    await way.advance(50);
    assert.deepEqual(await way.seen("winner"), ["(0 away)", "(1 away)", "0 ready"]);
    await way.enqueue(0, memberOf(j, 0, job("b", unique(u))));
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 0, failed: 0 });
    await way.started(0);
    await way.settle("winner", "dead");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 0, failed: 1 });
  });

  within("counts a loser that others come after as its winner", async (way) => {
    const [j, u] = [way.id("j", 0), way.name("u", 1)];
    await way.enqueue(0, join(j, { isSealed: false }), memberOf(j, 0, job("winner", unique(u))));
    await way.enqueue(0, memberOf(j, 0, job("a", unique(u))), behind(job("b"), { id: "a", when: "well", home: 0 }), join(j));
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 0, failed: 0 });
    await way.started(1);
    await way.settle("winner", "completed");
    assert.deepEqual(await way.join(0, j), { state: "closed", live: 0, succeeded: 1, failed: 0 });
    assert.deepEqual(await way.seen("b"), ["0 ready"]);
  });

  within("a winner that is redriven is not begun where the loser was", async (way) => {
    const [j, u] = [way.id("j", 0), way.name("u", 1)];
    await way.enqueue(1, job("winner", unique(u)), job("other"));
    await way.enqueue(0, join(j), memberOf(j, 0, job("a", unique(u))), memberOf(j, 0, job("b")));
    await way.started(1);
    await way.settle("winner", "dead");
    assert.deepEqual(await way.join(0, j), { state: "open", live: 1, succeeded: 0, failed: 1 });
    await way.changeAt(1, "winner", { do: "retry" });
    assert.deepEqual(await way.seen("winner"), ["(0 away)", "1 ready"]);
    assert.deepEqual(await way.join(0, j), { state: "open", live: 2, succeeded: 0, failed: 0 });
  });
});

describe("joins in joins", () => {
  within("the inner one is where the outer one is, and both close when what they hold elsewhere has ended", async (way) => {
    const [outer, inner, l] = [way.id("o", 0), way.id("i", 2), way.name("l", 1)];
    await way.enqueue(0, join(outer), join(inner, { join: outer }), memberOf(inner, 0, job("a", lane(l))));
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 ready"]);
    await way.started(1);
    await way.settle("a", "completed");
    assert.deepEqual([(await way.join(0, inner)).state, (await way.join(0, outer)).state], ["closed", "closed"]);
  });
});

describe("coming after something in two homes", () => {
  const both = (way: { id: (text: string, home: number) => string }, when: "well" | "badly" | "ended"): Sent =>
    behind(job("c"), { id: way.id("p", 0), when, home: 0 }, { id: way.id("p", 1), when, home: 1 });

  within("it waits for each where that is, and starts when both have ended well", async (way) => {
    const [p, q] = [way.id("p", 0), way.id("p", 1)];
    await way.enqueue(0, job(p));
    await way.enqueue(1, job(q));
    await way.enqueue(0, both(way, "well"));
    assert.deepEqual(await way.seen("c"), ["0 blocked"]);
    await way.started(0);
    await way.settle(p, "completed");
    assert.deepEqual(await way.seen("c"), ["(0 away)", "1 blocked"]);
    await way.started(1);
    await way.settle(q, "completed");
    const [claimed] = await way.claim(1);
    assert.deepEqual([claimed?.id, claimed?.isAfter], ["c", true]);
    assert.deepEqual(
      (await way.row(1, "c"))?.after?.map(({ id }) => id),
      [p, q],
    );
  });

  for (const first of [0, 1]) {
    within(`it is not started when that in home ${first} ended badly`, async (way) => {
      const [p, q] = [way.id("p", 0), way.id("p", 1)];
      await way.enqueue(0, job(p));
      await way.enqueue(1, job(q));
      await way.enqueue(0, both(way, "well"));
      for (const [home, id] of [p, q].entries()) {
        await way.started(home);
        await way.settle(id, home === first ? "dead" : "completed");
        if (home === first) break;
      }
      const last = await way.row(first, "c");
      assert.deepEqual([last?.state, last?.reason], ["cancelled", `not started: it comes after job ${first === 0 ? p : q}, which is dead`]);
      assert.deepEqual(await way.seen("c"), first === 0 ? ["0 cancelled"] : ["(0 cancelled)", "1 cancelled"]);
    });
  }

  within("its delay counts from when the last one let it go", async (way) => {
    const [p, q] = [way.id("p", 0), way.id("p", 1)];
    await way.enqueue(0, job(p));
    await way.enqueue(1, job(q));
    await way.enqueue(0, { ...both(way, "ended"), delayMs: 100, startWithinMs: 150 } as Sent);
    await way.started(0);
    await way.settle(p, "dead");
    await way.advance(1_000);
    await way.started(1);
    await way.settle(q, "completed");
    assert.deepEqual([(await way.row(1, "c"))?.dueAt, (await way.row(1, "c"))?.startBy], [way.now + 100, way.now + 150]);
  });

  within("it runs where its lane is, and knows that something came before it", async (way) => {
    const p = way.id("p", 0);
    await way.enqueue(0, job(p));
    await way.enqueue(0, behind(job("c", lane(way.name("l", 1))), { id: p, when: "well", home: 0 }));
    await way.started(0);
    await way.settle(p, "completed");
    assert.deepEqual(
      (await way.claim(1)).map(({ id, isAfter }) => [id, isAfter]),
      [["c", true]],
    );
  });

  within("a predecessor that went on is waited for where it was", async (way) => {
    const [u, l] = [way.name("u", 0), way.name("l", 1)];
    await way.enqueue(0, job("p", { ...unique(u), ...lane(l) }));
    await way.enqueue(0, behind(job("c"), { id: "p", when: "badly", home: 0 }), behind(job("d"), { id: "p", when: "well", home: 0 }));
    assert.deepEqual(await way.seen("c"), ["0 blocked"]);
    await way.started(1);
    await way.settle("p", "completed", { result: "3" });
    assert.deepEqual([await way.seen("c"), await way.seen("d")], [["0 skipped"], ["0 ready"]]);
  });
});

describe("a join that comes after what is elsewhere", () => {
  for (const [when, is, opens] of [
    ["well", "completed", true],
    ["well", "dead", false],
    ["badly", "dead", true],
    ["badly", "completed", false],
    ["ended", "dead", true],
  ] as const) {
    within(`${when}: it ${opens ? "opens" : "ends what it holds"} when that is ${is}, which nobody sees watched`, async (way) => {
      const [j, p] = [way.id("j", 0), way.id("p", 1)];
      await way.enqueue(1, job(p));
      await way.enqueue(0, behind(join(j), { id: p, when, home: 1 }), memberOf(j, 0, job("a")));
      assert.deepEqual(await way.listed(), ["a 0 blocked", `${p} 1 ready`]);
      await way.started(1);
      await way.settle(p, is);
      const ended = when === "well" ? "0 cancelled" : "0 skipped";
      assert.deepEqual(await way.seen("a"), [opens ? "0 ready" : ended]);
      if (!opens)
        assert.equal(
          (await way.row(0, "a"))?.reason,
          `not ${when === "well" ? "started: it comes after" : "needed: it was for the failure of"} job ${p}, which is ${is}`,
        );
      for (const id of opens ? await way.started(0) : []) await way.settle(id, "completed");
      assert.equal((await way.join(0, j)).state, "closed");
      await way.tidy();
      assert.deepEqual(await way.homes.client.hkeys(`${way.homes.names[0]}:aid`), []);
      assert.deepEqual(await way.homes.client.hkeys(`${way.homes.names[1]}:rp`), []);
      assert.deepEqual(await way.homes.client.hkeys(`${way.homes.names[1]}:i`), [p]);
    });
  }

  within("it opens at once where that had ended, or is not known any more", async (way) => {
    const [j, k, p] = [way.id("j", 0), way.id("k", 0), way.id("p", 1)];
    await way.enqueue(1, job(p));
    await way.started(1);
    await way.settle(p, "completed");
    await way.enqueue(0, behind(join(j), { id: p, when: "well", home: 1 }), memberOf(j, 0, job("a")));
    await way.enqueue(0, behind(join(k), { id: "gone", when: "well", home: 2 }), memberOf(k, 0, job("b")));
    assert.deepEqual([await way.seen("a"), await way.seen("b")], [["0 ready"], ["0 ready"]]);
  });
});

describe("what events and outcomes make", () => {
  within("has the unique key of the job that handed it over and ended, and loses it to one that goes on", async (way) => {
    const [j, u, l] = [way.id("j", 2), way.name("u", 1), way.name("l", 0)];
    await way.enqueue(2, join(j), memberOf(j, 2, job("other")));
    await way.enqueue(1, job("a", { ...unique(u), ...lane(l) }));
    await way.started(0);
    await way.settle("a", "retry", { follow: [job("lost", unique(u))] });
    await way.started(0);
    await way.settle("a", "completed", { follow: [job("b", { ...unique(u), ...lane(l) })] });
    assert.deepEqual([await way.seen("lost"), await way.seen("b")], [[], ["(1 away)", "0 ready"]]);
    await way.started(0);
    await way.settle("b", "completed", { follow: [memberOf(j, 2, job("c", unique(u)))] });
    assert.deepEqual(
      [await way.seen("b"), await way.seen("c")],
      [
        ["(1 completed)", "0 completed"],
        ["(2 away)", "1 ready"],
      ],
    );
  });

  within("begins where it belongs", async (way) => {
    const l = way.name("l", 1);
    await way.enqueue(0, job("a"));
    await way.started(0);
    await way.settle("a", "completed", { follow: [job("b", lane(l)), job("c"), event(way.id("e", 2))] });
    assert.deepEqual([await way.seen("b"), await way.seen("c")], [["1 ready"], ["0 ready"]]);
  });
});
