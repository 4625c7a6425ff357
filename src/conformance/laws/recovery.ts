/** G20: back quickly, after a kill and after an outage, without expiring the fleet. */
import { task } from "../../core/task.ts";
import { between, equal, holds } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

const takeOverMs = 10_000;
/** The lease, and as long as the store is away meanwhile, and until others are back each time. */
const comingAndGoingMs = 30_000;
const work = task<{ n: number }>("work", () => undefined);

/** Milliseconds from `from` to the last start of each job that started after it. */
function restarts(world: World, from: number): number[] {
  return world.runs.filter((run) => run.startedAt > from).map((run) => run.startedAt - from);
}

const kills: readonly Law[] = [
  ...lawsOf(
    "G20",
    [{ afterMs: 100 }, { afterMs: 1_900 }, { afterMs: 2_100 }, { afterMs: 7_999 }, { afterMs: 61_000 }],
    (row) => `a worker killed ${row.afterMs} ms into its run: another has its jobs within 10 s`,
    async (world, row) => {
      const long = task<{ n: number }>("long", () => world.sleep("5m"));
      const victim = await world.worker({ long }, { queues: { default: 5 } });
      await victim.broker.enqueue([1, 2, 3].map((n) => long.with({ n })));
      await world.until("they run", () => world.runs.length === 3);
      await world.worker({ long });
      await world.advance(`${row.afterMs}ms`);
      const from = world.now;
      world.crash(victim);
      await world.until("all of them run again", () => world.runs.length === 6, "20s");
      between(Math.max(...restarts(world, from)), 0, takeOverMs, "ms until the last of them ran again");
    },
  ),
  law("G20", "when all workers were killed, the first that returns has the jobs within 10 s", async (world) => {
    const long = task<{ n: number }>("long", () => world.sleep("1m"));
    const victims = [await world.worker({ long }), await world.worker({ long })];
    await victims[0]?.broker.enqueue([1, 2, 3, 4].map((n) => long.with({ n })));
    await world.until("they run", () => world.runs.length === 4);
    for (const victim of victims) world.crash(victim);
    await world.advance("5m");
    const from = world.now;
    await world.worker({ long });
    await world.until("all of them run again", () => world.runs.length === 8, "20s");
    between(Math.max(...restarts(world, from)), 0, takeOverMs, "ms until the last of them ran again");
  }),
  law("G20", "work that arrives while dead workers' jobs are awaited does not wait for them", async (world) => {
    const long = task<{ n: number }>("long", () => world.sleep("5m"));
    const victim = await world.worker({ long });
    await victim.broker.enqueue(long.with({ n: 1 }));
    await world.until("it runs", () => world.runs.length === 1);
    world.crash(victim);
    const { broker } = await world.worker({ work });
    await broker.enqueue(work.with({ n: 2 }));
    await world.until("it ran", () => world.runsOf("work").length === 1, "2s");
  }),
];

