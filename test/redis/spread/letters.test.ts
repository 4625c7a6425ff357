/** Jobs of one list whose lanes are in several homes: sent on as they are, and stored there without records of their own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewJob } from "../../../src/core/engine.ts";
import { Forwarded } from "../../../src/redis/spread/forwarded.ts";
import { job } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { lane, Way } from "./way.ts";

const skip = redisMissing ?? false;

function within(claim: string, run: (way: Way) => Promise<void>): void {
  it(claim, { skip }, async () => {
    await using way = await Way.of();
    await run(way);
  });
}

/** One of each home, so many times. */
function list(way: Way, times = 1, options: Partial<NewJob> = {}): readonly NewJob[] {
  return Array.from({ length: 3 * times }, (_, nth) => job(`j${nth}`, { ...options, ...lane(way.name("l", nth % 3)) }));
}

/** What the texts of a home's jobs begin with: P is slim, F a record. */
async function kinds(way: Way, home: number): Promise<string> {
  const texts = await way.homes.client.hvalsBuffer(`${way.homes.names[home]}:j`);
  return texts.map((text) => (text[0] === "P".charCodeAt(0) ? "P" : "F")).join("");
}

describe("a list of ordered jobs", () => {
  within("is slim in every home, and each starts after the one before it in its lane", async (way) => {
    const works = list(way, 2);
    await way.enqueue(0, ...works);
    assert.deepEqual(await Promise.all([0, 1, 2].map((home) => kinds(way, home))), ["PP", "PP", "PP"]);
    for (const home of [1, 2, 0]) {
      assert.deepEqual(await way.started(home), [`j${home}`]);
      await way.settle(`j${home}`, "completed");
      assert.deepEqual(await way.started(home), [`j${home + 3}`]);
    }
  });

  within("comes as it was sent: payload, content, priority, and what becomes of its lane when it dies", async (way) => {
    const payload = JSON.stringify({ text: 'Ünïcode 🔑 \ud800 "quoted" \u0000 \u001f' });
    const options = { payload, content: "c", headStartMs: 5_000, queue: "mail", version: 3 };
    await way.enqueue(0, ...list(way, 2, options));
    for (const home of [0, 1, 2]) {
      const row = await way.row(home, `j${home}`);
      assert.deepEqual([row?.payload, row?.headStartMs, row?.version, row?.lane, row?.state], [payload, 5_000, 3, way.name("l", home), "ready"]);
      assert.equal((await way.row(home, `j${home + 3}`))?.state, "blocked");
    }
  });

  within("that is sent twice is stored once", async (way) => {
    const works = list(way);
    way.isHolding = true;
    await way.enqueue(0, ...works);
    await way.enqueue(0, ...works);
    await way.carry();
    assert.deepEqual(await way.listed(), ["j0 0 ready", "j1 1 ready", "j2 2 ready"]);
    await way.enqueue(0, ...works);
    await way.carry();
    assert.deepEqual(await way.listed(), ["j0 0 ready", "j1 1 ready", "j2 2 ready"]);
  });

  within("is parked where its lane is closed, and stored all the same elsewhere", async (way) => {
    const parking = (id: string): NewJob => job(id, { lane: { key: way.name("l", 1), width: 1, ifDead: "park" } });
    await way.enqueue(1, parking("dies"));
    await way.started(1);
    await way.settle("dies", "dead");
    await way.enqueue(0, job("here", lane(way.name("l", 0))), parking("behind"), job("there", lane(way.name("l", 2))));
    assert.deepEqual(await way.listed(), ["behind 1 parked", "dies 1 parked", "here 0 ready", "there 2 ready"]);
  });

  within("of very many goes in several letters, in its order", async (way) => {
    const works = Array.from({ length: 500 }, (_, nth) => job(`j${nth}`, { ...lane(way.name("l", 1)), payload: JSON.stringify("x".repeat(10_000)) }));
    way.isHolding = true;
    await way.enqueue(0, ...works);
    assert.ok((await way.homes.lying(0, 1)) > 2);
    await way.carry();
    const { rows } = (await way.homes.verbs[1]?.find({ of: "jobs", where: {}, limit: 500 }, way.at)) ?? { rows: [] };
    assert.deepEqual(
      rows.map(({ id }) => id),
      works.map(({ id }) => id),
    );
  });
});

describe("what became of jobs in a letter", () => {
  it("is known to the call that sent it, by the first of them", () => {
    const forwarded = new Forwarded();
    forwarded.expect(["a", "b", "c", "d"]);
    forwarded.expectLetter(["b", "c", "d"]);
    forwarded.heard([
      { is: "slim", first: "b", states: [1, 0, 2, 2] },
      { is: "slim", first: "unknown", states: [3, 0] },
    ]);
    const sent = ["a", "b", "c", "d"].map((id) => ({ id, isDuplicate: false, forwarded: 1 }));
    assert.deepEqual(forwarded.answers(sent), [
      { id: "a", isDuplicate: false },
      { id: "b", isDuplicate: false, state: "ready" },
      { id: "c", isDuplicate: false, state: "blocked" },
      { id: "d", isDuplicate: false, state: "blocked" },
    ]);
  });
});
