/** Several transactions of the app's on the jobs of one claim: at every isolation level none settles what another has, nobody waits for ever, and verbs wait for none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Outcome } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { job, leaseMs } from "../port/stage.ts";
import { onClaimScene } from "./claimScene.ts";
import type { Caller, ClaimScene } from "./claimScene.ts";
import { postgresMissing } from "./server.ts";

type Law = Readonly<{ law: string; run: (scene: ClaimScene) => Promise<void> }>;

const skip = postgresMissing ?? false;
const levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] as const;
/** With a snapshot that was taken before what the law does then. */
const begun = (level: string): string => `BEGIN ISOLATION LEVEL ${level}; SELECT 1`;
const asked = (call: Promise<string>): Promise<string> => call.catch((error: unknown) => (error instanceof ErrandError ? error.code : String(error)));

/** What others do to job 1 after the caller's snapshot; what a caller that sees it is told; and the state that it leaves. */
const others: readonly Readonly<{ what: string; told: string; state: string; act: (scene: ClaimScene) => Promise<unknown> }>[] = [
  { what: "completed with others", told: "lease-lost", state: "completed", act: (scene) => scene.settled(["1", "2"]) },
  { what: "completed with its whole claim", told: "lease-lost", state: "completed", act: (scene) => scene.settled(["1", "2", "3"]) },
  { what: "completed by its id", told: "lease-lost", state: "completed", act: (scene) => scene.settled(["1"], "completed", scene.other) },
  { what: "completed with a result", told: "lease-lost", state: "completed", act: (scene) => scene.settle([scene.outcome("1", "completed", { result: "1" })]) },
  { what: "to be tried again", told: "lease-lost", state: "ready", act: (scene) => scene.settled(["1"], "retry") },
  { what: "dead", told: "lease-lost", state: "dead", act: (scene) => scene.settled(["1"], "dead") },
  { what: "saved", told: "settled", state: "completed", act: (scene) => scene.settled(["1"], "saved") },
  { what: "cancelled", told: "cancelled", state: "cancelled", act: (scene) => scene.cancel("1") },
  {
    what: "claimed again",
    told: "lease-lost",
    state: "running",
    act: async (scene) => {
      await scene.settled(["1"], "retry");
      const old = scene.outcome("1");
      assert.deepEqual(await scene.claim(), ["1"]);
      scene.hold("1", old);
    },
  },
  {
    what: "taken back",
    told: "lease-lost",
    state: "ready",
    act: async (scene) => {
      scene.now += leaseMs;
      await scene.tidy();
    },
  },
  { what: "completed by another transaction", told: "lease-lost", state: "completed", act: async (scene) => ended(await scene.open(), "COMMIT") },
  {
    what: "completed by another transaction that was rolled back",
    told: "settled",
    state: "completed",
    act: async (scene) => ended(await scene.open(), "ROLLBACK"),
  },
  {
    what: "completed by another transaction, and that is taken in",
    told: "lease-lost",
    state: "completed",
    act: async (scene) => {
      await ended(await scene.open(), "COMMIT");
      await scene.tidy();
    },
  },
];

const snapshots: readonly Law[] = levels.flatMap((level) =>
  others.flatMap(({ what, told, state, act }) =>
    (
      (["saved", "cancelled", "completed with its whole claim", "completed by another transaction"].includes(what)
        ? ["completed", "saved"]
        : ["completed"]) as Outcome["is"][]
    ).map((is) => ({
      law: `${level}: a job that was ${what} since its snapshot is not ${is} over that`,
      run: async (scene: ClaimScene) => {
        await scene.start(3);
        const caller = await scene.open(begun(level));
        await act(scene);
        const isOld = level !== "READ COMMITTED" && !what.includes("rolled back");
        const answer = await asked(caller.settle("1", is, { checkpoint: "9" }));
        assert.equal(answer, isOld ? "conflict-retry" : told === "cancelled" && is === "saved" ? "settled" : told);
        await caller.end(isOld ? "ROLLBACK" : "COMMIT");
        const stands =
          isOld && (what === "saved" || what === "cancelled") ? "running" : is === "saved" && ["settled", "cancelled"].includes(told) ? "running" : state;
        assert.equal(await scene.states("1"), stands);
        // What is made again sees what was done.
        if (isOld) assert.equal(await again(scene, level), told);
        await scene.tidy();
      },
    })),
  ),
);

