/** A job whose concerns several homes decide goes from one to the next, is in one of them at a time, and ends in all. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { job, join } from "../../port/stage.ts";
import type { JobOptions } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { lane, running, unique, Way } from "./way.ts";

const skip = redisMissing ?? false;

function within(claim: string, run: (way: Way) => Promise<void>): void {
  it(claim, { skip }, async () => {
    await using way = await Way.of();
    await run(way);
  });
}

describe("a unique key and a lane in two homes", () => {
  within("one goes from its key to its lane, and ends in both", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    assert.deepEqual(await way.enqueue(0, job("a", both)), [{ id: "a", isDuplicate: false, forwarded: 1 }]);
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 ready"]);
    assert.deepEqual(await way.listed(), ["a 1 ready"]);
    assert.deepEqual(await way.started(1), ["a"]);
    await way.settle("a", "completed");
    assert.deepEqual(await way.seen("a"), ["(0 completed)", "1 completed"]);
    assert.deepEqual(await way.listed(), ["a 1 completed"]);
  });

  within("it is handed out as if all of it were in one", async (way) => {
    const [key, name, other] = [way.name("u", 0), way.name("l", 1), way.name("x", 2)];
    const asked = { ...unique(key), ...lane(name), ...running(other), delayMs: 1_000, expecting: "{}", version: 3 };
    await way.enqueue(0, join(way.id("j", 0)));
    const [j] = [way.id("k", 0)];
    await way.enqueue(0, join(j, { isSealed: false }), job("a", { ...asked, join: j }), join(j, { isSealed: true }));
    await way.advance(1_000);
    const [claimed] = await way.claim(2);
    assert.ok(claimed);
    const { fence: _, ...told } = { fence: 0, ...claimed };
    assert.deepEqual(told, {
      id: "a",
      task: "send",
      queue: "mail",
      payload: '{"id":"a"}',
      attempt: 1,
      starts: 1,
      suspects: 0,
      enqueuedAt: way.now - 1_000,
      dueAt: way.now,
      lane: name,
      isOrdered: true,
      join: j,
      expecting: "{}",
      version: 3,
    });
    const row = await way.row(2, "a");
    assert.deepEqual([row?.lane, row?.unique, row?.keyLimits?.map((limit) => limit.key), row?.joins], [name, key, [other], [j]]);
  });

  within("a second one of the key loses to the first, wherever that is", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", both));
    const [loser] = await way.enqueue(0, job("b", both));
    assert.deepEqual([loser?.id, loser?.isDuplicate], ["a", true]);
    await way.started(1);
    await way.settle("a", "completed");
    assert.deepEqual(await way.enqueue(0, job("c", both)), [{ id: "c", isDuplicate: false, forwarded: 1 }]);
  });

  within("the same id again is the same job", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", both));
    assert.equal((await way.enqueue(0, job("a", both)))[0]?.isDuplicate, true);
    await assert.rejects(way.enqueue(0, job("a", { ...both, content: "other" })), { code: "id-conflict" });
    await way.started(1);
    await way.settle("a", "completed");
    assert.equal((await way.enqueue(0, job("a", both)))[0]?.isDuplicate, true);
  });

  within("one that may be replaced waits with its key until it is due, and then counts as running", async (way) => {
    const both = { ...unique(way.name("u", 0), { is: "replace" }), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", { ...both, delayMs: 1_000 }));
    assert.deepEqual(await way.seen("a"), ["0 scheduled"]);
    await way.enqueue(0, job("b", { ...both, payload: '"b"', delayMs: 500 }));
    await way.advance(500);
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 ready"]);
    await way.enqueue(0, job("c", { ...both, payload: '"c"' }));
    assert.deepEqual(
      (await way.claim(1)).map(({ id, payload }) => [id, payload]),
      [["a", '"b"']],
    );
  });

  within("one that gathers takes payloads until it is due, and the next one begins after it", async (way) => {
    const mode = { is: "gather", quietMs: 100, atMostMs: 1_000, most: 10 } as const;
    const both = { ...unique(way.name("u", 0), mode), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", { ...both, payload: "[1]" }));
    await way.enqueue(0, job("b", { ...both, payload: "[2]" }));
    await way.advance(100);
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 ready"]);
    assert.deepEqual(await way.enqueue(0, job("c", { ...both, payload: "[3]" })), [{ id: "c", isDuplicate: false, state: "scheduled" }]);
    assert.deepEqual(
      (await way.claim(1)).map(({ payload }) => payload),
      ["[1,2]"],
    );
  });

  within("a throttled key outlives its job", async (way) => {
    const both = { ...unique(way.name("u", 0), { is: "throttle", windowMs: 10_000 }), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", both));
    await way.started(1);
    await way.settle("a", "completed");
    assert.equal((await way.enqueue(0, job("b", both)))[0]?.id, "a");
    await way.advance(10_000);
    assert.equal((await way.enqueue(0, job("c", both)))[0]?.id, "c");
  });

  within("one more waits while one runs, and a third loses to that", async (way) => {
    const both = { ...unique(way.name("u", 0), { is: "one-more" }), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", both));
    await way.enqueue(0, job("b", both));
    assert.deepEqual(await way.seen("b"), ["(0 away)", "1 blocked"]);
    await way.started(1);
    await way.settle("a", "completed");
    assert.deepEqual(await way.started(1), ["b"]);
  });
});

describe("limits in several homes", () => {
  within("one waits in its lane for its turn, and then for room where its limit is", async (way) => {
    const asked = { ...lane(way.name("l", 0)), ...running(way.name("x", 1)) };
    await way.enqueue(1, job("other", running(way.name("x", 1))));
    await way.enqueue(0, job("a", asked), job("b", asked));
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 blocked"]);
    assert.deepEqual(await way.seen("b"), ["0 blocked"]);
    await way.started(1);
    await way.settle("other", "completed");
    assert.deepEqual(await way.started(1), ["a"]);
    assert.deepEqual(await way.seen("b"), ["0 blocked"]);
    await way.settle("a", "completed");
    assert.deepEqual(await way.started(1), ["b"]);
  });

  for (const kind of ["slim", "full"]) {
    within(`one that has a limit elsewhere follows no other of its lane in a row (behind a ${kind} one)`, async (way) => {
      const inLane = lane(way.name("l", 0));
      await way.enqueue(0, job("first", { ...inLane, ...(kind === "full" && { expecting: "{}" }) }));
      await way.enqueue(0, job("a", { ...inLane, ...running(way.name("x", 1)) }), job("last", inLane));
      assert.deepEqual(
        (await way.claim(0, 1, 5)).map(({ id }) => id),
        ["first"],
      );
      await way.settle("first", "completed");
      assert.deepEqual([await way.started(0), await way.started(1)], [[], ["a"]]);
    });
  }

  within("two limits are passed in one order, whichever comes first: nobody waits for ever", async (way) => {
    const [x, y] = [way.name("x", 0), way.name("y", 1)];
    await way.enqueue(0, job("a", running(x, y)), job("b", running(y, x)));
    await way.enqueue(1, job("c", running(y)), job("d", running(x)));
    const order: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      for (const home of [0, 1, 2]) {
        for (const id of await way.started(home)) {
          order.push(id);
          await way.settle(id, "completed");
        }
      }
    }
    assert.deepEqual(order.toSorted(), ["a", "b", "c", "d"]);
  });

  within("never more than so many run at once, of limits in two homes", async (way) => {
    const [x, y] = [way.name("x", 0), way.name("y", 1)];
    await way.enqueue(0, ...["a", "b", "c"].map((id) => job(id, running(x, y))));
    for (const expected of ["a", "b", "c"]) {
      assert.deepEqual([await way.started(0), await way.started(1)], [[], [expected]]);
      await way.settle(expected, "completed");
    }
  });

  within("one that passes a home twice stands there twice, and is found, redriven and gone all the same", async (way) => {
    const asked = running(way.name("x", 1), way.name("y", 0), way.name("z", 1));
    await way.enqueue(1, job("a", asked), job("b", asked));
    assert.deepEqual(await way.seen("a"), ["(0 away)", "(1 away)", "1 ready"]);
    for (const is of ["dead", "completed"] as const) {
      assert.deepEqual(await way.started(1), ["a"]);
      await way.settle("a", is);
      if (is === "dead") {
        await way.change("b", { do: "cancel", reason: "not wanted" });
        await way.change("a", { do: "retry" });
        assert.deepEqual(await way.seen("a"), ["(0 away)", "(1 away)", "1 ready"]);
      }
    }
    assert.deepEqual(await way.seen("a"), ["(0 completed)", "(1 completed)", "1 completed"]);
    for (const id of ["a", "b"]) await way.change(id, { do: "delete" });
    const keys = way.homes.names.flatMap((name) => ["j", "i", "aid", "rp", "limit"].map((key) => `${name}:${key}`));
    assert.equal(await way.homes.client.exists(keys), 0);
  });

  within("a limit that one passed before is not passed without it: starts stay apart when it is tried again", async (way) => {
    const [x, y] = [way.name("x", 0), way.name("y", 1)];
    const limits = [
      { key: x, is: { starts: 1, everyMs: 1_000 } },
      { key: y, is: { running: 1 } },
    ] as const;
    await way.enqueue(0, job("a", { keyLimits: limits }), job("b", { keyLimits: limits }));
    assert.deepEqual(await way.started(1), ["a"]);
    await way.settle("a", "retry", { delayMs: 10 });
    await way.advance(10);
    assert.deepEqual(await way.started(1), []);
    await way.advance(990);
    assert.deepEqual(await way.started(1), ["a"]);
    await way.settle("a", "completed");
    assert.deepEqual(await way.started(1), []);
    await way.advance(1_000);
    assert.deepEqual(await way.started(1), ["b"]);
  });
});

describe("what becomes of one whose lane is elsewhere than its limit", () => {
  const [laned, limited] = [0, 1];
  const asked = (way: Way, ifDead: "park" | "block" | "continue" = "continue"): JobOptions => ({
    ...lane(way.name("l", laned), ifDead),
    ...running(way.name("x", limited)),
  });

  for (const is of ["retry", "snoozed", "released"] as const) {
    within(`${is}: it keeps its place in its lane`, async (way) => {
      await way.enqueue(laned, job("a", asked(way)), job("b", asked(way)));
      await way.started(limited);
      await way.settle("a", is, is === "released" ? {} : { delayMs: 100 });
      assert.deepEqual(await way.seen("a"), ["(0 away)", is === "released" ? "1 ready" : "1 scheduled"]);
      assert.deepEqual(await way.seen("b"), ["0 blocked"]);
      await way.advance(100);
      assert.deepEqual(await way.started(limited), ["a"]);
    });
  }

  within("dead: the next one of its lane is let in, and it is redriven from there on", async (way) => {
    await way.enqueue(laned, job("a", asked(way)), job("b", asked(way)));
    await way.started(limited);
    await way.settle("a", "dead", { reason: "it cannot" });
    assert.deepEqual(await way.seen("a"), ["(0 dead)", "1 dead"]);
    assert.deepEqual(await way.started(limited), ["b"]);
    await way.change("a", { do: "retry" });
    assert.deepEqual(await way.listed(), ["a 1 dead", "b 1 running"]);
    await way.settle("b", "completed");
    assert.deepEqual(await way.started(limited), ["a"]);
    await way.settle("a", "completed");
    assert.deepEqual(await way.seen("a"), ["(0 completed)", "1 completed"]);
  });

  within("dead ones are redriven by a filter, each once, though they wait for their lane then", async (way) => {
    const ids = ["a", "b", "c"];
    for (const id of ids) await way.enqueue(laned, job(id, asked(way)));
    for (const id of ids) {
      await way.started(limited);
      await way.settle(id, "dead");
    }
    await way.enqueue(laned, job("first", lane(way.name("l", laned))));
    const retried: string[] = [];
    for (let hasMore = true, calls = 0; hasMore && calls < 5; calls += 1) {
      const changed = await way.changeWhere(limited, { states: ["dead"] }, { do: "retry" }, 2);
      retried.push(...changed.jobs.map(({ id }) => id));
      hasMore = changed.hasMore;
    }
    assert.deepEqual(retried, ids);
    await way.started(laned);
    await way.settle("first", "completed");
    for (const id of ids) {
      assert.deepEqual(await way.started(limited), [id]);
      await way.settle(id, "completed");
    }
  });

  within("parked by its death: its lane is closed, until it is redriven", async (way) => {
    await way.enqueue(laned, job("a", asked(way, "park")), job("b", asked(way, "park")));
    await way.started(limited);
    await way.settle("a", "dead", { reason: "it cannot" });
    await way.tidy();
    assert.deepEqual([await way.seen("a"), await way.seen("b")], [["(0 parked)", "1 parked"], ["0 parked"]]);
    assert.equal((await way.row(limited, "a"))?.reason, "it cannot");
    await way.change("a", { do: "retry" });
    assert.deepEqual([await way.seen("a"), await way.seen("b")], [["(0 away)", "1 ready"], ["0 blocked"]]);
    assert.deepEqual(await way.started(limited), ["a"]);
    await way.settle("a", "completed");
    assert.deepEqual(await way.started(limited), ["b"]);
  });

  within("blocked by its death: those behind it wait, until it is cancelled", async (way) => {
    await way.enqueue(laned, job("a", asked(way, "block")), job("b", asked(way, "block")));
    await way.started(limited);
    await way.settle("a", "dead");
    assert.deepEqual([await way.seen("a"), await way.seen("b")], [["(0 parked)", "1 parked"], ["0 blocked"]]);
    await way.change("a", { do: "cancel", reason: "not wanted" });
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "1 cancelled"]);
    assert.deepEqual(await way.started(limited), ["b"]);
  });

  within("parked in its lane behind a unique key elsewhere: it holds that key, and lives again with its lane", async (way) => {
    const both = { ...unique(way.name("u", 1)), ...lane(way.name("l", 0), "park") };
    await way.enqueue(0, job("head", lane(way.name("l", 0), "park")));
    await way.enqueue(1, job("a", both));
    assert.deepEqual(await way.seen("a"), ["(1 away)", "0 blocked"]);
    await way.started(0);
    await way.settle("head", "dead");
    await way.tidy();
    assert.deepEqual(await way.seen("a"), ["(1 parked)", "0 parked"]);
    assert.equal((await way.enqueue(1, job("b", both)))[0]?.id, "a");
    await way.change("head", { do: "retry" });
    assert.deepEqual(await way.seen("a"), ["(1 away)", "0 blocked"]);
  });

  within("a dead one whose unique key another holds by now is not redriven", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", both));
    await way.started(1);
    await way.settle("a", "dead");
    await way.enqueue(0, job("b", both));
    assert.ok((await way.change("a", { do: "retry" })).includes("taken"));
    assert.deepEqual(await way.seen("a"), ["(0 dead)", "1 dead"]);
  });
});
