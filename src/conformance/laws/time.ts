/** G5: never early, by the store's clock; and startBy: never later than worth it. */
import { snooze } from "../../core/endings.ts";
import { event } from "../../core/event.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { between, equal, holds, matches, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

/** A due job starts this soon where a worker is free. */
const startWithinMs = 2_000;

const work = task<{ n: number }>("work", () => undefined);

/** Milliseconds from `from` to the start of run number `index`. */
function startedAfter(world: World, from: number, index = 0): number | undefined {
  const run = world.runs[index];
  return run && run.startedAt - from;
}

const delays: readonly Law[] = [
  ...lawsOf(
    "G5",
    [
      { ms: 1, in: "1ms" },
      { ms: 999, in: "999ms" },
      { ms: 10_000, in: "10s" },
      { ms: 120_000, in: "2m" },
    ] as const,
    (row) => `a job delayed by ${row.in} does not start before`,
    async (world, row) => {
      const { broker } = await world.worker({ work });
      const from = world.now;
      await broker.enqueue(work.with({ n: 1 }, { in: row.in }));
      await world.until("it has run", () => world.runs.length === 1, "2h");
      between(startedAfter(world, from), row.ms, row.ms + startWithinMs, "ms until it started");
    },
  ),
  law("G5", "a job for a stated instant does not start before it", async (world) => {
    const { broker } = await world.worker({ work });
    const at = world.now + 45_678;
    await broker.enqueue(work.with({ n: 1 }, { at: new Date(at) }));
    await world.until("it has run", () => world.runs.length === 1, "2m");
    between(startedAfter(world, at), 0, startWithinMs, "ms after its instant");
  }),
  law("G5", "an instant in the past counts as now", async (world) => {
    const { broker } = await world.worker({ work });
    const from = world.now;
    const { id } = await broker.enqueue(work.with({ n: 1 }, { at: new Date(from - 86_400_000) }));
    await world.drained();
    between(startedAfter(world, from), 0, startWithinMs, "ms until it started");
    holds((await world.job(id)).dueAt.getTime() >= from, "it is not due before it was enqueued");
  }),
  law("G5", "none of 100 jobs with delays of their own starts early, whatever the worker is busy with", async (world) => {
    const busy = task<{ ms: number }>("busy", () => world.sleep("300ms"));
    const first = await world.worker({ busy }, { queues: { default: 50 } });
    await world.worker({ busy }, { queues: { default: 50 } });
    const from = world.now;
    const delaysMs = Array.from({ length: 100 }, (_, n) => (n * 7_919) % 30_000);
    await first.broker.enqueue(delaysMs.map((ms) => busy.with({ ms }, { in: `${ms}ms` })));
    await world.drained("2m");
    for (const run of world.runs) between(run.startedAt - from - (run.input as { ms: number }).ms, 0, startWithinMs, "ms after its due time");
    equal(world.runs.length, 100, "runs");
  }),
  law("G5", "a delayed job that came due while no worker was there starts with the first one", async (world) => {
    await world.process({ work }).broker.enqueue(work.with({ n: 1 }, { in: "10s" }));
    await world.advance("1h");
    const from = world.now;
    await world.worker({ work });
    await world.drained();
    between(startedAfter(world, from), 0, startWithinMs, "ms until it started");
  }),
  law("G5", "a retry does not come before its delay", async (world) => {
    const failing = task<{}>("failing", {
      retry: { attempts: 3, backoff: "fixed", first: "30s" },
      run: (_, job) => (job.attempt < 3 ? Promise.reject(new Error("not yet")) : undefined),
    });
    const { broker } = await world.worker({ failing });
    await broker.enqueue(failing.with({}));
    await world.drained("3m");
    const [first, second, third] = world.runs.map((run) => run.startedAt);
    between((second ?? 0) - (first ?? 0), 30_000, 30_000 * 1.25 + startWithinMs, "ms between the first two");
    between((third ?? 0) - (second ?? 0), 30_000, 30_000 * 1.25 + startWithinMs, "ms between the next two");
  }),
  law("G5", "a snoozed job does not come before its delay", async (world) => {
    let snoozes = 0;
    const sleepy = task<{}>("sleepy", () => (snoozes++ === 0 ? snooze("20s") : undefined));
    const { broker } = await world.worker({ sleepy });
    await broker.enqueue(sleepy.with({}));
    await world.drained();
    between((world.runs[1]?.startedAt ?? 0) - (world.runs[0]?.startedAt ?? 0), 20_000, 20_000 + startWithinMs, "ms between its runs");
  }),
  law("G5", "a subscription's delay lies between the event and its job", async (world) => {
    const happened = event<{ n: number }>("happened");
    const { broker } = await world.worker({ work, later: when(happened, work, { in: "15s" }) });
    const from = world.now;
    await broker.publish(happened.with({ n: 1 }));
    await world.drained();
    between(startedAfter(world, from), 15_000, 15_000 + startWithinMs, "ms until it started");
  }),
  law("G5", "retry of a delayed job makes it due now", async (world) => {
    const { broker } = await world.worker({ work });
    const { id } = await broker.enqueue(work.with({ n: 1 }, { in: "1h" }));
    await world.advance("5s");
    equal(world.runs.length, 0, "runs before");
    const from = world.now;
    equal(await broker.retry(id), "retried", "the answer");
    await world.drained();
    between(startedAfter(world, from), 0, startWithinMs, "ms until it started");
  }),
];

