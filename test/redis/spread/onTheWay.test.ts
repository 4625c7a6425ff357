/** A job that is cancelled, deleted, sent again or forgotten while it is somewhere between its homes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { job, keep } from "../../port/stage.ts";
import type { JobOptions } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { kept, lane, running, unique, Way } from "./way.ts";

const skip = redisMissing ?? false;

function within(claim: string, run: (way: Way) => Promise<void>): void {
  it(claim, { skip }, async () => {
    await using way = await Way.of();
    await run(way);
  });
}

describe("cancelling one that is on its way", () => {
  const short = { ...keep, cancelled: 0 };
  const asked = (way: Way): JobOptions => ({ ...unique(way.name("u", 0)), ...lane(way.name("l", 1)), ...running(way.name("x", 2)) });
  const cancel = { do: "cancel", reason: "not wanted" } as const;

  within("where it waits in its lane", async (way) => {
    await way.enqueue(1, job("first", lane(way.name("l", 1))));
    await way.enqueue(0, job("a", asked(way)));
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 blocked"]);
    assert.deepEqual(await way.change("a", cancel), ["cancelling", "cancelled"]);
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "1 cancelled"]);
  });

  within("where it waits for room", async (way) => {
    await way.enqueue(2, job("first", running(way.name("x", 2))));
    await way.enqueue(0, job("a", asked(way)));
    assert.deepEqual(await way.seen("a"), ["(0 away)", "(1 away)", "2 blocked"]);
    await way.change("a", cancel);
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "(1 cancelled)", "2 cancelled"]);
  });

  within("where it runs: its worker hears of it", async (way) => {
    await way.enqueue(0, job("a", asked(way)));
    await way.started(2);
    await way.change("a", cancel);
    assert.equal((await way.row(2, "a"))?.claim?.isCancelling, true);
    await way.settle("a", "completed");
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "(1 cancelled)", "2 cancelled"]);
    assert.equal((await way.enqueue(0, job("b", asked(way))))[0]?.isDuplicate, false);
  });

  within("while it is between two homes: it is heard where it comes to", async (way) => {
    way.isHolding = true;
    await way.enqueue(0, job("a", asked(way)));
    assert.deepEqual(await way.seen("a"), ["(0 away)"]);
    assert.deepEqual(await way.change("a", cancel), ["cancelling"]);
    await way.carry();
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "(1 cancelled)", "2 cancelled"]);
    assert.deepEqual(await way.started(2), []);
  });

  within("when it has ended, and that is on its way: it stands", async (way) => {
    await way.enqueue(0, job("a", asked(way)));
    await way.started(2);
    way.isHolding = true;
    await way.settle("a", "completed");
    await way.change("a", cancel);
    await way.carry();
    assert.deepEqual(await way.seen("a"), ["(0 completed)", "(1 completed)", "2 completed"]);
  });

  within("when it died, and that is on its way: it is dead, may be redriven, and cancelled then", async (way) => {
    const ofKey = { unique: way.name("u", 0) };
    await way.enqueue(0, job("a", asked(way)));
    await way.started(2);
    way.isHolding = true;
    await way.settle("a", "dead");
    await way.change("a", cancel);
    await way.carry();
    assert.deepEqual(await way.seen("a"), ["(0 dead)", "(1 dead)", "2 dead"]);
    way.isHolding = false;
    await way.change("a", { do: "retry" });
    assert.deepEqual(await way.listed(), ["a 2 ready"]);
    assert.deepEqual(
      (await way.changeWhere(2, ofKey, cancel, 10)).jobs.map(({ is }) => is),
      ["cancelled"],
    );
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "(1 cancelled)", "2 cancelled"]);
  });

  within("nothing is left of it in the end", async (way) => {
    await way.enqueue(0, job("a", { ...asked(way), keep: short }));
    await way.change("a", cancel);
    await way.advance(1);
    assert.deepEqual(await way.seen("a"), []);
    await way.tidy();
    for (const name of way.homes.names) assert.deepEqual(await kept(way, name), []);
  });
});

describe("cancelling one whose next home goes back to before it came there", () => {
  within("is told there again", async (way) => {
    const goBack = await way.homes.snapshot(1);
    await way.enqueue(0, job("a", { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)), delayMs: 100 }));
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 scheduled"]);
    way.isHolding = true;
    await way.changeAt(0, "a", { do: "cancel", reason: "not wanted" });
    await goBack();
    await way.homes.era();
    way.isHolding = false;
    await way.carry();
    await way.advance(100);
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "1 cancelled"]);
    assert.equal((await way.row(1, "a"))?.reason, "not wanted");
  });
});

describe("what is told twice, or again", () => {
  within("a job that comes twice is one, and an end that is told twice is one", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    way.isHolding = true;
    await way.enqueue(0, job("a", both));
    const sent = await way.homes.client.hgetall(`${way.homes.names[0]}:out:1`);
    await way.carry();
    await replay(way, 0, 1, sent);
    assert.deepEqual(await way.listed(), ["a 1 ready"]);
    await way.started(1);
    await way.settle("a", "completed");
    const told = await way.homes.client.hgetall(`${way.homes.names[1]}:out:0`);
    await way.carry();
    await way.enqueue(0, job("b", both));
    await replay(way, 1, 0, told);
    assert.deepEqual(await way.seen("b"), ["(0 away)", "1 ready"]);
    assert.equal((await way.enqueue(0, job("c", both)))[0]?.id, "b");
    await replay(way, 0, 1, sent);
    assert.deepEqual(await way.listed(), ["a 1 completed", "b 1 ready"]);
  });

  within("a home that was emptied numbers its jobs anew, and is not taken for the one it was", async (way) => {
    const [u, v, l] = [way.name("u", 0), way.name("v", 0, 1), way.name("l", 1)];
    await way.enqueue(0, job("a", { ...unique(u), ...lane(l) }));
    const [gone, ...rest] = await way.homes.client.keys(`${way.homes.names[0]}:*`);
    assert.ok(gone);
    const meta = await way.homes.client.hgetall(`${way.homes.names[0]}:m`);
    const mail = await way.homes.client.hgetall(`${way.homes.names[0]}:mail`);
    await way.homes.client.del(gone, ...rest);
    await way.homes.client.hset(`${way.homes.names[0]}:m`, { ...meta, seq: 0 });
    await way.homes.client.hset(`${way.homes.names[0]}:mail`, mail);
    await way.enqueue(0, job("b", { ...unique(v), ...lane(l) }));
    assert.deepEqual([await way.seen("b"), await way.seen("a")], [["(0 away)", "1 blocked"], ["1 ready"]]);
    await way.started(1);
    await way.settle("a", "dead");
    assert.deepEqual(await way.seen("b"), ["(0 away)", "1 ready"]);
  });

  within("one that is not known any more where it came from is redriven where it is", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    await way.enqueue(0, job("a", both));
    await way.started(1);
    await way.settle("a", "dead");
    await way.changeAt(0, "a", { do: "delete", way: "back" });
    assert.deepEqual(await way.seen("a"), ["1 dead"]);
    assert.deepEqual(await way.change("a", { do: "retry" }), ["retried"]);
    assert.deepEqual(await way.seen("a"), ["1 ready"]);
  });

  within("all that is away is sent again where it may be lost, once", async (way) => {
    const both = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)) };
    way.isHolding = true;
    await way.enqueue(0, job("a", both));
    await way.homes.client.del(`${way.homes.names[0]}:out:1`);
    await way.homes.client.hset(`${way.homes.names[0]}:mail`, "cut1", 1);
    await way.carry();
    assert.deepEqual(await way.seen("a"), ["(0 away)"]);
    await way.sendAgain(0);
    way.isHolding = false;
    await way.tidy();
    assert.deepEqual(await way.seen("a"), ["(0 away)", "1 ready"]);
    await way.sendAgain(0);
    await way.tidy();
    assert.deepEqual(await way.listed(), ["a 1 ready"]);
    assert.equal(await way.homes.client.hget(`${way.homes.names[0]}:m`, "resendHome"), "0");
  });
});

describe("what is parked where it was held, after its last home went back to before it came there", () => {
  const cases = [
    { held: "its lane", home: 0, options: (way: Way): JobOptions => ({ ...lane(way.name("l", 0), "block"), ...running(way.name("x", 1)) }) },
    { held: "its unique key", home: 0, options: (way: Way): JobOptions => ({ ...unique(way.name("u", 0)), ...lane(way.name("l", 1), "block") }) },
  ];
  for (const { held, home, options } of cases) {
    within(`${held}: it is sent again, and runs again`, async (way) => {
      const goBack = await way.homes.snapshot(1);
      await way.enqueue(home, job("a", options(way)));
      await way.started(1);
      await way.settle("a", "dead");
      assert.deepEqual(await way.seen("a"), ["(0 parked)", "1 parked"]);
      await goBack();
      await way.homes.era();
      assert.deepEqual(await way.seen("a"), ["(0 parked)"]);
      await way.tidy();
      assert.deepEqual(await way.listed(), ["a 1 ready"]);
      await way.started(1);
      await way.settle("a", "completed");
      assert.deepEqual(await way.seen("a"), ["(0 completed)", "1 completed"]);
      const [next] = await way.enqueue(home, job("b", options(way)));
      assert.equal(next?.isDuplicate, false);
      assert.deepEqual(await way.started(1), ["b"]);
    });
  }

  within("it stays parked where it is known", async (way) => {
    await way.enqueue(0, job("a", { ...lane(way.name("l", 0), "block"), ...running(way.name("x", 1)) }));
    await way.started(1);
    await way.settle("a", "dead");
    await way.sendAgain(0);
    await way.tidy();
    assert.deepEqual(await way.seen("a"), ["(0 parked)", "1 parked"]);
  });
});

describe("one that is redriven, and waits for that where it began", () => {
  const asked = (way: Way): JobOptions => ({ ...lane(way.name("l", 0)), ...running(way.name("x", 1)) });
  const waiting = async (way: Way): Promise<void> => {
    await way.enqueue(0, job("a", asked(way)));
    await way.started(1);
    await way.settle("a", "dead");
    await way.enqueue(0, job("first", lane(way.name("l", 0))));
    await way.started(0);
    await way.changeAt(1, "a", { do: "retry" });
    assert.deepEqual(await way.seen("a"), ["(0 blocked)", "1 dead"]);
  };

  within("is cancelled there", async (way) => {
    await waiting(way);
    assert.deepEqual(await way.changeAt(1, "a", { do: "cancel", reason: "not wanted" }), ["cancelling"]);
    await way.settle("first", "completed");
    assert.deepEqual(await way.started(1), []);
    assert.deepEqual(await way.seen("a"), ["(0 cancelled)", "1 dead"]);
  });

  within("is not deleted", async (way) => {
    await waiting(way);
    assert.deepEqual(await way.changeAt(1, "a", { do: "delete" }), ["live"]);
    await way.settle("first", "completed");
    assert.deepEqual(await way.started(1), ["a"]);
  });
});

describe("deleting", () => {
  within("one that ended is gone from all homes", async (way) => {
    const asked = { ...unique(way.name("u", 0)), ...lane(way.name("l", 1)), ...running(way.name("x", 2)) };
    await way.enqueue(0, job("a", asked));
    assert.deepEqual(await way.change("a", { do: "delete" }), ["live", "live", "live"]);
    await way.started(2);
    await way.settle("a", "completed");
    await way.change("a", { do: "delete" });
    assert.deepEqual(await way.seen("a"), []);
    for (const name of way.homes.names) assert.deepEqual(await kept(way, name), []);
  });
});

/** The same messages, once more. */
async function replay(way: Way, from: number, to: number, messages: Readonly<Record<string, string>>): Promise<void> {
  const key = `${way.homes.names[from]}:mail`;
  for (const text of Object.values(messages)) {
    const number = await way.homes.client.hincrby(key, `out${to}`, 1);
    await way.homes.client.hset(`${way.homes.names[from]}:out:${to}`, String(number), text);
  }
  await way.homes.carrier().carry(from, [to], way.at);
  await way.carry();
}
