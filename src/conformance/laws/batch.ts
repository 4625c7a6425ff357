/** G11: a batch ends when its last member has; each callback that fits is enqueued once, and nobody waits for ever. */
import { batch } from "../../core/compose/batch.ts";
import type { BatchView } from "../../core/compose/batchView.ts";
import { giveUp, skip } from "../../core/endings.ts";
import { task, type Errand } from "../../core/task.ts";
import { between, equal, holds, matches, present, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
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

interface Ending {
  readonly how: string;
  readonly end: () => unknown;
  readonly keyed?: boolean;
  readonly callbacks: readonly string[];
}
const well = ["all-ended", "all-succeeded"];
const badly = ["all-ended", "any-failed"];
const endings: readonly Ending[] = [
  { how: "completes", end: () => undefined, callbacks: well },
  { how: "is skipped", end: () => skip("no need"), callbacks: well },
  { how: "dies", end: () => giveUp("no way"), callbacks: badly },
  { how: "is parked", end: () => giveUp("no way"), keyed: true, callbacks: badly },
];

const outcomes: readonly Law[] = [
  ...lawsOf(
    "G11",
    endings,
    (row) => `of a batch of which one member ${row.how} and the others complete, ${row.callbacks.join(" and ")} run once, the other callback never`,
    async (world, row) => {
      const last = task<{ key: string }>("last", {
        ...(row.keyed === true && { orderedBy: "key" as const }),
        retry: { attempts: 1 },
        run: async () => {
          await world.sleep("5s");
          return row.end();
        },
      });
      const { broker } = await world.worker({ ...known, last });
      const { id } = await broker.enqueue(batch([...parts(3), last.with({ key: "k" })], callbacks));
      await world.advance("4s");
      equal(ran(world), [], "callbacks before the last member has ended");
      await world.drained();
      await world.advance("30s");
      equal(ran(world).toSorted(), row.callbacks, "callbacks");
      const { state, counts } = await stored(world, id);
      const failed = row.callbacks === badly ? 1 : 0;
      equal([state, counts], ["closed", { members: 4, live: 0, succeeded: 4 - failed, failed }], "the batch");
    },
  ),
  law("G11", "a member that was cancelled counts as failed, and the batch does not wait for it", async (world) => {
    const { broker } = world.process(known);
    const { id } = await broker.enqueue(batch([part.with({ n: 1 }, { in: "1h", id: "late" }), part.with({ n: 2 })], callbacks));
    await world.worker(known);
    await world.advance("2s");
    equal([await broker.cancel("late"), (await stored(world, id)).counts.failed], ["cancelled", 1], "the answer, and failed members");
    await world.drained();
    equal(ran(world).toSorted(), badly, "callbacks");
  }),
  law("G11", "an empty batch has succeeded: its callbacks run", async (world) => {
    const { broker } = await world.worker(known);
    const { id } = await broker.enqueue(batch([], callbacks));
    await world.drained();
    equal([ran(world).toSorted(), (await stored(world, id)).state], [well, "closed"], "callbacks and state");
  }),
  law("G11", "what did not come to run says why: a callback that was not needed is skipped, one whose batch failed is cancelled", async (world) => {
    const { broker } = await world.worker(known);
    await broker.enqueue(batch(parts(2), { whenAnyFails: anyFailed.with({}, { id: "alarm" }), name: "month" }));
    await broker.enqueue(batch([part.with({ n: 1 }, { in: "1h", id: "gone" })], { whenAllSucceed: allSucceeded.with({}, { id: "summary" }), name: "month" }));
    await broker.cancel("gone");
    await world.drained();
    const [alarm, summary] = [await world.job("alarm"), await world.job("summary")];
    equal([alarm.state, summary.state], ["skipped", "cancelled"], "states");
    matches(alarm.reason, /not needed: it was for the failure of month \S+, which succeeded/, "the reason of the one that was not needed");
    matches(summary.reason, /not started: it comes after month \S+, which failed/, "the reason of the other");
  }),
  law("G11", "a callback's delay counts from the end of its batch", async (world) => {
    const slow = task("slow", () => world.sleep("20s"));
    const { broker } = await world.worker({ ...known, slow });
    await broker.enqueue(batch([slow.with({})], { whenAllEnd: allEnded.with({}, { in: "10s" }) }));
    await world.drained("2m");
    const [last, after] = [present(world.runsOf("slow")[0]?.endedAt, "the member's end"), present(world.runsOf("all-ended")[0], "the callback's run")];
    between(after.startedAt - last, 10_000, 12_000, "ms from the last end to the callback's start");
  }),
];

const crashes: readonly Law[] = [
  law("G11", "each callback runs once though the worker dies in every member", async (world) => {
    const deadly = task<{ n: number }>("deadly", async ({ n }, job) => {
      if (world.runsOf("deadly").filter((run) => (run.input as { n: number }).n === n).length === 1) await world.die(job);
    });
    const { broker } = world.process({ ...known, deadly });
    await broker.enqueue(
      batch(
        [0, 1, 2, 3].map((n) => deadly.with({ n })),
        callbacks,
      ),
    );
    for (let life = 0; life < 4; life++) {
      await world.worker({ ...known, deadly }, { queues: { default: 1 } });
      await world.until("a member ran and died", () => world.runs.length > life);
      await world.advance("12s");
    }
    await world.worker({ ...known, deadly });
    await world.drained("5m");
    equal(ran(world).toSorted(), well, "callbacks");
  }),
  law("G11", "the callback runs once where the answer to the last member's settle was lost, and its worker died then", async (world) => {
    const slow = task("slow", () => world.sleep("3s"));
    const first = await world.worker({ ...known, slow });
    await first.broker.enqueue(batch([slow.with({}), ...parts(2)], callbacks));
    await world.advance("2s");
    world.loseAnswers(first);
    await world.advance("2s");
    world.crash(first);
    await world.worker({ ...known, slow });
    await world.drained("2m");
    await world.advance("30s");
    equal(ran(world).toSorted(), well, "callbacks");
  }),
  law("G11", "300 members, five workers: each member runs once, and so does each callback", async (world) => {
    const { broker } = world.process(known);
    for (let n = 0; n < 5; n++) await world.worker(known);
    const { id } = await broker.enqueue(batch(parts(300), callbacks));
    await world.drained();
    equal([world.runsOf("part").length, ran(world).toSorted()], [300, well], "runs of members, and callbacks");
    equal((await stored(world, id)).counts, { members: 300, live: 0, succeeded: 300, failed: 0 }, "the batch's counts");
  }),
];

const nested: readonly Law[] = [
  law("G11", "a batch in a batch counts as one member, and its callback is a member of the outer one", async (world) => {
    const order: string[] = [];
    const say = task<{ word: string }>("say", async ({ word }) => {
      await world.sleep("1s");
      order.push(word);
    });
    const { broker } = await world.worker({ ...known, say }, { queues: { default: 50 } });
    const inner = batch([say.with({ word: "inner" })], { whenAllSucceed: say.with({ word: "after the inner" }), name: "inner" });
    const { id } = await broker.enqueue(batch([inner, say.with({ word: "beside" })], { whenAllSucceed: say.with({ word: "after the outer" }) }));
    const outer = await stored(world, id);
    equal(
      [outer.counts.members, outer.jobs.length, outer.batches.map(({ name, parent }) => [name, parent])],
      [3, 2, [["inner", id]]],
      "what is in the outer batch",
    );
    await world.drained();
    equal(
      [order.slice(0, 2).toSorted(), order.slice(2)],
      [
        ["beside", "inner"],
        ["after the inner", "after the outer"],
      ],
      "the order of ends",
    );
  }),
  law("G11", "a failure deep within fails every batch around it", async (world) => {
    const { broker } = await world.worker({ ...known, dying: dies });
    const deep = batch([batch([batch([dies.with({})]), ...parts(1)]), ...parts(1)], callbacks);
    const { id } = await broker.enqueue(deep);
    await world.drained();
    equal([ran(world).toSorted(), (await stored(world, id)).counts.failed], [badly, 1], "callbacks, and failed members of the outermost");
  }),
  law("G11", "a callback that is a batch runs as one, with callbacks of its own", async (world) => {
    const slow = task<{ n: number }>("slow", () => world.sleep("2s"));
    const { broker } = await world.worker({ ...known, slow });
    await broker.enqueue(
      batch([slow.with({ n: 1 })], {
        whenAllSucceed: batch(
          [2, 3].map((n) => slow.with({ n })),
          { whenAllEnd: allEnded.with({}) },
        ),
      }),
    );
    await world.drained();
    const begun = present(world.runs[0], "the first run").startedAt;
    equal(
      world.runs.map((run) => [run.task, Math.floor((run.startedAt - begun) / 2_000)]),
      [
        ["slow", 0],
        ["slow", 1],
        ["slow", 1],
        ["all-ended", 2],
      ],
      "runs, and how many runs long after the first",
    );
  }),
  law("G11", "a member that lost its unique key makes its batch wait for the job that has it", async (world) => {
    const single = task<{ key: string }>("single", { uniqueBy: "key", run: () => world.sleep("20s") });
    const { broker } = await world.worker({ ...known, single });
    const first = await broker.enqueue(single.with({ key: "a" }));
    await world.advance("5s");
    const { id } = await broker.enqueue(batch([single.with({ key: "a" }), ...parts(1)], callbacks));
    await world.advance("10s");
    equal(
      [ran(world), (await stored(world, id)).jobs.map((job) => job.id).includes(first.id)],
      [[], true],
      "callbacks while it runs, and whether it is a member",
    );
    await world.drained();
    equal([world.runsOf("single").length, ran(world).toSorted()], [1, well], "runs, and callbacks");
  }),
];

const dies = task("dies", () => giveUp("no way"));

const growing: readonly Law[] = [
  law("G11", "a member adds members to its own batch, which ends when they have ended too", async (world) => {
    const opening = task<{ n: number }>("opening", (_, job) => job.add(parts(5)));
    const { broker } = await world.worker({ ...known, opening });
    const { id } = await broker.enqueue(batch([opening.with({ n: 1 }), opening.with({ n: 2 })], callbacks));
    await world.drained();
    equal([world.runsOf("part").length, ran(world).toSorted(), (await stored(world, id)).counts.members], [10, well, 12], "added runs, callbacks, members");
  }),
  law("G11", "what a failing member added is not there", async (world) => {
    const opening = task("opening", { retry: { attempts: 1 }, run: (_, job) => (job.add(parts(5)), Promise.reject(new Error("no"))) });
    const { broker } = await world.worker({ ...known, opening });
    await broker.enqueue(batch([opening.with({})], callbacks));
    await world.drained();
    equal([world.runsOf("part").length, ran(world).toSorted()], [0, badly], "added runs, callbacks");
  }),
  law("G11", "a job that is in no batch cannot add to one", async (world) => {
    const opening = task("opening", async (_, job) => void (await refused(() => job.add(parts(1)), "batch-missing", "job.add")));
    const { broker } = await world.worker({ ...known, opening });
    await broker.enqueue(opening.with({}));
    await world.drained();
    equal([world.runs.length, world.runs[0]?.end], [1, "returned"], "runs");
  }),
  law("G11", "a job may enqueue a batch with its completion", async (world) => {
    const opening = task("opening", (_, job) => job.enqueue(batch(parts(3), callbacks)));
    const { broker } = await world.worker({ ...known, opening });
    await broker.enqueue(opening.with({}));
    await world.drained();
    equal([world.runsOf("part").length, ran(world).toSorted()], [3, well], "members and callbacks");
  }),
];

const identity: readonly Law[] = [
  law("G11", "the same id with the same members is the same batch, also after it has ended", async (world) => {
    const { broker } = await world.worker(known);
    const make = (): Errand => batch(parts(3), { ...callbacks, id: "month" });
    const answers = [await broker.enqueue(make()), await broker.enqueue(make())];
    await world.drained();
    answers.push(await broker.enqueue(make()));
    await world.drained();
    equal(
      answers.map(({ id, isDuplicate }) => [id, isDuplicate]),
      [
        ["month", false],
        ["month", true],
        ["month", true],
      ],
      "answers",
    );
    equal([world.runsOf("part").length, ran(world).toSorted()], [3, well], "runs");
  }),
  law("G11", "the same id with other members is refused, and changes nothing", async (world) => {
    const { broker } = await world.worker(known);
    await broker.enqueue(batch(parts(3), { id: "month" }));
    await refused(() => broker.enqueue(batch(parts(4), { id: "month" })), "id-conflict", "another size");
    await refused(() => broker.enqueue(batch([part.with({ n: 7 }), ...parts(2)], { id: "month" })), "id-conflict", "another member");
    await refused(() => broker.enqueue(batch(parts(3), { id: "month", whenAllEnd: allEnded.with({}) })), "id-conflict", "a callback more");
    await world.drained();
    equal([world.runsOf("part").length, ran(world), (await stored(world, "month")).counts.members], [3, [], 3], "runs, callbacks, members");
  }),
  law("G11", "a batch of which one member is refused stores nothing", async (world) => {
    const { broker } = await world.worker(known);
    await broker.enqueue(part.with({ n: 1 }, { id: "taken" }));
    await refused(
      () => broker.enqueue(batch([...parts(2), part.with({ n: 2 }, { id: "taken" })], { ...callbacks, id: "month" })),
      "id-conflict",
      "the enqueue",
    );
    await world.drained();
    equal([world.runsOf("part").length, ran(world), await broker.batch("month")], [1, [], undefined], "runs, callbacks, the batch");
  }),
];

const cancelling: readonly Law[] = [
  law("G11", "cancelling a batch: what waits never starts, what runs is signalled, the batch has failed", async (world) => {
    const long = task("long", (_, job) => world.sleep("1h", job.signal));
    const { broker } = await world.worker({ ...known, long }, { queues: { default: 2 } });
    const { id } = await broker.enqueue(batch([long.with({}), long.with({}), ...parts(30), batch(parts(5))], callbacks));
    await world.advance("2s");
    equal(await broker.cancel(id), "cancelling", "the answer while two run");
    await world.drained();
    equal([world.runsOf("part").length, world.runsOf("long").map((run) => run.abortedBy)], [0, ["job-cancelled", "job-cancelled"]], "runs of members, signals");
    equal(
      [ran(world).toSorted(), await broker.cancel(id), (await stored(world, id)).isCancelled],
      [badly, "ended", true],
      "callbacks, the answer afterwards, isCancelled",
    );
  }),
  law("G11", "cancelling a batch of which nothing runs answers cancelled; one that is not there, unknown", async (world) => {
    const { broker } = world.process(known);
    const { id } = await broker.enqueue(batch(parts(1_300), callbacks));
    equal([await broker.cancel(id), await broker.cancel("nobody")], ["cancelled", "unknown"], "answers");
    await world.worker(known);
    await world.drained("5m");
    equal([world.runsOf("part").length, ran(world).toSorted()], [0, badly], "runs of members, callbacks");
  }),
  law("G11", "a member cannot be added to a batch that was cancelled", async (world) => {
    const opening = task("opening", async (_, job) => {
      await world.sleep("10s");
      job.add(parts(3));
    });
    const { broker } = await world.worker({ ...known, opening });
    const { id } = await broker.enqueue(batch([opening.with({})], callbacks));
    await world.advance("2s");
    await broker.cancel(id);
    await world.drained();
    equal([world.runsOf("part").length, ran(world).toSorted()], [0, badly], "runs of members, callbacks");
  }),
];

const looking: readonly Law[] = [
  law("G11", "a batch tells how far it is, and what is in it, page by page", async (world) => {
    const slow = task("slow", () => world.sleep("10s"));
    await world.worker({ ...known, slow });
    const { broker } = world.process({ ...known, slow, dies });
    const { id } = await broker.enqueue(batch([...parts(7), slow.with({}), dies.with({}), batch(parts(2))], { name: "month", after: [] }));
    await world.advance("3s");
    const seen = await stored(world, id);
    equal([seen.name, seen.state, seen.isCancelled, seen.parent, seen.closedAt], ["month", "open", false, undefined, undefined], "the batch");
    equal(seen.counts, { members: 10, live: 2, succeeded: 8, failed: 0 }, "counts while one runs, and one has no worker that knows it");
    const names: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 10 && (page === 0 || after !== undefined); page++) {
      const read = present(await broker.batch(id, { limit: 3, ...(after !== undefined && { after }) }), "a page");
      names.push(...read.jobs.map((job) => job.task), ...read.batches.map(({ name }) => name));
      after = read.next;
    }
    equal(names.toSorted(), ["batch", "dies", ...Array.from({ length: 7 }, () => "part"), "slow"], "what all pages hold");
    holds(
      seen.jobs.every((job) => job.batch === id),
      "each member names its batch",
    );
  }),
];

export const batchLaws: readonly Law[] = [...outcomes, ...crashes, ...nested, ...growing, ...identity, ...cancelling, ...looking];
