/** Jobs that run many to a row: settled together, in parts, by those who never saw the claim; taken out one by one; and held by the app's open transactions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Outcome } from "../../src/core/engine.ts";
import type { JobState } from "../../src/core/states.ts";
import { job, join, leaseMs } from "../port/stage.ts";
import { onClaimScene } from "./claimScene.ts";
import type { ClaimScene } from "./claimScene.ts";
import { postgresMissing } from "./server.ts";

type Law = Readonly<{ law: string; run: (scene: ClaimScene) => Promise<void> }>;

const ten = 10;
const rest = ["2", "3", "4", "5", "6", "7", "8", "9", "10"] as const;
const ofAll = (state: string, count: number): string => Array.from({ length: count }, () => state).join(" ");
const settledAs = (ids: readonly string[], state: string): string => ids.map((id) => `${id} settled ${state}`).join(", ");

/** What its worker writes while a transaction of the app's holds job 1; and its state when that was rolled back. */
const meanwhile: readonly (readonly [Outcome["is"], JobState])[] = [
  ["completed", "completed"],
  ["skipped", "skipped"],
  ["retry", "ready"],
  ["dead", "dead"],
  ["released", "ready"],
  ["saved", "running"],
];

const held: readonly Law[] = [
  ...meanwhile.flatMap(([is, state]): Law[] => [
    {
      law: `${is} for all meanwhile: the other nine are ${state} at once, the held one when that is rolled back`,
      run: async (scene) => {
        const ids = await scene.start(ten);
        const caller = await scene.open();
        assert.equal(await caller.settle("1"), "settled");
        assert.equal(await scene.settled(ids, is), `1 settled running, ${settledAs(rest, state)}`);
        assert.equal(await scene.states(...ids), `running ${ofAll(state, 9)}`);
        await caller.end("ROLLBACK");
        assert.equal(await scene.states(...ids), ofAll(state, ten));
      },
    },
    {
      law: `${is} for all meanwhile: the caller's outcome counts once when that commits, with its follow-up work`,
      run: async (scene) => {
        const ids = await scene.start(ten);
        const caller = await scene.open();
        assert.equal(await caller.settle("1", "completed", { follow: [job("then", { delayMs: 1_000 })] }), "settled");
        await scene.settled(ids, is, scene.other);
        assert.equal(await scene.states("1", "then"), "running unknown");
        await caller.end("COMMIT");
        assert.equal(await scene.states("1", ...rest, "then"), `completed ${ofAll(state, 9)} scheduled`);
        assert.equal(await scene.settled(["1"]), "1 lease-lost completed");
        await scene.tidy();
        assert.equal((await scene.sql("SELECT count(*)::int AS n FROM errand.jobs"))[0]?.["n"], ten + 1);
      },
    },
  ]),
  {
    law: "the other nine complete, die, are cancelled, saved and released by several, and none of it waits",
    run: async (scene) => {
      await scene.start(ten);
      const caller = await scene.open();
      await caller.settle("1", "retry", { delayMs: 5_000 });
      assert.equal(await scene.settled(["2", "3"]), settledAs(["2", "3"], "completed"));
      assert.equal(await scene.settled(["4"], "dead", scene.other), "4 settled dead");
      assert.equal(await scene.cancel("5"), "cancelling");
      assert.deepEqual((await scene.beat()).cancelled, ["5"]);
      assert.equal(await scene.settled(["5", "6"], "completed", scene.other), "5 cancelled cancelled, 6 settled completed");
      assert.equal(await scene.settled(["7"], "saved"), "7 settled running");
      assert.equal(await scene.settled(["8"], "released"), "8 settled ready");
      assert.equal(await scene.settled(["7", "9"]), settledAs(["7", "9"], "completed"));
      assert.deepEqual(await scene.claim(), ["8"]);
      await caller.end("COMMIT");
      assert.equal(await scene.states("1", "8", "10"), "scheduled running running");
      assert.equal(await scene.settled(["8", "10"]), settledAs(["8", "10"], "completed"));
    },
  },
  {
    law: "a cancel that meets the held one counts when it is rolled back; committed, the completion counts",
    run: async (scene) => {
      await scene.start(ten);
      const [one, two] = [await scene.open(), await scene.open()];
      await one.settle("1");
      await two.settle("2");
      assert.equal(`${await scene.cancel("1")} ${await scene.cancel("2")}`, "cancelling cancelling");
      await one.end("ROLLBACK");
      await two.end("COMMIT");
      assert.deepEqual((await scene.beat()).cancelled, []);
      assert.equal(await scene.states("1", "2"), "running completed");
      assert.deepEqual((await scene.beat()).cancelled, ["1"]);
      assert.equal(await scene.settled(["1"]), "1 cancelled cancelled");
    },
  },
  {
    law: "what a caller only saved goes on under its claim, and completes with the rest",
    run: async (scene) => {
      const ids = await scene.start(ten);
      const caller = await scene.open();
      assert.equal(await caller.settle("1", "saved", { checkpoint: "7" }), "settled");
      assert.equal(await caller.settle("2", "saved", { checkpoint: "8" }), "settled");
      assert.equal(await caller.settle("2"), "settled");
      await caller.end("COMMIT");
      assert.deepEqual(
        (await scene.rows("1")).map(({ state, checkpoint }) => [state, checkpoint]),
        [["running", "7"]],
      );
      assert.equal(
        await scene.settled(ids.filter((id) => id !== "2")),
        settledAs(
          ids.filter((id) => id !== "2"),
          "completed",
        ),
      );
      assert.equal(await scene.states("2"), "completed");
    },
  },
  {
    law: "a caller that settles a job twice is told so, and what it does in a savepoint that it leaves is undone",
    run: async (scene) => {
      const ids = await scene.start(3);
      const caller = await scene.open();
      await caller.client.query("SAVEPOINT a");
      assert.equal(await caller.settle("1"), "settled");
      assert.equal(await caller.settle("1"), "lease-lost");
      await caller.client.query("ROLLBACK TO a");
      assert.equal(await scene.settled(["1"], "retry"), "1 settled ready");
      assert.equal(await caller.settle("1"), "lease-lost");
      assert.equal(await caller.settle("3"), "settled");
      await caller.end("COMMIT");
      assert.equal(await scene.states(...ids), "ready running completed");
    },
  },
  {
    law: "follow-up work that is refused leaves its job running, also when the caller commits",
    run: async (scene) => {
      const ids = await scene.start(2);
      const caller = await scene.open();
      assert.equal(await caller.settle("1", "completed", { follow: [job("then", { join: "unknown" })] }), "refused");
      await caller.end("COMMIT");
      assert.equal(await scene.states(...ids, "then"), "running running unknown");
      assert.equal(await scene.settled(ids), settledAs(ids, "completed"));
    },
  },
  {
    law: "a caller that was told lease-lost holds nothing: the job's next run settles and is cancelled at once, and its claim as one",
    run: async (scene) => {
      await scene.start(3);
      await scene.settled(["1", "2"], "retry");
      const old = scene.outcome("1");
      assert.deepEqual(await scene.claim(), ["1", "2"]);
      const caller = await scene.open();
      const told = await scene.engine.settle([old, scene.outcome("unknown"), { ...scene.outcome("3"), claim: "none" }], { ...scene.at, tx: caller.client });
      assert.deepEqual(
        told.map(({ is }) => is),
        ["lease-lost", "lease-lost", "lease-lost"],
      );
      assert.equal(await scene.cancel("2"), "cancelling");
      assert.deepEqual((await scene.beat()).cancelled, ["2"]);
      assert.equal(await scene.settled(["1", "2", "3"]), "1 settled completed, 2 cancelled cancelled, 3 settled completed");
      await caller.end("COMMIT");
    },
  },
];

