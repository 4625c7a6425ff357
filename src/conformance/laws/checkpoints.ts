/** What a job saved is there for its next run, whatever ended the one before; only the run that holds the job may save (G2, G3, G13). */
import { task, type Job, type Task } from "../../core/task.ts";
import { ErrandError } from "../../core/errors.ts";
import { between, equal, holds, present, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

const quick = { retry: { backoff: "fixed", first: "100ms" } } as const;

/** What the runs of a job found, and how one of them ends. */
interface Ending {
  readonly how: string;
  readonly end: (world: World, job: Job<number>) => unknown;
}

const endings: readonly Ending[] = [
  { how: "a failure", end: () => Promise.reject(new Error("not yet")) },
  { how: "a crash", end: (world, job) => world.die(job) },
];

const saved: readonly Law[] = [
  ...lawsOf(
    "G2",
    endings,
    ({ how }) => `after ${how} the next run goes on from what was saved last`,
    async (world, { end }) => {
      const found: (number | undefined)[] = [];
      const work = task<{}, {}, never, unknown, number>("work", {
        ...quick,
        run: async (_, job) => {
          found.push(job.checkpoint);
          if (found.length > 1) return;
          await job.save(1);
          await job.save(2);
          equal(job.checkpoint, 2, "the checkpoint that the run itself sees");
          await end(world, job);
        },
      });
      const process = await world.worker({ work });
      await world.worker({ work });
      await process.broker.enqueue(work.with({}));
      await world.drained("2m");
      equal(found, [undefined, 2], "what the runs found");
    },
  ),
  law("G13", "a graceful stop keeps what was saved, and charges nothing", async (world) => {
    const found: (number | undefined)[] = [];
    const work = task<{}, {}, never, unknown, number>("work", async (_, job: Job<number>) => {
      found.push(job.checkpoint);
      if (found.length > 1) return;
      await job.save(7);
      await world.sleep("10m", job.signal);
    });
    const process = await world.worker({ work }, { grace: "1s" });
    const { id } = await process.broker.enqueue(work.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await world.advance("1s");
    await world.stop(process);
    const { attempts, starts, suspects } = await world.job(id);
    equal([attempts, starts, suspects], [0, 0, 0], "attempts, starts, suspects");
    await world.worker({ work });
    await world.drained();
    equal(found, [undefined, 7], "what the runs found");
  }),
  law("G3", "a run that was taken over cannot save: it is told, its signal fires, and what its heir saved stands", async (world) => {
    const found: (string | undefined)[] = [];
    let refusal: unknown;
    const work = task<{}, {}, never, unknown, string>("work", {
      run: async (_, job) => {
        found.push(job.checkpoint);
        const isFirst = found.length === 1;
        if (isFirst) {
          await job.save("first");
          await world.sleep("5s");
          await job.save("late").catch((error: unknown) => (refusal = error));
        } else {
          await job.save("heir");
          await world.sleep("30s");
          if (found.length === 2) throw new Error("once more");
        }
      },
    });
    const old = await world.worker({ work });
    await old.broker.enqueue(work.with({}));
    await world.until("it has saved", () => found.length === 1);
    await world.advance("1s");
    world.pause(old);
    await world.worker({ work });
    await world.until("another has taken it over", () => found.length === 2, "30s");
    await world.resume(old);
    await world.drained("3m");
    equal(
      [ErrandError.is(refusal, "lease-lost"), world.runs[0]?.abortedBy],
      [true, "lease-lost"],
      "what the late save was told, and what its signal fired with",
    );
    equal(found, [undefined, "first", "heir"], "what the runs found");
  }),
  law("G3", "a run that saves for long keeps its lease", async (world) => {
    const work = task<{}>("work", async (_, job) => {
      for (let n = 0; n < 120; n++) {
        await world.sleep("1s");
        await job.save(n);
      }
    });
    const first = await world.worker({ work });
    await world.worker({ work });
    const { id } = await first.broker.enqueue(work.with({}));
    await world.drained("3m");
    equal([world.runs.length, (await world.job(id)).suspects], [1, 0], "runs, and suspects");
  }),
  law("G19", "a checkpoint above its bound is refused, and the one before stands", async (world) => {
    const found: unknown[] = [];
    const work = task<{}>("work", {
      ...quick,
      run: async (_, job) => {
        found.push(job.checkpoint);
        if (found.length > 1) return;
        await job.save({ page: 1 });
        await refused(() => job.save("x".repeat(300_000)), "checkpoint-too-large", "a checkpoint of 300 kB");
        await refused(() => job.save({ at: new Date(0) } as never), "payload-not-json", "a checkpoint that would not come back equal");
        equal(job.checkpoint, { page: 1 }, "the checkpoint that the run itself sees");
        throw new Error("once more");
      },
    });
    const { broker } = await world.worker({ work });
    await broker.enqueue(work.with({}));
    await world.drained();
    equal(found, [undefined, { page: 1 }], "what the runs found");
  }),
  law("G20", "a save waits for a store that is away, and is stored when it is back", async (world) => {
    const found: (number | undefined)[] = [];
    const work = task<{}, {}, never, unknown, number>("work", {
      ...quick,
      run: async (_, job) => {
        found.push(job.checkpoint);
        if (found.length > 1) return;
        await job.save(1);
        await world.sleep("2s");
        await job.save(2);
        await world.die(job);
      },
    });
    const process = await world.worker({ work });
    await world.worker({ work });
    await process.broker.enqueue(work.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await world.advance("1s");
    world.loseAnswers();
    await world.advance("2s");
    world.cutStore();
    await world.advance("4s");
    world.healStore();
    await world.drained("2m");
    equal([found, world.runs[0]?.end], [[undefined, 2], undefined], "what the runs found, and the end of the first, which died after its save");
  }),
  law("G2", "a dead job that is redriven goes on from what it saved", async (world) => {
    const found: (number | undefined)[] = [];
    const work = task<{}, {}, never, unknown, number>("work", {
      retry: { attempts: 1 },
      run: async (_, job) => {
        found.push(job.checkpoint);
        if (found.length > 1) return;
        await job.save(5);
        throw new Error("no");
      },
    });
    const { broker } = await world.worker({ work });
    const { id } = await broker.enqueue(work.with({}));
    await world.until("it is dead", async () => (await world.stateOf(id)) === "dead");
    await broker.retry(id);
    await world.drained();
    equal(found, [undefined, 5], "what the runs found");
  }),
];

/** Runs a loop of `count` items, each 300 ms long, and notes which were done where. */
function looping(world: World, count: number, done: { item: number; process: number }[]): Task<{}> {
  let runs = 0;
  return task<{}>("loop", {
    ...quick,
    run: async (_, job) => {
      const process = ++runs;
      const from = async function* (start: number | undefined): AsyncGenerator<number> {
        for (let item = start ?? 0; item < count; item++) yield item;
      };
      for await (const item of job.each(from, { cursor: (item: number) => item + 1 })) {
        await world.sleep("300ms");
        done.push({ item, process });
      }
    },
  });
}

const items = (done: readonly { readonly item: number }[]): number[] => done.map(({ item }) => item);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, item) => item);

const loops: readonly Law[] = [
  law("G13", "a loop hands its job back between two items when the worker stops, and goes on elsewhere behind the last one", async (world) => {
    const done: { item: number; process: number }[] = [];
    const loop = looping(world, 40, done);
    const first = await world.worker({ loop });
    const { id } = await first.broker.enqueue(loop.with({}));
    await world.until("ten are done", () => done.length >= 10);
    const from = world.now;
    await world.stop(first);
    between(world.now - from, 0, 1_000, "ms that the stop took, of a grace of 25 s");
    const { attempts, starts } = await world.job(id);
    equal([attempts, starts], [0, 0], "attempts, starts");
    await world.worker({ loop });
    await world.drained();
    equal(items(done), upTo(40), "the items that were done");
    equal([...new Set(done.map(({ process }) => process))], [1, 2], "the runs that did them");
  }),
  law("G2", "a loop whose process dies goes on at the last saved place: no item is left out, and few are done twice", async (world) => {
    const done: { item: number; process: number }[] = [];
    const loop = looping(world, 40, done);
    const [first, second] = [await world.worker({ loop }), await world.worker({ loop })];
    await first.broker.enqueue(loop.with({}));
    await world.until("ten are done", () => done.length >= 10);
    world.crash(
      present(
        [first, second].find(({ name }) => name === world.runs[0]?.process),
        "the process that runs it",
      ),
    );
    await world.drained("2m");
    equal([...new Set(items(done))], upTo(40), "the items that were done");
    between(done.length, 40, 45, "how often an item was done");
  }),
  law("G2", "a loop that fails goes on behind its last item", async (world) => {
    const done: number[] = [];
    const loop = task<{}>("loop", {
      ...quick,
      run: async (_, job) => {
        for await (const item of job.each(upTo(20))) {
          if (item === 7 && job.attempt === 1) throw new Error("not yet");
          done.push(item);
        }
        done.push(100);
      },
    });
    const { broker } = await world.worker({ loop });
    await broker.enqueue(loop.with({}));
    await world.drained();
    equal(done, [...upTo(20), 100], "the items that were done");
  }),
  law("G4", "a loop ends when its job is cancelled", async (world) => {
    const done: { item: number; process: number }[] = [];
    const loop = looping(world, 1_000, done);
    const { broker } = await world.worker({ loop });
    const { id } = await broker.enqueue(loop.with({}));
    await world.until("ten are done", () => done.length >= 10);
    await broker.cancel(id);
    await world.until("it has ended", () => world.hasEnded(id), "5s");
    equal([await world.stateOf(id), world.runs[0]?.end], ["cancelled", "threw"], "its state, and the end of its run");
  }),
  law("G13", "a loop that waits for its next item does not hold up a stop", async (world) => {
    const loop = task<{}>("loop", {
      run: async (_, job) => {
        for await (const item of job.each(endless())) equal(item, 1, "the item");
      },
    });
    const worker = await world.worker({ loop });
    const { id } = await worker.broker.enqueue(loop.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    const from = world.now;
    await world.stop(worker);
    between(world.now - from, 0, 1_000, "ms that the stop took");
    equal([await world.stateOf(id), (await world.job(id)).attempts], ["ready", 0], "its state, and attempts");
  }),
];

/** One item, and no end. */
async function* endless(): AsyncGenerator<number> {
  yield 1;
  await new Promise(() => undefined);
}

const steps: readonly Law[] = [
  ...lawsOf(
    "G2",
    endings,
    ({ how }) => `a step that was done is not repeated after ${how}; its result is there`,
    async (world, { end }) => {
      const charged: string[] = [];
      const seen: unknown[] = [];
      let runs = 0;
      const work = task<{}>("work", {
        ...quick,
        run: async (_, job) => {
          const isFirst = ++runs === 1;
          const payment = await job.step("charge", (idempotencyKey) => {
            charged.push(idempotencyKey);
            return { id: "p7", cents: 100 };
          });
          const [mail, log] = await Promise.all([job.step("mail", () => "sent"), job.step("log", () => undefined)]);
          seen.push([payment, mail, log]);
          if (isFirst) await end(world, job as Job<number>);
        },
      });
      const { broker } = await world.worker({ work });
      await world.worker({ work });
      const { id } = await broker.enqueue(work.with({}));
      await world.drained("2m");
      equal(charged, [`${id}:charge`], "how often it was charged, and by which key");
      equal(seen, Array(2).fill([{ id: "p7", cents: 100 }, "sent", undefined]), "what the runs saw");
    },
  ),
  law("G2", "a step that fails is not kept, and is done again", async (world) => {
    let tries = 0;
    const work = task<{}>("work", {
      ...quick,
      run: (_, job) =>
        job.step("charge", () => {
          if (++tries < 3) throw new Error("busy");
        }),
    });
    const { broker } = await world.worker({ work });
    const { id } = await broker.enqueue(work.with({}));
    await world.drained();
    equal([tries, await world.stateOf(id)], [3, "completed"], "tries, and its state");
  }),
  law("G2", "two steps or loops of one name in one run are refused", async (world) => {
    const codes: string[] = [];
    const note = (error: unknown): void => void codes.push(ErrandError.is(error) ? error.code : String(error));
    const work = task<{}>("work", async (_, job) => {
      await job.step("charge", () => 1);
      await job.step("charge", () => 2).catch(note);
      job.each([1], { name: "pages" });
      try {
        job.each([2], { name: "pages" });
      } catch (error) {
        note(error);
      }
      job.each([3]);
    });
    const { broker } = await world.worker({ work });
    await broker.enqueue(work.with({}));
    await world.drained();
    equal(codes, ["name-taken", "name-taken"], "the refusals");
  }),
  law("G2", "steps, loops and a checkpoint of one job are kept beside each other", async (world) => {
    const seen: unknown[] = [];
    const work = task<{}>("work", {
      ...quick,
      run: async (_, job) => {
        const rest: number[] = [];
        const kept = [job.checkpoint, await job.step("one", () => `of attempt ${job.attempt}`)];
        for await (const item of job.each([1, 2, 3, 4])) {
          rest.push(item);
          if (job.attempt === 1 && item === 3) break;
        }
        seen.push([...kept, rest]);
        await job.save("mine");
        holds(job.attempt > 1, "the first attempt fails");
      },
    });
    const { broker } = await world.worker({ work });
    await broker.enqueue(work.with({}));
    await world.drained();
    equal(
      seen,
      [
        [undefined, "of attempt 1", [1, 2, 3]],
        ["mine", "of attempt 1", [3, 4]],
      ],
      "what the runs saw",
    );
  }),
];

export const checkpointLaws: readonly Law[] = [...saved, ...loops, ...steps];
