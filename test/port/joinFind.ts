/** find: jobs by their joins and predecessors, joins, gates. */
import assert from "node:assert/strict";
import type { JobFilter } from "../../src/core/engine.ts";
import { job, join, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const filters: readonly { readonly where: JobFilter; readonly found: readonly string[] }[] = [
  { where: { join: "J" }, found: ["stands", "j1", "j2"] },
  { where: { join: "P" }, found: ["p1"] },
  { where: { join: "J", states: ["completed"] }, found: ["j1"] },
  { where: { join: "nobody" }, found: [] },
  { where: { join: "j1" }, found: [] },
  { where: { after: "j1" }, found: ["j2", "then"] },
  { where: { after: "J" }, found: ["then", "fails"] },
  { where: { after: "J", states: ["blocked"] }, found: ["then", "fails"] },
  { where: { after: "nobody" }, found: [] },
  { where: { before: "j2" }, found: ["j1"] },
  { where: { before: "then" }, found: ["stands", "j1", "j2"] },
  { where: { before: "then", task: "print" }, found: ["stands"] },
  { where: { before: "j1" }, found: [] },
  { where: { before: "nobody" }, found: [] },
  { where: { before: "J" }, found: [] },
];

export const cases: readonly Case[] = [
  ...filters.flatMap(({ where, found }) =>
    [1, 2, 100].map((limit): Case => ({
      claim: `jobs where ${JSON.stringify(where)}, in pages of ${limit}: each once, in the order of enqueue, and backwards`,
      run: async (stage) => {
        await some(stage);
        assert.deepEqual(await jobPages(stage, where, limit, false), found);
        assert.deepEqual(await jobPages(stage, where, limit, true), found.toReversed());
      },
    })),
  ),
  {
    claim: "a job is told its joins, its own first, and what it comes after",
    run: async (stage) => {
      await some(stage);
      await stage.enqueue(join("K"), job("j1", { join: "K" }));
      assert.deepEqual((await stage.row("j1")).joins, ["J", "K"]);
      await stage.enqueue(join("L", { isSealed: false }), job("j2", { join: "L" }));
      assert.deepEqual((await stage.row("j2")).joins, ["J", "L"]);
      assert.deepEqual((await stage.row("then")).after, [
        { id: "J", when: "well" },
        { id: "j1", when: "ended" },
      ]);
      assert.deepEqual([(await stage.row("stands")).joins, (await stage.row("stands")).after], [["J"], undefined]);
    },
  },
  ...[1, 2, 100].map((limit): Case => ({
    claim: `joins in pages of ${limit}: those within none, and those within one, in the order of storing, and backwards`,
    run: async (stage) => {
      await some(stage);
      assert.deepEqual(await joinPages(stage, undefined, limit), ["P", "Q"]);
      assert.deepEqual(await joinPages(stage, "P", limit), ["J", "R"]);
      assert.deepEqual(await joinPages(stage, "P", limit, true), ["R", "J"]);
      assert.deepEqual(await joinPages(stage, "J", limit), []);
      assert.deepEqual(await joinPages(stage, "nobody", limit), []);
    },
  })),
  {
    claim: "joins by ids: those that are known, in the order of storing",
    run: async (stage) => {
      await some(stage);
      const { rows, next, now } = await stage.engine.find({ of: "joins", ids: ["R", "nobody", "J", "P", "j1", "J"] }, stage.at);
      assert.deepEqual([rows.map(({ id }) => id), next, now], [["P", "J", "R"], undefined, start]);
    },
  },
  {
    claim: "the states of a join: staged, waiting, open, closed",
    run: async (stage) => {
      await stage.enqueue(job("x"), join("staged", { isSealed: false }), join("waiting", { after: [{ id: "x", when: "well" }] }), join("open"), join("closed"));
      await stage.enqueue(join("late"), job("m", { join: "late" })).then(() => stage.enqueue(join("inner", { join: "staged" })));
      const { rows } = await stage.engine.find({ of: "joins", limit: 10 }, stage.at);
      assert.deepEqual(
        rows.map(({ id, state }) => `${id} ${state}`),
        ["staged staged", "waiting waiting", "open closed", "closed closed", "late open"],
      );
      assert.equal((await stage.joinRow("inner")).state, "waiting");
    },
  },
  {
    claim: "gates by name: who uses them now; names without a note and without use are left out",
    run: async (stage) => {
      await stage.limit("running", { running: 3 });
      await stage.limit("starts", { starts: 2, everyMs: 1_000 });
      await stage.limit("unused", { running: 1 });
      await stage.resource("gpu", 8);
      await stage.enqueue(job("a"), job("b"));
      await stage.claim({ terms: { send: { gates: ["running", "starts", "no note"], needs: { gpu: 2 } } } });
      const names = ["unused", "starts", "running", "nobody", "no note", "gpu"];
      const { rows } = await stage.engine.find({ of: "gates", names }, stage.at);
      assert.deepEqual(rows, [
        { name: "gpu", kind: "resource", used: 4, most: 8 },
        { name: "no note", kind: "limit", used: 2 },
        { name: "running", kind: "limit", used: 2, most: 3 },
        { name: "starts", kind: "limit", used: 2, most: 2, freeAt: start + 1_000 },
        { name: "unused", kind: "limit", used: 0, most: 1 },
      ]);
    },
  },
];

/** P holds J, p1 and R; Q stands alone. J holds j1 (completed), j2, and "stands", which was there before it. */
async function some(stage: Stage): Promise<void> {
  await stage.enqueue(job("stands", { task: "print" }));
  await stage.enqueue(
    join("P"),
    join("J", { join: "P" }),
    job("j1", { join: "J" }),
    job("p1", { join: "P" }),
    job("j2", { join: "J", after: [{ id: "j1", when: "well" }] }),
    job("stands", { join: "J", task: "print" }),
    join("Q"),
    join("R", { join: "P" }),
    job("then", {
      after: [
        { id: "J", when: "well" },
        { id: "j1", when: "ended" },
      ],
    }),
    job("fails", { after: [{ id: "J", when: "badly" }] }),
  );
  await stage.claim({ slots: 1 });
  await stage.settle("j1", "completed");
}

async function jobPages(stage: Stage, where: JobFilter, limit: number, newestFirst: boolean): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await stage.engine.find({ of: "jobs", where, limit, newestFirst, ...(after !== undefined && { after }) }, stage.at);
    assert.ok(page.rows.length <= limit);
    found.push(...page.rows.map(({ id }) => id));
    after = page.next;
  }
  return found;
}

async function joinPages(stage: Stage, parent: string | undefined, limit: number, newestFirst = false): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const query = { of: "joins", limit, newestFirst, ...(parent !== undefined && { parent }), ...(after !== undefined && { after }) } as const;
    const page = await stage.engine.find(query, stage.at);
    assert.ok(page.rows.length <= limit);
    found.push(...page.rows.map(({ id }) => id));
    after = page.next;
  }
  return found;
}