const parts: readonly Law[] = [
  ...(["here", "elsewhere"] as const).map((where) => ({
    law: `settled part by part, in any order, with duplicates and unknown ids, by an engine that ${where === "here" ? "made the claim" : "never saw it"}`,
    run: async (scene: ClaimScene) => {
      const engine = where === "here" ? scene.engine : scene.other;
      const ids = await scene.start(ten, { rememberMs: 1_000 });
      assert.equal(await scene.settled(["9", "2"], "completed", engine), settledAs(["9", "2"], "completed"));
      assert.equal(
        await scene.settled(["5", "none", "5", "4"], "completed", engine),
        "5 settled completed, none lease-lost, 5 lease-lost completed, 4 settled completed",
      );
      assert.equal(await scene.settled(["2", "1"], "completed", engine), "2 lease-lost completed, 1 settled completed");
      assert.equal(await scene.settled(["10", "3", "6"], "retry", engine), settledAs(["10", "3", "6"], "ready"));
      assert.equal(await scene.settled(["3", "8", "7"], "completed", engine), "3 lease-lost ready, 8 settled completed, 7 settled completed");
      assert.deepEqual(await scene.claim(), ["3", "6", "10"]);
      assert.equal(
        await scene.settled(ids, "completed", engine),
        ids.map((id) => (["3", "6", "10"].includes(id) ? `${id} settled completed` : `${id} lease-lost completed`)).join(", "),
      );
      assert.deepEqual(await scene.sql("SELECT * FROM errand.claims"), []);
    },
  })),
  {
    law: "a job that retried and was claimed again is the new claim's alone, while the old one has members",
    run: async (scene) => {
      await scene.start(ten);
      const old = scene.outcome("5");
      await scene.settled(["5"], "retry");
      assert.deepEqual(await scene.claim(), ["5"]);
      assert.deepEqual(await scene.settle([old]), [{ id: "5", is: "lease-lost", state: "running" }]);
      assert.deepEqual(await scene.settle([old], scene.other), [{ id: "5", is: "lease-lost", state: "running" }]);
      assert.equal((await scene.rows("5"))[0]?.claim?.fence, scene.held("5").fence);
      for (const wrong of [{ claim: "none" }, { fence: old.fence }]) {
        assert.deepEqual(await scene.settle([scene.outcome("5", "completed", wrong)]), [{ id: "5", is: "lease-lost", state: "running" }]);
      }
      assert.equal(await scene.settled(["4", "5", "6"]), settledAs(["4", "5", "6"], "completed"));
      assert.equal(
        await scene.settled(["1", "2", "3", "7", "8", "9", "10"], "completed", scene.other),
        settledAs(["1", "2", "3", "7", "8", "9", "10"], "completed"),
      );
    },
  },
  {
    law: "an id that was used again names its new job, also where the old one's lease was lost here",
    run: async (scene) => {
      await scene.start(2);
      await scene.settled(["1"], "completed", scene.other);
      assert.equal(await scene.change(["1"], { do: "delete" }), "deleted");
      await scene.enqueue(job("1", { lane: { key: "lane", width: 1, ifDead: "continue" } }));
      assert.deepEqual(await scene.claim(), ["1"]);
      assert.equal(await scene.settled(["1", "2"]), settledAs(["1", "2"], "completed"));
    },
  },
  {
    law: "two calls that settle the same job at once tell each of their own",
    run: async (scene) => {
      const ids = await scene.start(ten);
      const twice = await Promise.all([scene.settled(["1", "2", "3"]), scene.settled(["4", "3"]), scene.settled(["5", "3"])]);
      assert.equal(twice.join(", ").match(/3 settled completed/g)?.length, 1, twice.join("; "));
      assert.equal(twice.join(", ").match(/3 lease-lost completed/g)?.length, 2, twice.join("; "));
      assert.equal(await scene.states("1", "2", "3", "4", "5"), ofAll("completed", 5));
      await scene.settled(ids);
    },
  },
  {
    law: "jobs of several retentions and tasks of one claim stand apart, and are settled in one call",
    run: async (scene) => {
      const ids = Array.from({ length: ten }, (_, n) => String(n + 1));
      await scene.enqueue(
        ...ids.map((id, n) => job(id, { task: n % 2 ? "send" : "bill", keep: { completed: 1 + (n % 3), skipped: 1, cancelled: 1, dead: 1 } })),
      );
      assert.equal((await scene.claim(ten, "p", { tasks: ["send", "bill"] })).length, ten);
      assert.deepEqual(await scene.sql("SELECT count(*)::int AS n FROM errand.claims"), [{ n: 6 }]);
      const caller = await scene.open();
      await caller.settle("6");
      assert.equal(
        await scene.settled(["7", "1", "4", "10", "6"]),
        "7 settled completed, 1 settled completed, 4 settled completed, 10 settled completed, 6 settled running",
      );
      await caller.end("ROLLBACK");
      assert.equal(await scene.settled(["2", "3", "5", "8", "9"]), settledAs(["2", "3", "5", "8", "9"], "completed"));
      assert.equal(await scene.states(...ids), ofAll("completed", ten));
    },
  },
  {
    law: "its process beats while one runs; idle, it writes nothing",
    run: async (scene) => {
      const ids = await scene.start(ten);
      await scene.settled(["1"], "saved");
      scene.now += leaseMs / 2;
      await scene.beat();
      const lease = "SELECT lease_until::text FROM errand.processes";
      assert.deepEqual(await scene.sql(lease), [{ lease_until: String(scene.now + leaseMs) }]);
      await scene.settled(ids);
      scene.now += leaseMs / 2;
      const before = await scene.sql(`${lease}; SELECT 1`);
      await scene.beat();
      assert.deepEqual(await scene.sql(`${lease}; SELECT 1`), before);
      assert.deepEqual(await scene.sql(lease), [{ lease_until: String(scene.now - leaseMs / 2 + leaseMs) }]);
      scene.now += leaseMs;
      await scene.tidy();
      assert.deepEqual(await scene.sql(lease), []);
    },
  },
];