const between: readonly Law[] = levels.flatMap((level): Law[] => [
  {
    law: `${level}: two callers on one job: the second waits for the first, and is told of its commit`,
    run: async (scene) => {
      const ids = await scene.start(3);
      const [one, two] = [await scene.open(begun(level)), await scene.open(begun(level))];
      assert.equal(await one.settle("1"), "settled");
      const second = asked(two.settle("1", "retry"));
      await scene.isWaiting(two);
      assert.equal(await scene.settled(["1", "2"]), "1 settled running, 2 settled completed");
      await one.end("COMMIT");
      assert.equal(await second, level === "READ COMMITTED" ? "lease-lost" : "conflict-retry");
      await two.end("COMMIT");
      assert.equal(await scene.states(...ids), "completed completed running");
    },
  },
  {
    law: `${level}: two callers on one job: the second settles it when the first rolls back`,
    run: async (scene) => {
      await scene.start(3);
      const [one, two] = [await scene.open(begun(level)), await scene.open(begun(level))];
      await one.settle("1");
      const second = asked(two.settle("1", "retry"));
      await scene.isWaiting(two);
      await one.end("ROLLBACK");
      assert.equal(await second, "settled");
      await two.end("COMMIT");
      assert.equal(await scene.states("1"), "ready");
    },
  },
  {
    law: `${level}: two callers on two jobs of a claim wait for nobody, and both count`,
    run: async (scene) => {
      await scene.start(3);
      const [one, two] = [await scene.open(begun(level)), await scene.open(begun(level))];
      assert.equal(await one.settle("1"), "settled");
      assert.equal(await asked(two.settle("2")), "settled");
      assert.equal(await scene.settled(["3"]), "3 settled completed");
      // Where all is to be as if they came one after the other, the server gives up one that did not see the other.
      const ends = [await committed(one), await committed(two)];
      if (level !== "SERIALIZABLE") assert.deepEqual(ends, [true, true]);
      assert.ok(ends.includes(true));
      for (const id of ["1", "2"]) if ((await scene.states(id)) === "running") assert.equal(await again(scene, level, id), "settled");
      assert.equal(await scene.states("1", "2", "3"), "completed completed completed");
    },
  },
  {
    law: `${level}: however much of its claim ends meanwhile, a caller is to be run again once at most`,
    run: async (scene) => {
      await scene.start(5);
      const caller = await scene.open(begun(level));
      await scene.settled(["2"]);
      assert.equal(await asked(caller.settle("1")), level === "READ COMMITTED" ? "settled" : "conflict-retry");
      await caller.end("COMMIT");
      const second = await scene.open(begun(level));
      await scene.settled(["3", "4"]);
      assert.equal(await asked(second.settle("1")), level === "READ COMMITTED" ? "lease-lost" : "settled");
      await second.end("COMMIT");
      assert.equal(await scene.states("1", "2", "3", "4", "5"), "completed completed completed completed running");
    },
  },
  {
    law: `${level}: a caller that settles two jobs of a claim, and one that does so in the other order: one is to be run again at most, and the jobs complete once`,
    run: async (scene) => {
      await scene.start(3);
      const [one, two] = [await scene.open(begun(level)), await scene.open(begun(level))];
      for (const { client } of [one, two]) await client.query("SET LOCAL deadlock_timeout = '20ms'");
      await one.settle("1");
      await two.settle("2");
      const first = asked(one.settle("2")).then((answer) => finished(one, answer));
      const second = asked(two.settle("1")).then((answer) => finished(two, answer));
      const answers = [await first, await second].toSorted();
      assert.deepEqual(answers, ["conflict-retry", "settled"]);
      assert.equal(await scene.states("1", "2", "3"), "completed completed running");
    },
  },
]);

