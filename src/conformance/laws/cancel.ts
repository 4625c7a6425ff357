/** G4: cancel is final. */
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { task, type Job } from "../../core/task.ts";
import { beatEveryMs } from "../../core/defaults.ts";
import { between, equal, matches, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

const work = task<{ key: string }>("work", { orderedBy: "key", run: ({ key }) => (key === "dies" ? giveUp("no way") : undefined) });

const waiting: readonly Law[] = [
  ...lawsOf(
    "G4",
    [
      { state: "ready", errand: work.with({ key: "a" }) },
      { state: "scheduled", errand: work.with({ key: "a" }, { in: "1m" }) },
      { state: "blocked", errand: work.with({ key: "taken" }) },
    ],
    (row) => `cancelling a ${row.state} job answers cancelled, and no run starts`,
    async (world, row) => {
      const { broker } = world.process({ work });
      await broker.enqueue(work.with({ key: "taken" }));
      const { id } = await broker.enqueue(row.errand);
      equal(await world.stateOf(id), row.state, "its state before");
      equal(await broker.cancel(id, "the order was withdrawn"), "cancelled", "the answer");
      const after = await world.job(id);
      equal(after.state, "cancelled", "its state after");
      matches(after.reason, /the order was withdrawn/, "its reason");
      await world.worker({ work });
      await world.advance("2m");
      equal(world.runsOfJob(id).length, 0, "runs");
    },
  ),
  law("G4", "cancelling a parked job answers cancelled, and it cannot be redriven", async (world) => {
    const { broker } = await world.worker({ work });
    const { id } = await broker.enqueue(work.with({ key: "dies" }));
    await world.until("it is parked", async () => (await world.stateOf(id)) === "parked");
    equal(await broker.cancel(id), "cancelled", "the answer");
    equal(await broker.retry(id), "ended", "the answer to retry");
    await world.advance("5s");
    equal([await world.stateOf(id), world.runs.length], ["cancelled", 1], "its state, and runs");
  }),
  law("G4", "cancelling an unknown id answers unknown", async (world) => {
    equal(await world.process({ work }).broker.cancel("nobody"), "unknown", "the answer");
  }),
  ...lawsOf(
    "G4",
    [
      { end: "completed", run: (): void => undefined },
      { end: "skipped", run: (): never => skip("no need") },
      { end: "dead", run: (): never => giveUp("no way") },
    ],
    (row) => `cancelling a job that is ${row.end} answers ended, and leaves it ${row.end}`,
    async (world, row) => {
      const ending = task<{}>("ending", row.run);
      const { broker } = await world.worker({ ending });
      const { id } = await broker.enqueue(ending.with({}));
      await world.drained();
      equal([await broker.cancel(id), await world.stateOf(id)], ["ended", row.end], "the answer, and the state");
    },
  ),
  law("G4", "cancelling a cancelled job answers ended", async (world) => {
    const { broker } = world.process({ work });
    const { id } = await broker.enqueue(work.with({ key: "a" }));
    equal([await broker.cancel(id), await broker.cancel(id)], ["cancelled", "ended"], "the two answers");
  }),
];

/** A task that runs until its signal is aborted, and then ends as `end` says. */
function runsUntilAborted(world: World, end: (job: Job) => unknown): ReturnType<typeof task<{}>> {
  return task<{}>("long", {
    run: async (_, job) => {
      await world.sleep("1h", job.signal).catch(() => undefined);
      return end(job);
    },
  });
}

const running: readonly Law[] = [
  ...lawsOf(
    "G4",
    [{ where: "the process that runs it" }, { where: "another process" }],
    (row) => `cancelling a running job from ${row.where} aborts its signal within a heartbeat`,
    async (world, row) => {
      const long = runsUntilAborted(world, () => undefined);
      const runner = await world.worker({ long });
      const asker = row.where === "another process" ? world.process({ long }) : runner;
      const { id } = await runner.broker.enqueue(long.with({}));
      await world.until("it runs", () => world.runs.length === 1);
      await world.advance("700ms");
      const askedAt = world.now;
      equal(await asker.broker.cancel(id), "cancelling", "the answer");
      equal(await asker.broker.cancel(id), "cancelling", "the answer to a second one");
      await world.until("it has ended", () => world.hasEnded(id), "5s");
      const [run] = world.runs;
      between((run?.abortedAt ?? Infinity) - askedAt, 0, beatEveryMs, "ms until its signal was aborted");
      equal(run?.abortedBy, "job-cancelled", "what its signal was aborted with");
      equal(await world.stateOf(id), "cancelled", "its state");
    },
  ),
  ...lawsOf<{ how: string; end: () => unknown }>(
    "G4",
    [
      { how: "returns", end: () => undefined },
      { how: "fails", end: () => Promise.reject(new Error("no")) },
      { how: "gives up", end: () => giveUp("no way") },
      { how: "skips", end: () => skip("no need") },
      { how: "snoozes", end: () => snooze("1s") },
    ],
    (row) => `a run that ${row.how} after its cancel ends cancelled, and is not tried again`,
    async (world, row) => {
      const long = runsUntilAborted(world, row.end);
      const { broker } = await world.worker({ long });
      const { id } = await broker.enqueue(long.with({}));
      await world.until("it runs", () => world.runs.length === 1);
      await broker.cancel(id);
      await world.until("it has ended", () => world.hasEnded(id), "10s");
      await world.advance("1m");
      equal([await world.stateOf(id), world.runs.length], ["cancelled", 1], "its state, and runs");
    },
  ),
  law("G4", "a run that ignores its signal and returns does not end completed", async (world) => {
    const deaf = task<{}>("deaf", () => world.sleep("6s"));
    const { broker } = await world.worker({ deaf });
    const { id } = await broker.enqueue(deaf.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await broker.cancel(id);
    await world.drained();
    await world.advance("20s");
    equal([await world.stateOf(id), world.runs.length], ["cancelled", 1], "its state, and runs");
  }),
  law("G4", "cancel asked for just before the run ends is kept: never completed", async (world) => {
    const quick = task<{}>("quick", () => world.sleep("5s"));
    const { broker } = await world.worker({ quick });
    const { id } = await broker.enqueue(quick.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await world.advance("4900ms");
    equal(await broker.cancel(id), "cancelling", "the answer");
    await world.drained();
    equal(await world.stateOf(id), "cancelled", "its state");
  }),
  law("G4", "a cancelled run whose process dies is not run again", async (world) => {
    const long = runsUntilAborted(world, () => undefined);
    const first = await world.worker({ long });
    const second = await world.worker({ long });
    const { id } = await first.broker.enqueue(long.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    const runner = present(world.runs[0], "a run").process === first.name ? first : second;
    world.crash(runner);
    equal(await world.observer.cancel(id), "cancelling", "the answer");
    await world.until("it has ended", () => world.hasEnded(id), "20s");
    await world.advance("10s");
    equal([await world.stateOf(id), world.runs.length], ["cancelled", 1], "its state, and runs");
  }),
  law("G4", "what a cancelled run handed in is not stored", async (world) => {
    const next = task<{}>("next", () => undefined);
    const long = runsUntilAborted(world, (job) => job.enqueue(next.with({})));
    const { broker } = await world.worker({ long, next });
    const { id } = await broker.enqueue(long.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await broker.cancel(id);
    await world.drained();
    equal((await world.observer.count({ task: "next" })).completed, 0, "follow-up jobs");
  }),
  law("G4", "cancelling many by filter answers for each", async (world) => {
    const { broker } = world.process({ work });
    const stored = await broker.enqueue(Array.from({ length: 30 }, (_, n) => work.with({ key: `k${n}` })));
    const { jobs, hasMore } = await broker.change({ jobs: { task: "work" } }, { do: "cancel", reason: "all of them" });
    equal(new Set(jobs.map(({ id }) => id)), new Set(stored.map(({ id }) => id)), "the jobs answered for");
    equal([jobs.every(({ is }) => is === "cancelled"), hasMore], [true, false], "each cancelled, and no more");
    equal((await world.observer.count()).cancelled, 30, "cancelled jobs");
  }),
];

export const cancelLaws: readonly Law[] = [...waiting, ...running];
