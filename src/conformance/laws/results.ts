/** Waiting for a job to end, whoever enqueued it and wherever it runs (G2, G20). */
import { giveUp, skip } from "../../core/endings.ts";
import type { JobResult } from "../../core/result/results.ts";
import type { Schema } from "../../core/schema.ts";
import { task } from "../../core/task.ts";
import { between, equal, LawBroken, matches, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const aNumber: Schema<number> = {
  "~standard": { version: 1, vendor: "conformance", validate: (value) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }) },
};

async function resultOf(world: World, process: Process, id: string): Promise<JobResult> {
  try {
    return await world.finished(process.broker.result(id, { within: "60s" }), "a result");
  } catch (error) {
    throw error instanceof LawBroken ? error : new LawBroken("the result of a job", "a result", error);
  }
}

const endings: readonly { readonly how: string; readonly run: () => unknown; readonly result: Omit<JobResult, "id"> }[] = [
  { how: "completes", run: () => 42, result: { state: "completed", result: 42, reason: undefined } },
  { how: "skips", run: () => skip("done already"), result: { state: "skipped", result: undefined, reason: "done already" } },
  { how: "dies", run: () => giveUp("no such account"), result: { state: "dead", result: undefined, reason: "no such account" } },
];

export const resultLaws: readonly Law[] = [
  ...lawsOf(
    "G2",
    endings,
    ({ how }) => `the result of a job that ${how} is told in another process`,
    async (world, row) => {
      const work = task("work", { result: aNumber, run: async (_: {}) => world.sleep("3s").then(row.run) as Promise<number> });
      await world.worker({ work });
      const process = world.process({ work });
      const { id } = await process.broker.enqueue(work.with({}));
      const from = world.now;
      equal(await resultOf(world, process, id), { id, ...row.result }, "the result");
      between(world.now - from, 3_000, 4_500, "ms until it was told");
      equal(await resultOf(world, process, id), { id, ...row.result }, "the result, asked for again");
    },
  ),
  law("G2", "the result of a cancelled job, and of one behind a death, is told", async (world) => {
    const work = task<{ key: string }>("work", { orderedBy: "key", run: () => giveUp("no") });
    const process = world.process({ work });
    const [first, second, third] = await process.broker.enqueue([work.with({ key: "a" }), work.with({ key: "a" }), work.with({ key: "b" })]);
    await process.broker.cancel(third?.id ?? "", "not any more");
    await world.worker({ work });
    const states = [];
    for (const job of [first, second, third]) states.push(await resultOf(world, process, job?.id ?? ""));
    equal(
      states.map(({ state, reason }) => [state, reason]),
      [
        ["parked", "no"],
        ["parked", 'its key work["a"] is parked'],
        ["cancelled", "not any more"],
      ],
      "the results",
    );
  }),
  law("G2", "a worker's own process is told of a result at once", async (world) => {
    const work = task<{}>("work", () => world.sleep("10s"));
    const process = await world.worker({ work });
    const { id } = await process.broker.enqueue(work.with({}));
    let toldAt: number | undefined;
    void process.broker.result(id, { within: "1m" }).then(
      () => (toldAt = world.now),
      () => undefined,
    );
    await world.until("it is told", () => toldAt !== undefined);
    equal((toldAt ?? 0) - (world.runs[0]?.endedAt ?? 0), 0, "ms between the end of the run and the result");
  }),
  law("G2", "a job that has not ended in time is told so, and goes on", async (world) => {
    const work = task<{}>("work", () => world.sleep("10s"));
    const process = await world.worker({ work });
    const { id } = await process.broker.enqueue(work.with({}));
    const from = world.now;
    const error = await refused(() => world.finished(process.broker.result(id, { within: "5s" }), "a refusal"), "result-timeout", "a wait of 5 s");
    between(world.now - from, 5_000, 5_200, "ms until it was told");
    matches(error.message, /it is running; it goes on/, "the message");
    equal([(await resultOf(world, process, id)).state, world.runs.length], ["completed", 1], "the result, asked for again, and runs");
  }),
  law("G2", "an unknown job has no result", async (world) => {
    await refused(() => world.process({}).broker.result("nobody"), "job-unknown", "the result of nobody");
  }),
  law("G6", "one that asks for what runs already joins it and gets its result", async (world) => {
    const work = task<{ key: string }, { key: string }, never, number>("work", {
      uniqueBy: "key",
      result: aNumber,
      run: () => world.sleep("3s").then(() => world.runs.length),
    });
    await world.worker({ work });
    const askers = [world.process({ work }), world.process({ work }), world.process({ work })];
    const results: JobResult[] = [];
    const waits = askers.map(async (process, n) => {
      await world.sleep(`${n * 1_000}ms`);
      const { id } = await process.broker.enqueue(work.with({ key: "a" }));
      results.push(await process.broker.result(id, { within: "1m" }));
    });
    await world.finished(Promise.all(waits), "the results");
    equal([world.runs.length, results.map(({ state, result }) => [state, result])], [1, Array(3).fill(["completed", 1])], "runs, and the results");
  }),
  law("G20", "a wait for a result goes on through an outage of the store", async (world) => {
    const work = task<{}>("work", () => world.sleep("2s"));
    await world.worker({ work });
    const process = world.process({ work });
    const { id } = await process.broker.enqueue(work.with({}));
    const result = process.broker.result(id, { within: "1m" });
    await world.advance("1s");
    world.cutStore(process);
    await world.advance("5s");
    world.healStore(process);
    const from = world.now;
    equal((await world.finished(result, "the result")).state, "completed", "the result");
    between(world.now - from, 0, 2_000, "ms from the store's return");
  }),
  law("G19", "1,200 waits for results at once are all told", async (world) => {
    const work = task<{ n: number }>("work", { result: aNumber, run: async ({ n }) => world.sleep(`${(n * 7) % 3_000}ms`).then(() => n) });
    await world.worker({ work }, { queues: { default: 200 } });
    const process = world.process({ work });
    const accepted = await process.broker.enqueue(Array.from({ length: 1_200 }, (_, n) => work.with({ n })));
    const results = await world.finished(Promise.all(accepted.map(({ id }) => process.broker.result(id, { within: "2m" }))), "the results");
    equal(
      results.map(({ result }) => result),
      Array.from({ length: 1_200 }, (_, n) => n),
      "the results",
    );
  }),
  law("G2", "closing a broker ends its waits for results, not the jobs", async (world) => {
    const work = task<{}>("work", () => world.sleep("5s"));
    await world.worker({ work });
    const process = world.process({ work });
    const { id } = await process.broker.enqueue(work.with({}));
    const waiting = process.broker.result(id, { within: "1m" });
    waiting.catch(() => undefined);
    await world.advance("1s");
    await world.finished(process.broker.close(), "the close");
    await refused(() => waiting, "broker-closed", "the wait");
    await world.drained();
    equal(await world.stateOf(id), "completed", "its state");
  }),
];