const waiting: readonly Law[] = levels.flatMap((level): Law[] =>
  (
    [
      ["cancels it", "cancelled", "cancelled", `verb_change('{"ids": ["1"]}', '{"do": "cancel", "reason": "no"}', 1, $now)`],
      ["saves it", "settled", "completed", 'verb_settle(\'[{"id": "1", "claim": $claim, "fence": $fence, "is": "saved", "checkpoint": "1"}]\', $now)'],
      ["ends it", "lease-lost", "dead", 'verb_settle(\'[{"id": "1", "claim": $claim, "fence": $fence, "is": "dead"}]\', $now)'],
    ] as const
  ).map(([verb, told, state, call]) => ({
    law: `${level}: a caller that meets a verb which ${verb} sees what that did`,
    run: async (scene: ClaimScene) => {
      await scene.start(3);
      const { claim, fence } = scene.held("1");
      const busy = await scene.open();
      const caller = await scene.open(begun(level));
      await busy.client.query(
        `SELECT ${scene.schema}.${call.replace("$claim", JSON.stringify(claim)).replace("$fence", String(fence)).replace("$now", String(scene.now))}`,
      );
      const answer = asked(caller.settle("1"));
      await scene.isWaiting(caller);
      await busy.end("COMMIT");
      if (level === "READ COMMITTED") {
        assert.equal(await answer, told);
        await caller.end("COMMIT");
      } else {
        assert.equal(await answer, "conflict-retry");
        assert.equal(await again(scene, level), told);
      }
      assert.equal(await scene.states("1"), state);
    },
  })),
);

const crowds: readonly Law[] = [
  {
    law: "a caller that waited in vain holds nothing while it goes on: the job's next run is settled at once, and its claim as one",
    run: async (scene) => {
      await scene.start(3);
      const [one, two] = [await scene.open(), await scene.open()];
      await one.settle("1", "retry");
      const second = asked(two.settle("1"));
      await scene.isWaiting(two);
      await one.end("COMMIT");
      assert.equal(await second, "lease-lost");
      assert.deepEqual(await scene.claim(), ["1"]);
      assert.equal(await scene.settled(["1", "2"]), "1 settled completed, 2 settled completed");
      const { rows } = await two.client.query("SELECT * FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'");
      assert.deepEqual(rows, []);
      await two.end("COMMIT");
    },
  },
  {
    law: "ten callers at once on ten jobs, each with its own, while their worker completes all: each counts once, nobody waits",
    run: async (scene) => {
      const ids = await scene.start(10);
      const callers = await Promise.all(ids.map(() => scene.open()));
      await Promise.all(callers.map((caller, n) => caller.settle(ids[n] ?? "", n % 2 ? "completed" : "retry", { delayMs: 9_000 })));
      const settled = scene.settled(ids);
      await Promise.all([settled, ...callers.map((caller, n) => caller.end(n % 3 ? "COMMIT" : "ROLLBACK"))]);
      assert.equal(await scene.states(...ids), ids.map((_, n) => (n % 3 && n % 2 === 0 ? "scheduled" : "completed")).join(" "));
    },
  },
  {
    law: "a caller whose connection breaks gives its job back",
    run: async (scene) => {
      await scene.start(3);
      const caller = await scene.open();
      await caller.settle("1");
      assert.equal(await scene.settled(["1"]), "1 settled running");
      await caller.client.end();
      await scene.isGone(caller);
      assert.equal(await scene.states("1"), "completed");
    },
  },
  {
    law: "a job with a lane, of the same claim, is held as one of its own row",
    run: async (scene) => {
      await scene.enqueue(job("ordered", { lane: { key: "lane", width: 1, ifDead: "continue" } }));
      await scene.enqueue(job("plain"));
      await scene.claim();
      const caller = await scene.open(begun("REPEATABLE READ"));
      await caller.settle("ordered");
      assert.equal(await scene.settled(["ordered", "plain"]), "ordered settled running, plain settled completed");
      await caller.end("COMMIT");
      assert.equal(await scene.states("ordered"), "completed");
    },
  },
];

for (const [name, laws] of Object.entries({
  "what others did since a caller's snapshot": snapshots,
  "callers beside each other": between,
  "a caller beside a verb": waiting,
  "many callers": crowds,
})) {
  describe(name, { skip }, () => {
    for (const { law, run } of laws) it(law, () => onClaimScene(run));
  });
}

async function ended(caller: Caller, how: "COMMIT" | "ROLLBACK"): Promise<void> {
  await caller.settle("1");
  await caller.end(how);
}

async function finished(caller: Caller, answer: string): Promise<string> {
  await caller.end(answer === "settled" ? "COMMIT" : "ROLLBACK");
  return answer;
}

async function committed(caller: Caller): Promise<boolean> {
  return caller.end("COMMIT").then(
    () => true,
    () => false,
  );
}

async function again(scene: ClaimScene, level: string, id = "1"): Promise<string> {
  const caller = await scene.open(begun(level));
  const answer = await asked(caller.settle(id));
  await caller.end("COMMIT");
  return answer;
}
