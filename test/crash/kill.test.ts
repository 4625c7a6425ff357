/** Workers ended by real signals lose nothing, and what they held runs again within 10 s. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, ordered, patient } from "./definitions.ts";
import { Fleet, now } from "./fleet.ts";
import { stores } from "./stores.ts";

for (const { name, skip, fresh } of stores) {
  test(
    `1,500 jobs survive 12 SIGKILLs of their workers: none is lost, and a job runs twice only where its worker was killed (${name})`,
    { skip },
    async (context) => {
      await using fleet = new Fleet(await fresh());
      const jobs = 1_500;
      await fleet.work.enqueue(Array.from({ length: jobs }, (_, n) => brief.with({ n, ms: 20 })));
      const killed = new Set<number>();
      let workers = [await fleet.worker(), await fleet.worker()];
      for (let kill = 0; kill < 12; kill++) {
        await new Promise((resolve) => setTimeout(resolve, 150 + ((kill * 37) % 100)));
        const victim = workers.shift();
        assert.ok(victim?.pid);
        killed.add(victim.pid);
        await fleet.end(victim, "SIGKILL");
        workers = [...workers, await fleet.worker()];
      }
      await fleet.until("all completed", async () => (await fleet.work.count()).completed === jobs, 60);
      const lines = fleet.lines();
      const ends = Map.groupBy(
        lines.filter((line) => line.is === "end"),
        (line) => line.n,
      );
      assert.equal(ends.size, jobs);
      const starts = Map.groupBy(
        lines.filter((line) => line.is === "start"),
        (line) => line.n,
      );
      const again = [...starts.values()].filter((list) => list.length > 1);
      for (const list of again)
        assert.ok(
          list.slice(0, -1).every((line) => killed.has(line.pid)),
          `job ${list[0]?.n} ran again although nobody killed its worker`,
        );
      context.diagnostic(`kills 12, jobs ${jobs}, lost ${jobs - ends.size}, started again ${again.length}`);
    },
  );

  test(`a job whose worker is SIGKILLed starts again within 10 s (${name})`, { skip }, async (context) => {
    await using fleet = new Fleet(await fresh());
    const survivor = await fleet.worker({ hands: 1 });
    await fleet.work.enqueue(brief.with({ n: 0, ms: 100 }));
    await fleet.until("warm", async () => (await fleet.work.count()).completed === 1, 10);
    await fleet.end(survivor, "SIGTERM");
    const victim = await fleet.worker({ hands: 5 });
    await fleet.work.enqueue(Array.from({ length: 5 }, (_, n) => brief.with({ n: n + 1, ms: n === 0 ? 60_000 : 30_000 })));
    await fleet.until("five started", () => fleet.lines().filter((line) => line.is === "start" && line.n > 0).length === 5, 10);
    await fleet.worker({ hands: 5 });
    const killedAt = now();
    await fleet.end(victim, "SIGKILL");
    await fleet.until("started again", () => fleet.lines().filter((line) => line.is === "start" && line.n > 0).length === 10, 15);
    const last = Math.max(...fleet.lines().map((line) => line.at));
    context.diagnostic(`started again ${last - killedAt} ms after the kill`);
    assert.ok(last - killedAt <= 10_000, `it took ${last - killedAt} ms`);
  });

  test(
    `order by key holds through SIGKILLs: for each key, jobs start first in the order of enqueue and never overlap their predecessor's end (${name})`,
    { skip },
    async () => {
      await using fleet = new Fleet(await fresh());
      const keys = 20;
      const each = 15;
      await fleet.work.enqueue(Array.from({ length: keys * each }, (_, n) => ordered.with({ n, ms: 10, key: `k${n % keys}` })));
      let workers = [await fleet.worker(), await fleet.worker()];
      for (let kill = 0; kill < 4; kill++) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        const victim = workers.shift();
        if (victim) await fleet.end(victim, "SIGKILL");
        workers = [...workers, await fleet.worker()];
      }
      await fleet.until("all completed", async () => (await fleet.work.count()).completed === keys * each, 90);
      const lines = fleet.lines();
      for (let key = 0; key < keys; key++) {
        const own = lines.filter((line) => line.n % keys === key);
        const firstStarts = own
          .filter((line, index) => line.is === "start" && own.findIndex((other) => other.n === line.n && other.is === "start") === index)
          .map((line) => line.n);
        assert.deepEqual(
          firstStarts,
          firstStarts.toSorted((a, b) => a - b),
        );
        own.forEach((line, index) => {
          if (line.is !== "start" || line.n < keys) return;
          assert.ok(
            own.slice(0, index).some((other) => other.is === "end" && other.n === line.n - keys),
            `job ${line.n} started before the end of job ${line.n - keys}`,
          );
        });
      }
    },
  );

  test(`SIGSTOP longer than the lease: another worker runs the job, and the one that wakes cannot settle it (${name})`, { skip }, async () => {
    await using fleet = new Fleet(await fresh());
    const sleeper = await fleet.worker({ hands: 1 });
    const { id } = await fleet.work.enqueue(patient.with({ n: 1, ms: 3_000 }));
    await fleet.until("started", () => fleet.lines().some((line) => line.is === "start"), 10);
    sleeper.kill("SIGSTOP");
    await fleet.worker({ hands: 1 });
    await fleet.until("taken over", () => fleet.lines().filter((line) => line.is === "start").length === 2, 25);
    sleeper.kill("SIGCONT");
    await fleet.until("completed", async () => (await fleet.work.find(id))?.state === "completed", 15);
    const [first, second] = fleet.lines().filter((line) => line.is === "start");
    assert.ok(first && second && second.fence > first.fence);
    const job = await fleet.work.find(id);
    assert.equal(job?.starts, 2);
    await fleet.until("the sleeper hears", () => fleet.lines().some((line) => line.pid === sleeper.pid && line.is !== "start"), 10);
  });

  test(`SIGTERM: running jobs end or are handed back uncharged, the process ends by the signal, and nothing is lost (${name})`, { skip }, async () => {
    await using fleet = new Fleet(await fresh());
    const worker = await fleet.worker({ hands: 4 });
    const quick = await fleet.work.enqueue(brief.with({ n: 1, ms: 500 }));
    const long = await fleet.work.enqueue(patient.with({ n: 2, ms: 60_000 }));
    await fleet.work.enqueue(Array.from({ length: 50 }, (_, n) => patient.with({ n: n + 3, ms: 60_000 })));
    await fleet.until("started", () => fleet.lines().filter((line) => line.is === "start").length >= 4, 10);
    const begin = now();
    const end = await fleet.end(worker, "SIGTERM");
    assert.ok(now() - begin < 8_000, "it ends within its grace of 2 s and the time to abort");
    assert.equal(end.signal, "SIGTERM");
    assert.equal((await fleet.work.find(quick.id))?.state, "completed");
    const handedBack = await fleet.work.find(long.id);
    assert.deepEqual([handedBack?.state, handedBack?.starts, handedBack?.attempts, handedBack?.suspects], ["ready", 0, 0, 0]);
    assert.equal((await fleet.work.count()).ready, 51);
  });
}
