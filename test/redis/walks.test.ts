/** What is far between is found though one script looks at 2,000 jobs at most: the next one goes on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change, Engine, JobFilter, NewWork } from "../../src/core/engine.ts";
import { job, join, start } from "../port/stage.ts";
import { freshPlace } from "./places.ts";
import { redisMissing } from "./server.ts";
import { opened } from "./stage.ts";

const at = { now: start };
const many = 4_500;
const perAtom = 500;
const perClaim = 1_000;
const cancel: Change = { do: "cancel", reason: "not wanted" };

describe("among many jobs", { skip: redisMissing ?? false }, () => {
  it("those that came after one are found on one page, either way, and in pages of one", () =>
    withStore(async (engine) => {
      await storeFew(engine);
      assert.deepEqual(await found(engine, { after: "first" }, 10), [["near", "far", "farther"]]);
      assert.deepEqual(await found(engine, { after: "first" }, 10, true), [["farther", "far", "near"]]);
      assert.deepEqual(await found(engine, { after: "first" }, 1), [["near"], ["far"], ["farther"]]);
      assert.deepEqual(await found(engine, { after: "first", states: ["completed"] }, 10), [[]]);
    }));

  it("a change by a filter changes those it means, so many at a time, and says when there are no more", () =>
    withStore(async (engine) => {
      await storeFew(engine);
      const change = async (): Promise<unknown> => {
        const { jobs, hasMore } = await engine.change({ jobs: { after: "first" } }, cancel, 2, at);
        return [jobs.map(({ id, is }) => `${id} ${is}`), hasMore];
      };
      assert.deepEqual(await change(), [["near cancelled", "far cancelled"], true]);
      assert.deepEqual(await change(), [["farther cancelled"], false]);
      assert.deepEqual(await change(), [[], false]);
      assert.equal((await engine.count(at)).find(({ state }) => state === "cancelled")?.jobs, 3);
    }));

  it("the members of a batch that live are found, and cancelled with it, behind those that have ended", () =>
    withStore(async (engine) => {
      const ids = Array.from({ length: many }, (_, n) => `m${n}`);
      await store(engine, [join("J", { isSealed: false })]);
      await store(engine, [...ids.map((id) => job(id, { join: "J" })), job("far", { join: "J" }), job("farther", { join: "J" }), join("J")]);
      await finish(engine, many);
      assert.deepEqual(await found(engine, { join: "J", states: ["ready"] }, 10), [["far", "farther"]]);
      assert.deepEqual(await engine.change({ join: "J" }, cancel, 10, at), {
        jobs: [
          { id: "far", is: "cancelled" },
          { id: "farther", is: "cancelled" },
        ],
        hasMore: false,
      });
      const [row] = (await engine.find({ of: "joins", ids: ["J"] }, at)).rows;
      assert.deepEqual([row?.state, row?.isCancelled, row?.succeeded, row?.failed], ["closed", true, many, 2]);
    }));
});

/** Three came after the first: one soon, two after all others. */
async function storeFew(engine: Engine): Promise<void> {
  const after = [{ id: "first", when: "well" }] as const;
  const others = Array.from({ length: many }, (_, n) => job(`other${n}`));
  await store(engine, [job("first"), job("near", { after }), ...others, job("far", { after }), job("farther", { after })]);
}

async function store(engine: Engine, works: readonly NewWork[]): Promise<void> {
  const atoms = Array.from({ length: Math.ceil(works.length / perAtom) }, (_, n) => ({ works: works.slice(n * perAtom, (n + 1) * perAtom) }));
  for (const answer of await engine.enqueue(atoms, at)) assert.ok(Array.isArray(answer), String(answer));
}

/** Completes so many. */
async function finish(engine: Engine, count: number): Promise<void> {
  for (let left = count; left > 0; left -= perClaim) {
    const claim = `claim ${left}`;
    const queues = [{ queue: "mail", slots: Math.min(perClaim, left), ahead: 0 }];
    const { jobs, fence } = await engine.claim({ process: "p", leaseMs: 8_000, claim, lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, at);
    await engine.settle(
      jobs.map(({ id }) => ({ id, claim, fence, is: "completed", ranMs: 1 })),
      at,
    );
  }
}

/** Ids, page by page. */
async function found(engine: Engine, where: JobFilter, limit: number, newestFirst = false): Promise<string[][]> {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { rows, next } = await engine.find({ of: "jobs", where, limit, newestFirst, ...(after !== undefined && { after }) }, at);
    pages.push(rows.map(({ id }) => id));
    after = next;
  } while (after !== undefined);
  return pages;
}

async function withStore(work: (engine: Engine) => Promise<void>): Promise<void> {
  const { url, prefix, done } = await freshPlace();
  try {
    await using open = await opened(url, { prefix });
    await work(open.engine);
  } finally {
    await done();
  }
}
