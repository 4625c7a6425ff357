/** A process killed around `job.commit`: the rows of its transaction and the completion of its job are both there or both not, and an effect happens once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chargesIn } from "./charges.ts";
import { charging, type KillPoint } from "./definitions.ts";
import { Fleet } from "./fleet.ts";
import { stores, type CrashStore } from "./stores.ts";

/** How many rows each job left. */
async function rowsOf({ url }: CrashStore): Promise<ReadonlyMap<number, number>> {
  const charges = await chargesIn(url);
  try {
    return await charges.rows();
  } finally {
    await charges.close();
  }
}

const points: readonly { readonly killAt: KillPoint; readonly starts: number }[] = [
  { killAt: "before the completion", starts: 2 },
  { killAt: "before the commit", starts: 2 },
  { killAt: "after the commit", starts: 1 },
];

for (const { name, skip, fresh } of stores.filter(({ hasTransactions }) => hasTransactions)) {
  for (const { killAt, starts } of points) {
    test(
      `killed ${killAt}: the job runs ${starts === 1 ? "no more" : "once more"}, and its effect and its follow-up are there once (${name})`,
      { skip },
      async () => {
        const store = await fresh();
        await using fleet = new Fleet(store);
        await fleet.work.enqueue(charging.with({ n: 1, killAt, ms: 0 }));
        const victim = await fleet.worker({ hands: 1 });
        if (victim.exitCode === null && victim.signalCode === null) await new Promise((resolve) => victim.once("exit", resolve));
        assert.equal(victim.signalCode, "SIGKILL");
        assert.deepEqual([...(await rowsOf(store))], killAt === "after the commit" ? [[1, 1]] : []);
        await fleet.worker({ hands: 1 });
        await fleet.until("completed", async () => (await fleet.work.count()).completed === 2, 30);
        assert.deepEqual([...(await rowsOf(store))], [[1, 1]]);
        assert.equal(fleet.lines().filter((line) => line.is === "start" && line.task === "charging").length, starts);
        assert.equal((await fleet.work.count({ task: "brief" })).completed, 1);
      },
    );
  }

  test(`300 effects through 12 SIGKILLs of the workers, each there exactly once (${name})`, { skip }, async (context) => {
    const store = await fresh();
    await using fleet = new Fleet(store);
    const jobs = 300;
    await fleet.work.enqueue(Array.from({ length: jobs }, (_, n) => charging.with({ n, killAt: "never", ms: 100 })));
    let workers = [await fleet.worker({ hands: 5 }), await fleet.worker({ hands: 5 })];
    for (let kill = 0; kill < 12; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 60 + ((kill * 37) % 80)));
      const victim = workers.shift();
      if (victim !== undefined) await fleet.end(victim, "SIGKILL");
      workers = [...workers, await fleet.worker({ hands: 5 })];
    }
    await fleet.until("all completed", async () => (await fleet.work.count({ task: "charging" })).completed === jobs, 90);
    await fleet.until("all follow-ups completed", async () => (await fleet.work.count({ task: "brief" })).completed === jobs, 30);
    const rows = await rowsOf(store);
    assert.equal(rows.size, jobs);
    assert.deepEqual(
      [...rows].filter(([, count]) => count !== 1),
      [],
    );
    const starts = fleet.lines().filter((line) => line.is === "start" && line.task === "charging").length;
    context.diagnostic(`kills 12, jobs ${jobs}, runs ${starts}, effects ${[...rows.values()].reduce((sum, count) => sum + count, 0)}`);
    assert.ok(starts > jobs, "no run was killed: the test proves nothing");
  });
}
