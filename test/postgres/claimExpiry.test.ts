/** A process that is gone, with several claims: all it held is taken back, in passes as small as they may be, but for what the app's transactions hold. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TaskTerms } from "../../src/core/engine.ts";
import { limitKey } from "../../src/core/notes.ts";
import { job, leaseMs, start } from "../port/stage.ts";
import { onClaimScene } from "./claimScene.ts";
import type { ClaimScene } from "./claimScene.ts";
import { postgresMissing } from "./server.ts";

const perPass = 7;
const lane = (n: number) => ({ lane: { key: `lane ${n}`, width: 1, ifDead: "continue" as const } });
const ofAll = (state: string, ids: readonly string[]): string => ids.map(() => state).join(" ");

describe("a process that is gone", { skip: postgresMissing ?? false }, () => {
  for (const how of ["COMMIT", "ROLLBACK"] as const) {
    it(`gives back three claims and what ran in rows of its own, in small passes; what callers hold, when they ${how === "COMMIT" ? "have committed, not at all" : "roll back"}`, () =>
      onClaimScene(async (scene) => {
        const ids = await filled(scene);
        const held = [await scene.open(), await scene.open(), await scene.open()];
        for (const [n, id] of ["1-0", "2-5", "lane-1"].entries()) assert.equal(await held[n]?.settle(id), "settled");
        await scene.settled(["0-1", "0-2"], "saved");
        scene.now += leaseMs;
        const free = ids.filter((id) => !["1-0", "2-5", "lane-1"].includes(id));
        assert.equal(await takenBack(scene), free.length);
        assert.equal(await scene.states(...free), ofAll("ready", free));
        assert.equal(await scene.states("1-0", "2-5", "lane-1"), "running running running");
        assert.equal((await scene.beat()).isLost, true);
        assert.deepEqual(
          (await scene.rows("2-0", "0-1")).map(({ starts, suspects, attempts }) => ({ starts, suspects, attempts })),
          [
            { starts: 1, suspects: 1, attempts: 0 },
            { starts: 1, suspects: 1, attempts: 0 },
          ],
        );
        for (const caller of held) await caller.end(how);
        assert.equal(await takenBack(scene), how === "COMMIT" ? 0 : 3);
        assert.equal(await scene.states("1-0", "2-5", "lane-1"), how === "COMMIT" ? "completed completed completed" : "ready ready ready");
        assert.equal((await scene.tidy()).takenBack, 0);
        assert.equal(await scene.settled(free), free.map((id) => `${id} lease-lost ready`).join(", "));
      }));
  }

  it("may settle what nobody took yet, also where a pass took out more than it took back", () =>
    onClaimScene(async (scene) => {
      const ids = await scene.start(20);
      scene.now += leaseMs;
      assert.deepEqual(
        [await scene.tidy(perPass)].map(({ takenBack: jobs, hasMore }) => [jobs, hasMore]),
        [[perPass, true]],
      );
      const back = (await scene.found("ready")).map(({ id }) => id);
      assert.equal(back.length, perPass);
      const others = ids.filter((id) => !back.includes(id));
      assert.equal(await scene.settled(ids), ids.map((id) => (back.includes(id) ? `${id} lease-lost ready` : `${id} settled completed`)).join(", "));
      assert.equal(await takenBack(scene), 0);
      assert.equal(await scene.states(...others), ofAll("completed", others));
      scene.now += leaseMs;
      assert.deepEqual(await scene.claim(20, "p"), []);
      assert.deepEqual((await scene.claim(20, "another")).toSorted(), back.toSorted());
    }));

  it("is looked at by each pass while a caller holds its last job, and keeps no pass from others", () =>
    onClaimScene(async (scene) => {
      await scene.start(1);
      const caller = await scene.open();
      await caller.settle("1", "retry");
      scene.now += leaseMs;
      for (const pass of [1, 2, 3]) assert.equal((await scene.tidy(1)).takenBack, 0, `pass ${pass}`);
      await scene.enqueue(job("2"), job("3"));
      await scene.claim(2, "second");
      scene.now += leaseMs;
      assert.equal((await scene.tidy(2)).takenBack + (await scene.tidy(2)).takenBack, 2);
      await caller.end("COMMIT");
      assert.equal(await scene.states("1", "2", "3"), "ready ready ready");
      assert.deepEqual(await scene.sql("SELECT count(*)::int AS n FROM errand.processes WHERE lease_until < 0"), [{ n: 1 }]);
      await scene.tidy();
      assert.deepEqual(await scene.sql("SELECT count(*)::int AS n FROM errand.processes WHERE lease_until < 0"), [{ n: 0 }]);
    }));

  it("gives back the room of its gates, as those do that settle under them, one by one and together", () =>
    onClaimScene(async (scene) => {
      await scene.engine.enqueue([{ works: [], notes: [{ key: limitKey("g"), value: JSON.stringify({ running: 10 }) }] }], scene.at);
      const terms: Record<string, TaskTerms> = { send: { gates: ["g"], retriesMost: 10, freshFrom: start } };
      const ids = Array.from({ length: 30 }, (_, n) => String(n + 1));
      await scene.enqueue(...ids.map((id) => job(id)));
      assert.equal((await scene.claim(30, "p", { terms })).length, 10);
      const caller = await scene.open();
      await caller.settle("1");
      await scene.settled(["2", "3", "4"]);
      await scene.settled(["5"], "dead");
      assert.equal((await scene.claim(30, "second", { terms })).length, 4);
      await scene.settled(["6", "7", "1"], "completed", scene.other);
      await caller.end("COMMIT");
      assert.equal((await scene.claim(30, "second", { terms })).length, 3);
      scene.now += leaseMs;
      assert.equal(await takenBack(scene), 10);
      assert.equal((await scene.claim(30, "third", { terms })).length, 10);
    }));
});

/** Three claims of ten each, with members of lanes among the last. */
async function filled(scene: ClaimScene): Promise<string[]> {
  const ids: string[] = [];
  for (const claim of [0, 1, 2]) {
    const works = Array.from({ length: 10 }, (_, n) => job(`${claim}-${n}`));
    if (claim === 2) works.push(...[0, 1, 2].map((n) => job(`lane-${n}`, lane(n))));
    await scene.enqueue(...works);
    const claimed = await scene.claim(works.length);
    assert.deepEqual(
      claimed,
      works.map(({ id }) => id),
    );
    ids.push(...claimed);
  }
  return ids;
}

/** By passes that take back so many at most, and until none has more. */
async function takenBack(scene: ClaimScene): Promise<number> {
  let all = 0;
  for (let hasMore = true; hasMore;) {
    const pass = await scene.tidy(perPass);
    assert.ok(pass.takenBack <= perPass, `${pass.takenBack} in one pass`);
    all += pass.takenBack;
    ({ hasMore } = pass);
  }
  return all;
}
