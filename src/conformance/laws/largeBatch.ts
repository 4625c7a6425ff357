/** G11: a batch above 500 is stored in parts, and is there as a whole or not at all. */
import { batch } from "../../core/compose/batch.ts";
import type { BatchView } from "../../core/compose/batchView.ts";
import { task, type Errand } from "../../core/task.ts";
import { equal, holds, present, refused } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { World } from "../world.ts";

const part = task<{ n: number }>("part", { retry: { attempts: 1 }, run: () => undefined });
const allSucceeded = task("all-succeeded", () => undefined);
const anyFailed = task("any-failed", () => undefined);
const allEnded = task("all-ended", () => undefined);
const callbacks = { whenAllSucceed: allSucceeded.with({}), whenAnyFails: anyFailed.with({}), whenAllEnd: allEnded.with({}) };
const known = { part, allSucceeded, anyFailed, allEnded };

const parts = (count: number): Errand[] => Array.from({ length: count }, (_, n) => part.with({ n }));

/** Which callbacks ran, each as often as it did. */
function ran(world: World): string[] {
  return world.runs.map((run) => run.task).filter((name) => ["all-succeeded", "any-failed", "all-ended"].includes(name));
}

async function stored(world: World, id: string): Promise<BatchView> {
  return present(await world.observer.batch(id), `batch ${id}`);
}

const well = ["all-ended", "all-succeeded"];

export const largeBatchLaws: readonly Law[] = [
  law("G11", "a batch of 1,700 runs each member once, and its callback once, after all", async (world) => {
    const { broker } = await world.worker(known, { queues: { default: 100 } });
    const { id, isDuplicate } = await broker.enqueue(batch(parts(1_700), callbacks));
    await world.drained("5m");
    equal([isDuplicate, world.runsOf("part").length, ran(world).toSorted()], [false, 1_700, well], "is a duplicate, runs of members, callbacks");
    equal((await stored(world, id)).counts, { members: 1_700, live: 0, succeeded: 1_700, failed: 0 }, "the batch's counts");
    const last = Math.max(...world.runsOf("part").map((run) => present(run.endedAt, "a member's end")));
    holds(present(world.runsOf("all-ended")[0], "the callback's run").startedAt >= last, "the callback starts after the last member's end");
  }),
  law("G11", "a large batch whose storing breaks off runs nothing; again() stores all of it, once", async (world) => {
    const client = world.process(known);
    await client.broker.open();
    await world.worker(known, { queues: { default: 100 } });
    world.loseAnswers(client);
    const error = await refused(() => world.finished(client.broker.enqueue(batch(parts(1_200), callbacks)), "the enqueue"), "store-failed", "the enqueue");
    await world.advance("1m");
    equal([error.isDefinite, world.runs.length], [false, 0], "is definite, runs before the repeat");
    world.healStore(client);
    await world.finished(error.again(), "the repeat");
    await world.drained("5m");
    equal([world.runsOf("part").length, ran(world).toSorted()], [1_200, well], "runs of members, callbacks");
  }),
  law("G11", "what was stored of a large batch that was given up is gone after an hour, and never ran", async (world) => {
    const client = world.process(known);
    await client.broker.open();
    world.loseAnswers(client);
    await refused(
      () => world.finished(client.broker.enqueue(batch(parts(1_200), { ...callbacks, id: "given-up" })), "the enqueue"),
      "store-failed",
      "the enqueue",
    );
    equal((await stored(world, "given-up")).state, "staged", "its state");
    await world.advance("55m");
    const worker = await world.worker(known);
    await world.advance("10s");
    holds((await world.observer.batch("given-up")) !== undefined, "it is still there before the hour is over");
    await world.stop(worker);
    await world.advance("10m");
    await world.worker(known);
    await world.advance("30s");
    equal(
      [await world.observer.batch("given-up"), (await world.observer.count({ task: "part" })).blocked, world.runs.length],
      [undefined, 0, 0],
      "the batch, its members, runs",
    );
  }),
];