const outages: readonly Law[] = [
  ...lawsOf(
    "G20",
    [{ away: "3s" }, { away: "20s" }, { away: "2m" }] as const,
    (row) => `a store that was away for ${row.away} does not expire the fleet: no run is lost, none is doubled`,
    async (world, row) => {
      const long = task<{ n: number }>("long", () => world.sleep("5s"));
      const two = { queues: { default: 2 } };
      const workers = [await world.worker({ long }, two), await world.worker({ long }, two), await world.worker({ long }, two)];
      await workers[0]?.broker.enqueue([1, 2, 3, 4, 5, 6].map((n) => long.with({ n })));
      await world.until("they run", () => world.runs.length === 6);
      world.cutStore();
      await world.advance(row.away);
      world.healStore();
      await world.drained();
      equal([world.runs.length, (await world.observer.count()).completed], [6, 6], "runs, and completed jobs");
    },
  ),
  law("G20", "a store that was away while long jobs ran: they keep their leases, though some workers reach it later than others", async (world) => {
    const long = task<{ n: number }>("long", () => world.sleep("2m"));
    const two = { queues: { default: 2 } };
    const workers = [await world.worker({ long }, two), await world.worker({ long }, two)];
    await workers[0]?.broker.enqueue([1, 2, 3, 4].map((n) => long.with({ n })));
    await world.until("they run", () => world.runs.length === 4);
    await world.advance("20s");
    world.cutStore();
    await world.advance("30s");
    world.healStore(workers[0]);
    await world.advance("4s");
    world.healStore(workers[1]);
    await world.drained("3m");
    equal([world.runs.length, world.runs.filter((run) => run.abortedBy !== undefined).length], [4, 0], "runs, and aborted runs");
  }),
  ...lawsOf(
    "G20",
    [{ away: "5s" }, { away: "2m" }] as const,
    (row) => `workers claim within 2 s of the return of a store that was away for ${row.away}`,
    async (world, row) => {
      const workers = [await world.worker({ work }), await world.worker({ work })];
      await world.advance("3s");
      for (const worker of workers) world.cutStore(worker);
      await world.process({ work }).broker.enqueue([1, 2, 3].map((n) => work.with({ n })));
      await world.advance(row.away);
      equal(world.runs.length, 0, "runs while the store is away");
      const from = world.now;
      world.healStore();
      await world.until("all of them ran", () => world.runs.length === 3, "10s");
      between(Math.max(...restarts(world, from)), 0, 2_000, "ms until the last of them started");
    },
  ),
  law("G20", "a worker that starts while the store is away begins when it returns", async (world) => {
    const process = world.process({ work });
    await process.broker.open();
    await process.broker.enqueue(work.with({ n: 1 }));
    world.cutStore(process);
    const starting = process.start();
    starting.catch(() => undefined);
    await world.advance("30s");
    world.healStore(process);
    await world.finished(starting, "the start of the worker");
    await world.drained();
    equal(world.runs.length, 1, "runs");
  }),
  law("G20", "one process that is cut off loses its jobs to the others, and settles none of them", async (world) => {
    const long = task<{ n: number }>("long", (_, job) => world.sleep(world.runs.length <= 2 ? "15s" : "20s", job.signal));
    const lonely = await world.worker({ long });
    await lonely.broker.enqueue([1, 2].map((n) => long.with({ n })));
    await world.until("they run", () => world.runs.length === 2);
    await world.worker({ long });
    await world.advance("1s");
    const from = world.now;
    world.cutStore(lonely);
    await world.until("the others have them", () => world.runs.length === 4, "20s");
    between(Math.max(...restarts(world, from)), 0, takeOverMs, "ms until the others had them");
    await world.advance("10s");
    world.healStore(lonely);
    await world.drained();
    equal([world.runs.length, (await world.observer.count()).completed], [4, 2], "runs, and completed jobs");
    equal(
      world.runs.slice(2).map((run) => run.end),
      ["returned", "returned"],
      "how the second runs ended",
    );
  }),
  law("G20", "a store that comes and goes loses nothing and doubles nothing", async (world) => {
    const brief = task<{ n: number }>("brief", () => world.sleep("1s"));
    const workers = [await world.worker({ brief }, { queues: { default: 3 } }), await world.worker({ brief }, { queues: { default: 3 } })];
    await world.process({ brief }).broker.enqueue(Array.from({ length: 60 }, (_, n) => brief.with({ n })));
    for (let turn = 0; turn < 12; turn++) {
      for (const worker of workers) world.cutStore(worker);
      await world.advance(`${500 + turn * 313}ms`);
      for (const worker of workers) world.healStore(worker);
      await world.advance(`${700 + turn * 131}ms`);
    }
    await world.drained("2m");
    equal([world.runs.length, (await world.observer.count()).completed], [60, 60], "runs, and completed jobs");
  }),
  law(
    "G20",
    "a store that comes and goes keeps nobody's jobs waiting for long: a killed worker's run elsewhere, and those of the living stay theirs",
    async (world) => {
      const long = task<{ n: number }>("long", () => world.sleep("5m"));
      const one = { queues: { default: 1 } };
      const victim = await world.worker({ long }, one);
      await victim.broker.enqueue(long.with({ n: 1 }));
      await world.until("it runs", () => world.runs.length === 1);
      const workers = [await world.worker({ long }, one), await world.worker({ long }, one)];
      await workers[0]?.broker.enqueue(long.with({ n: 2 }));
      await world.until("one of them has a run, the other waits", () => world.runs.length === 2);
      await world.advance("20s");
      const from = world.now;
      world.crash(victim);
      for (let turn = 0; turn < 12; turn++) {
        for (const worker of workers) world.cutStore(worker);
        await world.advance("3s");
        for (const worker of workers) world.healStore(worker);
        await world.advance("6s");
      }
      equal(restarts(world, from).length, 1, "runs that began again");
      between(Math.max(...restarts(world, from)), 0, comingAndGoingMs, "ms until it ran again");
      equal(world.runs.filter(({ abortedBy }) => abortedBy !== undefined).length, 0, "aborted runs");
    },
  ),
  law("G20", "an outage is logged, but not once for each try", async (world) => {
    const worker = await world.worker({ work });
    world.cutStore(worker);
    await world.advance("3m");
    holds(world.warnings.length >= 1 && world.warnings.length < 60, "between 1 and 60 warnings in three minutes", world.warnings.length);
  }),
];

export const recoveryLaws: readonly Law[] = [...kills, ...outages];
