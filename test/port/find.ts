/** find and count: pages, filters, rows. */
import assert from "node:assert/strict";
import type { JobFilter, Query } from "../../src/core/engine.ts";
import { event, job, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const ids = ["a", "b", "c", "d", "e", "f", "g"];

const filters: readonly { readonly where: JobFilter; readonly found: readonly string[] }[] = [
  { where: {}, found: ids },
  { where: { states: ["ready"] }, found: ["b", "e", "f"] },
  { where: { states: ["running", "scheduled"] }, found: ["a", "c", "d"] },
  { where: { states: [] }, found: [] },
  { where: { queue: "paper" }, found: ["e"] },
  { where: { task: "print" }, found: ["d"] },
  { where: { task: "send", states: ["scheduled"] }, found: ["c"] },
  { where: { lane: 'send["k"]' }, found: ["f", "g"] },
  { where: { lane: 'send["k"]', states: ["blocked"] }, found: ["g"] },
  { where: { unique: "u" }, found: ["b"] },
  { where: { unique: "nobody" }, found: [] },
];

export const cases: readonly Case[] = [
  ...filters.flatMap(({ where, found }) =>
    [1, 2, 3, 100].map((limit): Case => ({
      claim: `jobs where ${JSON.stringify(where)}, in pages of ${limit}: each once, in the order of enqueue, and backwards`,
      run: async (stage) => {
        await someJobs(stage);
        assert.deepEqual(await pagesOf(stage, { of: "jobs", where, limit }), found);
        assert.deepEqual(await pagesOf(stage, { of: "jobs", where, limit, newestFirst: true }), found.toReversed());
      },
    })),
  ),
  {
    claim: "jobs by ids: those that are known, in the order of asking",
    run: async (stage) => {
      await someJobs(stage);
      const { rows, next, now } = await stage.engine.find({ of: "jobs", ids: ["c", "nobody", "a"] }, stage.at);
      assert.deepEqual([rows.map(({ id }) => id), next, now], [["c", "a"], undefined, start]);
    },
  },
  {
    claim: "a page in between changes is not shifted by them",
    run: async (stage) => {
      await someJobs(stage);
      const first = await stage.engine.find({ of: "jobs", where: {}, limit: 3 }, stage.at);
      await stage.cancel("b");
      await stage.changeOne("b", { do: "delete" });
      await stage.enqueue(job("h"));
      const second = await stage.engine.find({ of: "jobs", where: {}, limit: 10, after: first.next ?? "" }, stage.at);
      assert.deepEqual(
        second.rows.map(({ id }) => id),
        ["d", "e", "f", "g", "h"],
      );
    },
  },
  {
    claim: "events by name and all, in pages, in the order of publishing",
    run: async (stage) => {
      await stage.enqueue(
        ...["e0", "e1", "e2", "e3"].map((id, index) => event(id, { name: index % 2 ? "odd" : "even", ...(index === 1 && { orderedBy: ["order"] }) })),
      );
      const page = await stage.engine.find({ of: "events", limit: 3 }, stage.at);
      assert.deepEqual(page.rows[1], { id: "e1", name: "odd", payload: '{"order":"e1"}', publishedAt: start, orderedBy: ["order"] });
      const rest = await stage.engine.find({ of: "events", limit: 3, after: page.next ?? "" }, stage.at);
      assert.deepEqual(
        [...page.rows, ...rest.rows].map(({ id }) => id),
        ["e0", "e1", "e2", "e3"],
      );
      const odd = await stage.engine.find({ of: "events", name: "odd", limit: 1 }, stage.at);
      const odder = await stage.engine.find({ of: "events", name: "odd", limit: 1, after: odd.next ?? "" }, stage.at);
      assert.deepEqual(
        [...odd.rows, ...odder.rows].map(({ id }) => id),
        ["e1", "e3"],
      );
    },
  },
  {
    claim: "processes, closed lanes and locks come in pages too, each once",
    run: async (stage) => {
      for (const name of ["x", "y", "z"]) {
        await stage.enqueue(job(name, { lane: { key: name, width: 1, ifDead: "park" } }), job(`${name}-runs`));
        await stage.claim({ process: name });
        await stage.settle(name, "dead", { reason: "broken" });
        await stage.engine.lock({ name, mode: "write", process: name, ticket: `ticket ${name}`, leaseMs: 8_000, lastFence: 0 }, stage.at);
      }
      assert.deepEqual((await collect(stage, { of: "processes", limit: 2 })).map((row) => (row as { process: string }).process).toSorted(), ["x", "y", "z"]);
      assert.deepEqual((await collect(stage, { of: "lanes", limit: 2 })).map((row) => (row as { lane: string }).lane).toSorted(), ["x", "y", "z"]);
      assert.deepEqual((await collect(stage, { of: "locks", limit: 2 })).map((row) => (row as { name: string }).name).toSorted(), ["x", "y", "z"]);
    },
  },
  {
    claim: "count tells every line and state that has jobs",
    run: async (stage) => {
      await someJobs(stage);
      assert.deepEqual(await stage.counts(), {
        "mail send running": 1,
        "mail send ready": 2,
        "mail send scheduled": 1,
        "mail print scheduled": 1,
        "paper send ready": 1,
        "mail send blocked": 1,
      });
    },
  },
  ...(
    [
      ["a job due later", "time", (stage: Stage) => stage.enqueue(job("a", { delayMs: 5 }))],
      ["a job that retries", "retry", (stage: Stage) => stage.enqueue(job("a")).then(() => stage.run("a", "retry", { delayMs: 5 }))],
      ["a snoozed job", "snooze", (stage: Stage) => stage.enqueue(job("a")).then(() => stage.run("a", "snoozed", { delayMs: 5 }))],
      ["a ready job", "worker", (stage: Stage) => stage.enqueue(job("a"))],
      ["a blocked job", "key", (stage: Stage) => stage.enqueue(member("ahead", "park"), member("a", "park"))],
      ["a parked job", "parked", (stage: Stage) => stage.enqueue(member("a", "park")).then(() => stage.die("a"))],
    ] as const
  ).map(([what, reason, reach]): Case => ({
    claim: `${what} waits for a stated reason: ${reason}`,
    run: async (stage) => {
      await reach(stage);
      const { waits } = await stage.row("a");
      assert.deepEqual([waits?.reason, waits?.since], [reason, start]);
      assert.match(waits?.on ?? "", /\w/);
    },
  })),
  {
    claim: "what does not wait says nothing of waiting",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      assert.equal((await stage.row("a")).waits, undefined);
      await stage.settle("a", "completed");
      assert.equal((await stage.row("a")).waits, undefined);
    },
  },
];

/** a runs; b and f are ready, e on paper; c and d are due later, d to print; g is behind f. */
async function someJobs(stage: Stage): Promise<void> {
  await stage.enqueue(job("a"));
  await stage.claim();
  await stage.enqueue(
    job("b", { unique: { key: "u", mode: { is: "keep" } } }),
    job("c", { delayMs: 5 }),
    job("d", { task: "print", delayMs: 5 }),
    job("e", { queue: "paper" }),
    member("f", "park"),
    member("g", "park"),
  );
}

async function pagesOf(stage: Stage, query: Extract<Query, { where: unknown }>): Promise<string[]> {
  return (await collect(stage, query)).map((row) => (row as { id: string }).id);
}

async function collect(stage: Stage, query: Exclude<Query, { ids: unknown } | { of: "gates" }>): Promise<unknown[]> {
  const rows: unknown[] = [];
  let after: string | undefined;
  for (let page = 0; page < 20; page += 1) {
    const answer = await stage.engine.find({ ...query, ...(after !== undefined && { after }) }, stage.at);
    assert.ok(answer.rows.length <= query.limit);
    rows.push(...answer.rows);
    if (answer.next === undefined) return rows;
    after = answer.next;
  }
  return assert.fail("the pages never came to an end");
}
