/** Completed jobs, many to a row: found by pages in both directions, removed one by one and by retention in pieces, and remembered for as long as they must be. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JobRow, NewJob } from "../../src/core/engine.ts";
import { day, job, join, keep } from "../port/stage.ts";
import { onClaimScene } from "./claimScene.ts";
import type { ClaimScene } from "./claimScene.ts";
import { postgresMissing } from "./server.ts";

/** Of several blocks of numbers. */
const many = 600;
const perPass = 37;
const perPage = 50;
const pageMax = 1_000;
const idsOf = (rows: readonly JobRow[]): string[] => rows.map(({ id }) => id);

describe("completed jobs", { skip: postgresMissing ?? false }, () => {
  it("that ended in any order, alone and together, are found by pages in both directions, with others between them", () =>
    onClaimScene(async (scene) => {
      const ids = await completedOf(
        scene,
        (id) => job(id),
        (n) => n % 10 !== 3,
      );
      const completed = ids.filter((_, n) => n % 10 !== 3);
      assert.deepEqual(await scene.sql("SELECT max(n)::int > 20 AS many FROM (SELECT count(*) AS n FROM errand.completions GROUP BY block) q"), [
        { many: true },
      ]);
      assert.deepEqual(idsOf(await scene.found("completed", perPage)), completed);
      assert.deepEqual(idsOf(await scene.found("completed", perPage, true)), completed.toReversed());
      assert.deepEqual(idsOf(await scene.found("running", perPage, true)), ids.filter((_, n) => n % 10 === 3).toReversed());
      const where = { states: ["completed", "running"], queue: "mail" } as const;
      const page = await scene.engine.find({ of: "jobs", where, limit: pageMax }, scene.at);
      assert.deepEqual(idsOf(page.rows), ids);
      await scene.settled(ids.filter((_, n) => n % 10 === 3));
    }));

  it("that are deleted are gone, alone and together; their ids are free, and nothing makes them live again", () =>
    onClaimScene(async (scene) => {
      const ids = await completedOf(scene, (id) => job(id));
      assert.equal(await scene.change([ids[5] ?? "", "none"], { do: "retry" }), "ended unknown");
      assert.equal(await scene.cancel(ids[6] ?? ""), "ended");
      const [first, second] = [ids.filter((_, n) => n % 3 === 0), ids.filter((_, n) => n % 3 === 1)];
      assert.equal(await scene.change(first, { do: "delete" }), first.map(() => "deleted").join(" "));
      assert.deepEqual(
        idsOf(await scene.found("completed", perPage)),
        ids.filter((_, n) => n % 3 !== 0),
      );
      assert.equal(await scene.change([...second, ...first.slice(0, 2)], { do: "delete" }), [...second.map(() => "deleted"), "unknown", "unknown"].join(" "));
      await scene.enqueue(...first.slice(0, 10).map((id) => job(id)));
      assert.deepEqual(await scene.claim(20), first.slice(0, 10));
      await scene.settled(first.slice(0, 10));
    }));

  it("are removed when their keep is over, in passes as small as they may be, each by its own keep", () =>
    onClaimScene(async (scene) => {
      const ids = await completedOf(scene, (id, n) => job(id, { keep: { ...keep, completed: n % 2 ? day : 2 * day } }));
      scene.now += day - 1;
      assert.equal(await purged(scene), 0);
      scene.now += 1;
      assert.equal(await purged(scene), ids.length / 2);
      assert.deepEqual(
        idsOf(await scene.found("completed", perPage)),
        ids.filter((_, n) => n % 2 === 0),
      );
      await scene.isWhole();
      scene.now += day;
      assert.equal(await purged(scene), ids.length / 2);
      assert.deepEqual(
        await scene.sql("SELECT (SELECT count(*) FROM errand.completions)::int AS completions, (SELECT count(*) FROM errand.jobs)::int AS jobs"),
        [{ completions: 0, jobs: 0 }],
      );
    }));

  it("are remembered beyond their keep, while what comes after them lives, and while their batch is open", () =>
    onClaimScene(async (scene) => {
      const batched = { join: "batch" };
      await scene.enqueue(job("plain"), job("remembered", { rememberMs: 3 * day }), job("before"));
      await scene.enqueue(join("batch"), job("batched", batched), job("late", { ...batched, delayMs: 5 * day }));
      assert.deepEqual(await scene.claim(4), ["plain", "remembered", "before", "batched"]);
      await scene.enqueue(job("then", { after: [{ id: "before", when: "well" }], delayMs: 5 * day }));
      await scene.settled(["plain", "remembered", "before", "batched"]);
      scene.now += day;
      assert.equal(await purged(scene), 1);
      assert.equal(await scene.states("plain", "remembered", "before", "batched", "then"), "unknown completed completed completed scheduled");
      const [again] = await scene.engine.enqueue([{ works: [job("remembered", { rememberMs: 3 * day })] }], scene.at);
      assert.deepEqual(again, [{ id: "remembered", isDuplicate: true, state: "completed" }]);
      await scene.isWhole();
      scene.now += 2 * day;
      assert.equal(await purged(scene), 1);
      assert.equal(await scene.states("remembered", "before", "batched"), "unknown completed completed");
      scene.now += 2 * day;
      assert.deepEqual((await scene.claim(2)).toSorted(), ["late", "then"]);
      await scene.settled(["then", "late"]);
      assert.equal(await purged(scene), 1);
      assert.equal(await scene.states("before", "then", "batched", "late"), "unknown completed completed completed");
      scene.now += day;
      await purged(scene);
      assert.deepEqual(await scene.found(undefined), []);
    }));
});

/** Jobs of several claims, in order, of which those with that number complete: some alone, some with others, in no order. Answers the ids of all. */
async function completedOf(scene: ClaimScene, make: (id: string, n: number) => NewJob, completes: (n: number) => boolean = () => true): Promise<string[]> {
  const ids = Array.from({ length: many }, (_, n) => `job-${n}`);
  for (const from of [0, many / 2]) await scene.enqueue(...ids.slice(from, from + many / 2).map((id, n) => make(id, from + n)));
  for (let claimed = 0; claimed < many; claimed += many / 3) assert.equal((await scene.claim(many / 3)).length, many / 3);
  const ending = ids.filter((_, n) => completes(n));
  const alone = ending.filter((_, n) => n % 9 === 4);
  for (const id of alone) await scene.settled([id]);
  for (const part of [5, 2, 7, 0, 1, 3, 8, 6])
    await scene.settled(ending.filter((_, n) => n % 9 === part).toReversed(), "completed", part % 2 ? scene.engine : scene.other);
  return ids;
}

async function purged(scene: ClaimScene): Promise<number> {
  let all = 0;
  for (let hasMore = true; hasMore;) {
    const pass = await scene.tidy(perPass);
    assert.ok(pass.purged <= perPass, `${pass.purged} in one pass`);
    all += pass.purged;
    ({ hasMore } = pass);
  }
  return all;
}