const ties: readonly Law[] = [
  { name: "runs", isHeld: false, how: "COMMIT" } as const,
  { name: "a caller holds that commits", isHeld: true, how: "COMMIT" } as const,
  { name: "a caller holds that rolls back", isHeld: true, how: "ROLLBACK" } as const,
].flatMap(({ name, isHeld, how }): Law[] => [
  {
    law: `what comes after a job that ${name} starts when that has ended, once`,
    run: async (scene) => {
      const ids = await scene.start(ten);
      const caller = await scene.open();
      if (isHeld) await caller.settle("1");
      await scene.enqueue(job("then", { after: [{ id: "1", when: "well" }] }), job("else", { after: [{ id: "2", when: "badly" }] }));
      assert.equal(await scene.settled(rest), settledAs(rest, "completed"));
      assert.equal(await scene.states("then", "else"), "blocked skipped");
      await caller.end(how);
      await scene.settled(["1"]);
      assert.equal(await scene.states("1", "then"), "completed ready");
      assert.deepEqual(await scene.claim(), ["then"]);
      assert.equal(await scene.settled(["then", ...ids]), `then settled completed, ${ids.map((id) => `${id} lease-lost completed`).join(", ")}`);
    },
  },
  {
    law: `a batch that has a job that ${name} for its member closes when that has ended, once`,
    run: async (scene) => {
      const ids = await scene.start(ten, { rememberMs: 1_000 });
      const caller = await scene.open();
      if (isHeld) await caller.settle("1");
      await scene.enqueue(join("batch", { isSealed: true }), job("1", { rememberMs: 1_000, join: "batch" }));
      await scene.enqueue(job("after-all", { after: [{ id: "batch", when: "well" }] }));
      await scene.settled(rest);
      assert.equal(await scene.states("after-all"), "blocked");
      await caller.end(how);
      await scene.settled(["1"]);
      await scene.tidy();
      assert.equal(await scene.states(...ids, "after-all"), `${ofAll("completed", ten)} ready`);
    },
  },
]);

describe("of ten jobs of one claim an open transaction holds one", { skip: postgresMissing ?? false }, () => {
  for (const { law, run } of held) it(law, () => onClaimScene(run));
});
describe("the jobs of a claim", { skip: postgresMissing ?? false }, () => {
  for (const { law, run } of parts) it(law, () => onClaimScene(run));
});
describe("tied while it runs", { skip: postgresMissing ?? false }, () => {
  for (const { law, run } of ties) it(law, () => onClaimScene(run));
});
