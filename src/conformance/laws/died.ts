/** G2: a death is announced as an event, once, and an alert cannot call itself. */
import { giveUp, skip } from "../../core/endings.ts";
import { jobDied } from "../../core/jobDied.ts";
import type { JobDiedPayload } from "../../core/notes.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal } from "../expect.ts";
import { law, type Law } from "../law.ts";

const alerted = task<JobDiedPayload>("alerted", () => undefined);
const alerts = when(jobDied, alerted);
const mortal = task<{ n: number }>("mortal", { queue: "risky", run: () => giveUp("no way") });

export const diedLaws: readonly Law[] = [
  law("G2", "a death is announced once, with what is known of it", async (world) => {
    const { broker } = await world.worker({ mortal, alerts });
    const { id } = await broker.enqueue(mortal.with({ n: 1 }));
    await world.drained();
    equal(
      world.runsOf("alerted").map((run) => run.input),
      [{ jobId: id, task: "mortal", queue: "risky", reason: "no way", attempts: 1, isPoison: false, isParked: false }],
      "alerts",
    );
  }),
  law("G2", "a death by exhausted attempts is announced with its attempts", async (world) => {
    const failing = task<{}>("failing", { retry: { attempts: 3, backoff: "fixed", first: "1s" }, run: () => Promise.reject(new Error("no")) });
    const { broker } = await world.worker({ failing, alerts });
    await broker.enqueue(failing.with({}));
    await world.drained();
    equal(
      world.runsOf("alerted").map((run) => [(run.input as JobDiedPayload).attempts, (run.input as JobDiedPayload).isParked]),
      [[3, false]],
      "alerts",
    );
  }),
  law("G2", "a death that parks its key is announced once, not for those behind it", async (world) => {
    const ledger = task<{ key: string; n: number }>("ledger", { orderedBy: "key", run: ({ n }) => (n === 1 ? giveUp("no way") : undefined) });
    const { broker } = await world.worker({ ledger, alerts });
    const [first] = await broker.enqueue([1, 2, 3].map((n) => ledger.with({ key: "a", n })));
    await world.drained();
    await world.advance("3s");
    equal(
      world.runsOf("alerted").map((run) => [(run.input as JobDiedPayload).jobId, (run.input as JobDiedPayload).isParked]),
      [[first?.id, true]],
      "alerts",
    );
  }),
  law("G2", "an alert that dies makes no further alert", async (world) => {
    const broken = task<JobDiedPayload>("broken", () => giveUp("the pager is down"));
    const { broker } = await world.worker({ mortal, broken: when(jobDied, broken) });
    await broker.enqueue(mortal.with({ n: 1 }));
    await world.advance("1m");
    equal(world.runsOf("broken").length, 1, "runs of the alert");
  }),
  law("G2", "what an alert enqueues is part of it: its death makes no further alert", async (world) => {
    const page = task<{ jobId: string }>("page", () => giveUp("the pager is down"));
    const passing = task<JobDiedPayload>("passing", ({ jobId }, job) => job.enqueue(page.with({ jobId })));
    const { broker } = await world.worker({ mortal, page, passing: when(jobDied, passing) });
    await broker.enqueue(mortal.with({ n: 1 }));
    await world.advance("1m");
    equal([world.runsOf("passing").length, world.runsOf("page").length], [1, 1], "runs of the alert, and of what it enqueued");
  }),
  law("G2", "a job that was redriven and died again is announced again", async (world) => {
    const { broker } = await world.worker({ mortal, alerts });
    const { id } = await broker.enqueue(mortal.with({ n: 1 }));
    await world.drained();
    await broker.retry(id);
    await world.drained();
    equal(
      world.runsOf("alerted").map((run) => (run.input as JobDiedPayload).jobId),
      [id, id],
      "alerts",
    );
  }),
  law("G2", "without a subscriber a death is announced to nobody, and makes no job", async (world) => {
    const { broker } = await world.worker({ mortal });
    await broker.enqueue(mortal.with({ n: 1 }));
    await world.drained();
    const counts = await world.observer.count();
    equal([counts.dead, counts.ready, counts.completed], [1, 0, 0], "dead, ready, completed");
  }),
  law("G2", "skipped and cancelled jobs are no deaths", async (world) => {
    const passing = task("passing", () => skip("done already"));
    const { broker } = await world.worker({ mortal, passing, alerts });
    const { id } = await broker.enqueue(mortal.with({ n: 1 }, { in: "1h" }));
    await broker.enqueue(passing.with({}));
    await broker.cancel(id);
    await world.drained();
    equal(world.runsOf("alerted").length, 0, "alerts");
  }),
];
