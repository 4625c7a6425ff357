/** G2: what a run hands in is stored in the same atom as its outcome, or not at all. */
import { batch } from "../../core/compose/batch.ts";
import { chain } from "../../core/compose/chain.ts";
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { event } from "../../core/event.ts";
import { task, type Errand, type Job } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

const next = task<{ n: number }>("next", () => undefined);

interface Ending {
  readonly how: string;
  readonly end: (job: Job) => unknown;
  readonly stored: number;
}
const endings: readonly Ending[] = [
  { how: "completes", end: () => undefined, stored: 2 },
  { how: "skips", end: () => skip("no need"), stored: 2 },
  { how: "fails", end: () => Promise.reject(new Error("no")), stored: 0 },
  { how: "gives up", end: () => giveUp("no way"), stored: 0 },
];

export const followLaws: readonly Law[] = [
  ...lawsOf(
    "G2",
    endings,
    (row) => `of a run that ${row.how}, ${row.stored === 0 ? "nothing that it handed in" : "all that it handed in"} is stored`,
    async (world, row) => {
      const parent = task<{}>("parent", {
        retry: { attempts: 1 },
        run: (_, job) => {
          job.enqueue([next.with({ n: 1 }), next.with({ n: 2 })]);
          return row.end(job);
        },
      });
      const { broker } = await world.worker({ parent, next });
      await broker.enqueue(parent.with({}));
      await world.drained();
      equal(world.runsOf("next").length, row.stored, "follow-up runs");
    },
  ),
  law("G2", "what a run handed in is not there before the run has ended", async (world) => {
    const parent = task<{}>("parent", async (_, job) => {
      job.enqueue(next.with({ n: 1 }));
      await world.sleep("5s");
    });
    const { broker } = await world.worker({ parent, next });
    await broker.enqueue(parent.with({}));
    await world.advance("4s");
    equal((await world.observer.count({ task: "next" })).ready, 0, "follow-up jobs while it runs");
    await world.drained();
    equal(world.runsOf("next").length, 1, "follow-up runs afterwards");
  }),
  law("G2", "a run whose process dies stores nothing of what it handed in", async (world) => {
    const parent = task<{}>("parent", async (_, job) => {
      job.enqueue(next.with({ n: world.runs.length }));
      if (world.runs.length === 1) await world.die(job);
    });
    const first = await world.worker({ parent, next });
    await first.broker.enqueue(parent.with({}));
    await world.until("it ran", () => world.runs.length === 1);
    await world.worker({ parent, next });
    await world.drained();
    equal(
      world.runsOf("next").map((run) => run.input),
      [{ n: 2 }],
      "follow-up runs",
    );
  }),
  law("G2", "a settle whose answer was lost stores what was handed in once", async (world) => {
    const parent = task<{}>("parent", async (_, job) => {
      job.enqueue(next.with({ n: 1 }));
      await world.sleep("3s");
    });
    const worker = await world.worker({ parent, next });
    await worker.broker.enqueue(parent.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await world.advance("2s");
    world.loseAnswers(worker);
    await world.advance("5s");
    world.healStore(worker);
    await world.drained();
    await world.advance("20s");
    equal([world.runsOf("parent").length, (await world.observer.count({ task: "next" })).completed], [1, 1], "runs of the parent, follow-up jobs");
  }),
  law("G2", "a snoozing run's handed in work is stored with the snooze", async (world) => {
    const parent = task<{}>("parent", (_, job) => {
      if (world.runsOf("parent").length > 1) return;
      job.enqueue(next.with({ n: 1 }));
      snooze("5s");
    });
    await (await world.worker({ parent, next })).broker.enqueue(parent.with({}));
    await world.drained();
    equal([world.runsOf("parent").length, world.runsOf("next").length], [2, 1], "runs of both");
  }),
  law("G2", "a run cannot hand in what does not fit: the error stands in the run", async (world) => {
    const parent = task<{}>("parent", async (_, job) => {
      await refused(() => job.enqueue(next.with({ n: Number.NaN })), "payload-not-json", "job.enqueue");
      await refused(() => job.enqueue(task<{}>("stranger", () => undefined).with({})), "task-unknown", "job.enqueue");
      job.enqueue(next.with({ n: 1 }));
    });
    await (await world.worker({ parent, next })).broker.enqueue(parent.with({}));
    await world.drained();
    equal([(await world.observer.count({ task: "parent" })).completed, world.runsOf("next").length], [1, 1], "completed parents, follow-up runs");
  }),
  law("G2", "follow-ups of one run keep their key's order", async (world) => {
    const ledger = task<{ key: string; n: number }>("ledger", { orderedBy: "key", run: () => world.sleep("200ms") });
    const parent = task<{}>("parent", (_, job) => job.enqueue([1, 2, 3, 4, 5].map((n) => ledger.with({ key: "a", n }))));
    await (await world.worker({ parent, ledger })).broker.enqueue(parent.with({}));
    await world.drained();
    equal(
      world.runsOf("ledger").map((run) => (run.input as { n: number }).n),
      [1, 2, 3, 4, 5],
      "the order of starts",
    );
  }),
  law("G2", "a run publishes with its completion, to each subscriber once", async (world) => {
    const happened = event<{ n: number }>("happened");
    const parent = task<{}>("parent", (_, job) => job.publish([1, 2].map((n) => happened.with({ n }))));
    await (await world.worker({ parent, nexts: when(happened, next) })).broker.enqueue(parent.with({}));
    await world.drained();
    equal(
      world.runsOf("next").map((run) => run.input),
      [{ n: 1 }, { n: 2 }],
      "subscribers' runs",
    );
  }),
  ...lawsOf(
    "G2",
    endings,
    (row) => `a batch and a chain that a run handed in are ${row.stored === 0 ? "not there" : "there"} when it ${row.how}`,
    async (world, row) => {
      const parent = task<{}>("parent", {
        retry: { attempts: 1 },
        run: (_, job) => {
          job.enqueue([
            batch([next.with({ n: 1 }), next.with({ n: 2 })], { whenAllSucceed: next.with({ n: 3 }), id: "group" }),
            chain(next.with({ n: 4 }), next.with({ n: 5 })),
          ]);
          return row.end(job);
        },
      });
      const { broker } = await world.worker({ parent, next });
      await broker.enqueue(parent.with({}));
      await world.drained();
      equal(
        [world.runsOf("next").length, (await broker.batch("group"))?.state],
        row.stored === 0 ? [0, undefined] : [5, "closed"],
        "follow-up runs, and the batch",
      );
    },
  ),
  law("G2", "a run hands in 500 jobs at most, members of batches and batches counted: the error stands in the run", async (world) => {
    const many = (count: number): Errand => batch(Array.from({ length: count }, (_, n) => next.with({ n })));
    const parent = task<{}>("parent", async (_, job) => {
      await refused(() => job.enqueue(many(500)), "enqueue-too-many", "a batch of 500");
      job.enqueue(many(399));
      await refused(() => job.enqueue(many(100)), "enqueue-too-many", "a hundred more");
      await refused(() => job.enqueue(next.with({ n: 1 }, { after: next.with({ n: 2 }) })), "after-unknown", "after an errand that is not in the call");
      job.enqueue(many(99));
    });
    await (await world.worker({ parent, next }, { queues: { default: 50 } })).broker.enqueue(parent.with({}));
    await world.drained();
    equal([world.runsOf("parent")[0]?.end, world.runsOf("next").length], ["returned", 498], "how the run ended, and follow-up runs");
  }),
  law("G2", "what a run hands in may come after the run's own job", async (world) => {
    const parent = task<{}>("parent", (_, job) => job.enqueue(next.with({ n: 1 }, { after: job.id })));
    await (await world.worker({ parent, next })).broker.enqueue(parent.with({}));
    await world.drained();
    equal(world.runsOf("next").length, 1, "follow-up runs");
  }),
  law("G2", "a follow-up with an id that other content has does not pass unseen", async (world) => {
    const parent = task<{}>("parent", { retry: { attempts: 1 }, run: (_, job) => job.enqueue(next.with({ n: 2 }, { id: "taken" })) });
    const { broker } = await world.worker({ parent, next });
    await broker.enqueue(next.with({ n: 1 }, { id: "taken" }));
    const { id } = await broker.enqueue(parent.with({}));
    await world.drained();
    const job = await world.job(id);
    equal(
      [job.state, (job.history.at(-1)?.error?.message ?? job.reason ?? "").includes("id-conflict")],
      ["dead", true],
      "state, and whether it names the conflict",
    );
  }),
];