const tooLate = /too late: not started by/;

const startBy: readonly Law[] = [
  ...lawsOf(
    "G5",
    [
      { how: "within 10 s", options: (_: World): { startBy: "10s" } => ({ startBy: "10s" }) },
      { how: "by an instant", options: (world: World): { startBy: Date } => ({ startBy: new Date(world.now + 10_000) }) },
      { how: "by an instant in the past", options: (world: World): { startBy: Date } => ({ startBy: new Date(world.now - 1) }) },
    ],
    (row) => `a job to be started ${row.how} that was not is skipped, and says so`,
    async (world, row) => {
      const { id } = await world.process({ work }).broker.enqueue(work.with({ n: 1 }, row.options(world)));
      await world.advance("11s");
      await world.worker({ work });
      await world.drained();
      const job = await world.job(id);
      equal([job.state, world.runs.length], ["skipped", 0], "its state, and runs");
      matches(job.reason, tooLate, "its reason");
    },
  ),
  law("G5", "a job that is started in time is not skipped, however long it runs", async (world) => {
    const long = task<{}>("long", () => world.sleep("30s"));
    const { broker } = await world.worker({ long });
    const { id } = await broker.enqueue(long.with({}, { startBy: "3s" }));
    await world.drained();
    equal(await world.stateOf(id), "completed", "its state");
  }),
  law("G5", "a job that was started in time may be tried again later than its startBy", async (world) => {
    const failing = task<{}>("failing", {
      retry: { backoff: "fixed", first: "30s" },
      run: (_, job) => (job.attempt === 1 ? Promise.reject(new Error("not yet")) : undefined),
    });
    const { broker } = await world.worker({ failing });
    const { id } = await broker.enqueue(failing.with({}, { startBy: "5s" }));
    await world.drained("2m");
    equal([await world.stateOf(id), world.runs.length], ["completed", 2], "its state, and runs");
  }),
  law("G5", "a job that waited behind its key for too long is skipped, and the next of its key starts", async (world) => {
    const keyed = task<{ n: number; key: string }>("keyed", { orderedBy: "key", run: ({ n }) => (n === 1 ? world.sleep("20s") : undefined) });
    const { broker } = await world.worker({ keyed });
    const [, late, last] = await broker.enqueue([
      keyed.with({ n: 1, key: "a" }),
      keyed.with({ n: 2, key: "a" }, { startBy: "5s" }),
      keyed.with({ n: 3, key: "a" }),
    ]);
    await world.drained();
    const skipped = await world.job(present(late, "an answer").id);
    equal([skipped.state, await world.stateOf(present(last, "an answer").id)], ["skipped", "completed"], "the states of both");
    matches(skipped.reason, tooLate, "its reason");
  }),
];

export const timeLaws: readonly Law[] = [...delays, ...startBy];
