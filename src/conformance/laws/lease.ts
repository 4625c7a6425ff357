/** G3: at most one live lease per job; a lease that was taken over writes nothing any more. */
import { task } from "../../core/task.ts";
import { equal, grows, holds, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

interface Takeover {
  readonly old: Process;
  readonly heir: Process;
  readonly id: string;
}

/** `old` was held still while it ran the job; `heir` has taken it over and runs it. */
async function takenOver(world: World, definitions: Record<string, unknown>, enqueue: (process: Process) => Promise<string>): Promise<Takeover> {
  const old = await world.worker(definitions);
  const id = await enqueue(old);
  await world.until("it runs", () => world.runs.length === 1);
  world.pause(old);
  const heir = await world.worker(definitions);
  await world.until("another process has taken it over", () => world.runs.length === 2, "30s");
  return { old, heir, id };
}

const takeovers: readonly Law[] = [
  law("G3", "a lease that was taken over cannot settle", async (world) => {
    const work = task<{}>("work", { retry: { attempts: 1 }, run: () => world.sleep(world.runs.length === 1 ? "12s" : "1m") });
    const { old, id } = await takenOver(world, { work }, async ({ broker }) => (await broker.enqueue(work.with({}))).id);
    await world.advance("15s");
    await world.resume(old);
    await world.advance("5s");
    equal([world.runs[0]?.end, await world.stateOf(id)], ["returned", "running"], "the end of the old run, and the job's state");
    await world.drained("2m");
    equal([await world.stateOf(id), world.runs.length, world.runs[1]?.end], ["completed", 2, "returned"], "its state, runs, and the end of the new run");
  }),
  ...lawsOf(
    "G3",
    [
      { end: "fails", run: () => Promise.reject(new Error("too late")) },
      { end: "returns", run: () => undefined },
    ],
    (row) => `a run that was taken over and ${row.end} after the job completed elsewhere changes nothing`,
    async (world, row) => {
      const work = task<{}>("work", { retry: { attempts: 1 }, run: async () => (world.runs.length === 1 ? world.sleep("12s").then(row.run) : undefined) });
      const { old, id } = await takenOver(world, { work }, async ({ broker }) => (await broker.enqueue(work.with({}))).id);
      await world.until("it has ended", () => world.hasEnded(id));
      await world.resume(old);
      await world.advance("10s");
      const job = await world.job(id);
      equal([job.state, job.history.filter(({ is }) => is !== "crashed"), world.runs.length], ["completed", [], 2], "its state, failed attempts, runs");
    },
  ),
  law("G3", "the signal of a run that was taken over is aborted with lease-lost", async (world) => {
    const work = task<{}>("work", (_, job) => world.sleep("1h", job.signal));
    const { old } = await takenOver(world, { work }, async ({ broker }) => (await broker.enqueue(work.with({}))).id);
    await world.resume(old);
    await world.advance("5s");
    equal([world.runs[0]?.abortedBy, world.runs[1]?.abortedBy], ["lease-lost", undefined], "what the old and the new run were aborted with");
  }),
  law("G3", "what a run that was taken over handed in is not stored", async (world) => {
    const next = task<{ from: number }>("next", () => undefined);
    const work = task<{}>("work", async (_, job) => {
      const from = world.runs.length;
      await world.sleep("12s");
      job.enqueue(next.with({ from }));
    });
    const { old } = await takenOver(world, { work, next }, async ({ broker }) => (await broker.enqueue(work.with({}))).id);
    await world.advance("1s");
    await world.resume(old);
    await world.drained();
    equal(
      world.runsOf("next").map((run) => run.input),
      [{ from: 2 }],
      "follow-up runs",
    );
  }),
  law("G3", "a worker that was taken over goes on under a new lease", async (world) => {
    const work = task<{ n: number }>("work", ({ n }) => (n === 1 && world.runs.length === 1 ? world.sleep("12s") : undefined));
    const { old, heir } = await takenOver(world, { work }, async ({ broker }) => (await broker.enqueue(work.with({ n: 1 }))).id);
    world.crash(heir);
    await world.resume(old);
    await world.advance("20s");
    const { id } = await world.process({ work }).broker.enqueue(work.with({ n: 2 }));
    await world.drained();
    equal(
      world.runsOfJob(id).map((run) => run.process),
      [old.name],
      "where the next job ran",
    );
  }),
  law("G3", "a worker that stood still and was not taken over may still settle", async (world) => {
    const work = task<{}>("work", () => world.sleep("5s"));
    const worker = await world.worker({ work });
    const { id } = await worker.broker.enqueue(work.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    world.pause(worker);
    await world.advance("60s");
    await world.resume(worker);
    await world.drained();
    equal([await world.stateOf(id), world.runs.length], ["completed", 1], "its state, and runs");
  }),
];

const single: readonly Law[] = [
  law("G3", "of 300 jobs and three workers none runs twice", async (world) => {
    const work = task<{ n: number }>("work", ({ n }) => world.sleep(`${(n * 13) % 300}ms`));
    const [first] = [await world.worker({ work }), await world.worker({ work }), await world.worker({ work })];
    await first.broker.enqueue(Array.from({ length: 300 }, (_, n) => work.with({ n })));
    await world.drained("2m");
    equal([world.runs.length, new Set(world.runs.map((run) => run.id)).size], [300, 300], "runs, and jobs that ran");
  }),
  law("G3", "the work of one call is shared by the workers that are free", async (world) => {
    const work = task<{ n: number }>("work", () => world.sleep("5s"));
    const first = await world.worker({ work }, { queues: { default: 5 } });
    await world.worker({ work }, { queues: { default: 5 } });
    await first.broker.enqueue(Array.from({ length: 10 }, (_, n) => work.with({ n })));
    await world.advance("3s");
    equal(world.runs.length, 10, "runs at once");
  }),
  law("G3", "a long run keeps its lease for as long as its process lives", async (world) => {
    const work = task<{}>("work", () => world.sleep("90s"));
    const first = await world.worker({ work });
    await world.worker({ work });
    const { id } = await first.broker.enqueue(work.with({}));
    await world.drained("2m");
    const job = await world.job(id);
    equal([world.runs.length, job.state, job.suspects], [1, "completed", 0], "runs, state, suspects");
  }),
  law("G3", "fences grow with every claim, whatever process asks", async (world) => {
    const work = task<{}>("work", {
      retry: { backoff: "fixed", first: "1ms" },
      run: (_, job) => (job.attempt < 6 ? Promise.reject(new Error("not yet")) : undefined),
    });
    const processes = [await world.worker({ work }), await world.worker({ work })];
    await processes[0]?.broker.enqueue([work.with({}), work.with({})]);
    await world.drained();
    for (const [id, runs] of Map.groupBy(world.runs, (run) => run.id))
      grows(
        runs.map((run) => run.fence),
        `the fences of job ${id}`,
      );
    holds(
      world.runs.every((run) => Number.isSafeInteger(run.fence)),
      "fences are exact numbers",
    );
  }),
  law("G3", "the fence of the one who took over is greater than that of the one who lost", async (world) => {
    const work = task<{}>("work", () => world.sleep("12s"));
    await takenOver(world, { work }, async ({ broker }) => (await broker.enqueue(work.with({}))).id);
    grows(
      world.runs.map((run) => run.fence),
      "the fences of the job",
    );
  }),
  law("G3", "fences of one key grow in the order of its starts, so that what is protected can refuse the late", async (world) => {
    const ledger = task<{ key: string; n: number }>("ledger", { orderedBy: "key", run: () => world.sleep("300ms") });
    const [first] = [await world.worker({ ledger }), await world.worker({ ledger })];
    await first.broker.enqueue(Array.from({ length: 12 }, (_, n) => ledger.with({ key: "a", n })));
    await world.drained();
    grows(
      world.runs.map((run) => run.fence),
      "the fences of the key",
    );
  }),
  law("G3", "a settle whose answer was lost does not run the job again", async (world) => {
    const work = task<{}>("work", () => world.sleep("3s"));
    const worker = await world.worker({ work });
    const { id } = await worker.broker.enqueue(work.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await world.advance("2s");
    world.loseAnswers(worker);
    await world.advance("3s");
    world.healStore(worker);
    await world.advance("30s");
    equal([await world.stateOf(id), world.runsOfJob(present(id, "an id")).length], ["completed", 1], "its state, and runs");
  }),
];

export const leaseLaws: readonly Law[] = [...takeovers, ...single];
