/** G21: no instant is computed from a worker's clock. */
import { task } from "../../core/task.ts";
import { between, equal, holds } from "../expect.ts";
import { lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const wrongMs = 600_000;
const work = task<{ n: number }>("work", () => undefined);

interface Case {
  readonly what: string;
  /** One process is ten minutes ahead, the other ten minutes behind. */
  readonly run: (world: World, ahead: Process, behind: Process) => Promise<void>;
}

async function started(world: World): Promise<number> {
  await world.drained("2m");
  return world.runs.at(-1)?.startedAt ?? Number.NaN;
}

const cases: readonly Case[] = [
  {
    what: "a delay",
    run: async (world, ahead, behind) => {
      const from = world.now;
      await ahead.broker.enqueue(work.with({ n: 1 }, { in: "20s" }));
      between((await started(world)) - from, 20_000, 22_000, "ms until the job of the one ahead started");
      const next = world.now;
      await behind.broker.enqueue(work.with({ n: 2 }, { in: "20s" }));
      between((await started(world)) - next, 20_000, 22_000, "ms until the job of the one behind started");
    },
  },
  {
    what: "the order of enqueue",
    run: async (world, ahead, behind) => {
      for (const n of [1, 2, 3, 4]) {
        await (n % 2 === 0 ? ahead : behind).broker.enqueue(work.with({ n }, { in: "10s" }));
        await world.advance("1ms");
      }
      await world.drained();
      equal(
        world.runs.map((run) => (run.input as { n: number }).n),
        [1, 2, 3, 4],
        "the order of starts",
      );
    },
  },
  {
    what: "startBy",
    run: async (world, ahead, behind) => {
      const stored = [await ahead.broker.enqueue(work.with({ n: 1 }, { startBy: "1m" })), await behind.broker.enqueue(work.with({ n: 2 }, { startBy: "1m" }))];
      await world.drained();
      equal(await Promise.all(stored.map(({ id }) => world.stateOf(id))), ["completed", "completed"], "the states of both");
    },
  },
  {
    what: "what is stored of a job",
    run: async (world, ahead) => {
      const { id } = await ahead.broker.enqueue(work.with({ n: 1 }));
      await world.drained();
      const job = await world.job(id);
      holds(Math.abs(job.enqueuedAt.getTime() - world.now) < 60_000, "it was enqueued within the last minute", job.enqueuedAt);
      holds(Math.abs((job.endedAt?.getTime() ?? 0) - world.now) < 60_000, "it ended within the last minute", job.endedAt);
    },
  },
];

const simple: readonly Law[] = [-wrongMs, wrongMs].flatMap((offset) =>
  lawsOf(
    "G21",
    cases,
    (row) =>
      `a worker ten minutes ${offset < 0 ? "behind" : "ahead"} and a caller ten minutes ${offset < 0 ? "ahead" : "behind"} change nothing about ${row.what}`,
    async (world, row) => {
      const worker = await world.worker({ work }, { clockOffsetMs: offset, queues: { default: 1 } });
      const caller = world.process({ work }, { clockOffsetMs: -offset });
      await (offset < 0 ? row.run(world, caller, worker) : row.run(world, worker, caller));
    },
  ),
);

const workers: readonly Law[] = lawsOf(
  "G21",
  [
    { what: "ahead", offset: wrongMs },
    { what: "behind", offset: -wrongMs },
  ],
  (row) => `a worker whose clock is ten minutes ${row.what} keeps its leases, and takes none that is live`,
  async (world, row) => {
    const long = task<{ n: number }>("long", () => world.sleep("1m"));
    const right = await world.worker({ long }, { queues: { default: 2 } });
    await world.worker({ long }, { queues: { default: 2 }, clockOffsetMs: row.offset });
    await right.broker.enqueue([1, 2, 3, 4].map((n) => long.with({ n })));
    await world.drained("2m");
    equal([world.runs.length, (await world.observer.count()).completed], [4, 4], "runs, and completed jobs");
  },
);

const recoveries: readonly Law[] = lawsOf(
  "G21",
  [
    { what: "ahead", offset: wrongMs },
    { what: "behind", offset: -wrongMs },
  ],
  (row) => `a worker whose clock is ten minutes ${row.what} takes over a dead one's jobs when it is time`,
  async (world, row) => {
    const long = task<{ n: number }>("long", () => world.sleep("1m"));
    const victim = await world.worker({ long });
    await victim.broker.enqueue(long.with({ n: 1 }));
    await world.until("it runs", () => world.runs.length === 1);
    await world.worker({ long }, { clockOffsetMs: row.offset });
    await world.advance("12s");
    const from = world.now;
    world.crash(victim);
    await world.until("it runs again", () => world.runs.length === 2, "20s");
    between(world.now - from, 4_000, 10_000, "ms until it ran again: not before its lease has ended");
  },
);

const retries: readonly Law[] = lawsOf(
  "G21",
  [
    { what: "ahead", offset: wrongMs },
    { what: "behind", offset: -wrongMs },
  ],
  (row) => `a retry of a worker whose clock is ten minutes ${row.what} comes when it is due`,
  async (world, row) => {
    const failing = task<{}>("failing", {
      retry: { backoff: "fixed", first: "30s" },
      run: (_, job) => (job.attempt === 1 ? Promise.reject(new Error("not yet")) : undefined),
    });
    const { broker } = await world.worker({ failing }, { clockOffsetMs: row.offset });
    await broker.enqueue(failing.with({}));
    await world.drained("2m");
    between((world.runs[1]?.startedAt ?? 0) - (world.runs[0]?.startedAt ?? 0), 30_000, 39_500, "ms between the attempts");
  },
);

export const clockLaws: readonly Law[] = [...simple, ...workers, ...recoveries, ...retries];
