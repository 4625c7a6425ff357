/** G2: a paused queue or task waits for a stated reason, and goes on where it was. */
import { task } from "../../core/task.ts";
import { between, equal, matches } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

const one = task<{ n: number }>("one", { queue: "mail", run: () => undefined });
const two = task<{ n: number }>("two", { queue: "mail", run: () => undefined });
const three = task<{ n: number }>("three", () => undefined);
const definitions = { one, two, three };

export const pauseLaws: readonly Law[] = [
  ...lawsOf(
    "G2",
    [
      { what: { queue: "mail" }, runs: [0, 0, 1] },
      { what: { task: "one" }, runs: [0, 1, 1] },
    ],
    (row) => `pausing ${JSON.stringify(row.what)} holds its jobs in every process, and no others, until it is resumed`,
    async (world, row) => {
      await world.worker(definitions);
      await world.worker(definitions);
      const { broker } = world.process(definitions);
      await broker.pause(row.what, "the provider is down");
      await broker.enqueue([one.with({ n: 1 }), two.with({ n: 1 }), three.with({ n: 1 })]);
      await world.advance("1m");
      const runs = (): number[] => ["one", "two", "three"].map((name) => world.runsOf(name).length);
      equal(runs(), row.runs, "runs of the three tasks while paused");
      const from = world.now;
      await broker.resume(row.what);
      await world.drained();
      equal(runs(), [1, 1, 1], "runs of the three tasks afterwards");
      between((world.runs.at(-1)?.startedAt ?? 0) - from, 0, 2_000, "ms from resume to the last start");
    },
  ),
  law("G2", "why names the pause and its reason", async (world) => {
    const { broker } = await world.worker(definitions);
    await broker.pause({ queue: "mail" }, "the provider is down");
    const { id } = await broker.enqueue(one.with({ n: 1 }));
    matches(await broker.why(id), /queue mail is paused \(the provider is down\)/, "why");
  }),
  law("G2", "running jobs go on through a pause", async (world) => {
    const long = task<{ n: number }>("long", { queue: "mail", run: () => world.sleep("5s") });
    const { broker } = await world.worker({ long });
    const { id } = await broker.enqueue(long.with({ n: 1 }));
    await world.until("it runs", () => world.runs.length === 1);
    await broker.pause({ queue: "mail" });
    await world.advance("10s");
    equal([await world.stateOf(id), world.runs[0]?.abortedBy], ["completed", undefined], "state, and what it was aborted with");
  }),
  law("G2", "no job starts more than a heartbeat after a pause, though a worker held it ready", async (world) => {
    const slow = task<{ n: number }>("slow", () => world.sleep("1s"));
    const { broker } = await world.worker({ slow }, { queues: { default: 1 } });
    await broker.enqueue(Array.from({ length: 30 }, (_, n) => slow.with({ n })));
    await world.advance("5s");
    await broker.pause({ task: "slow" });
    await world.advance("3s");
    const before = world.runs.length;
    await world.advance("30s");
    equal(world.runs.length, before, "runs");
    await broker.resume({ task: "slow" });
    await world.drained();
    equal([world.runs.length, new Set(world.runs.map((run) => run.id)).size], [30, 30], "runs, and jobs that ran");
  }),
  law("G2", "jobs that come due during a pause wait, and keep their order", async (world) => {
    const { broker } = await world.worker(definitions, { queues: { mail: 1 } });
    await broker.pause({ queue: "mail" });
    await broker.enqueue([one.with({ n: 3 }, { in: "30s" }), one.with({ n: 2 }, { in: "20s" }), one.with({ n: 1 }, { in: "10s" })]);
    await world.advance("1m");
    await broker.resume({ queue: "mail" });
    await world.drained();
    equal(
      world.runs.map((run) => (run.input as { n: number }).n),
      [1, 2, 3],
      "the order of starts",
    );
  }),
  law("G2", "a pause outlives the process that asked for it, and is shown in the counts", async (world) => {
    const asker = world.process(definitions);
    await asker.broker.pause({ queue: "mail" }, "the provider is down");
    await asker.broker.enqueue([one.with({ n: 1 }), three.with({ n: 1 })]);
    world.crash(asker);
    await world.worker(definitions);
    await world.advance("5s");
    const lines = (await world.observer.counts()).map((line) => [line.task, line.isPaused]).toSorted();
    equal(
      [lines, world.runs.length],
      [
        [
          ["one", true],
          ["three", false],
        ],
        1,
      ],
      "which lines are paused, and runs",
    );
  }),
  law("G2", "a queue that was paused twice is resumed by one resume", async (world) => {
    const { broker } = await world.worker(definitions);
    await broker.pause({ queue: "mail" });
    await broker.pause({ queue: "mail" }, "again");
    await broker.resume({ queue: "mail" });
    await broker.enqueue(one.with({ n: 1 }));
    await world.drained();
    equal(world.runs.length, 1, "runs");
  }),
];
