/** G22: a job whose task no worker here knows is left for one that does. */
import { event } from "../../core/event.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { between, equal, matches } from "../expect.ts";
import { law, type Law } from "../law.ts";

const known = task<{ n: number }>("known", () => undefined);
const novel = task<{ n: number }>("novel", () => undefined);

export const unknownLaws: readonly Law[] = [
  law("G22", "a job of a task that no worker knows is left alone, untouched", async (world) => {
    const { id } = await world.process({ novel }).broker.enqueue(novel.with({ n: 1 }));
    await world.worker({ known });
    await world.advance("1m");
    const job = await world.job(id);
    equal([job.state, job.starts, job.attempts, job.suspects], ["ready", 0, 0, 0], "state, starts, attempts, suspects");
    matches(await world.observer.why(id), /worker/, "why");
  }),
  law("G22", "it runs as soon as a worker comes that knows its task", async (world) => {
    const { id } = await world.process({ novel }).broker.enqueue(novel.with({ n: 1 }));
    await world.worker({ known });
    await world.advance("1m");
    const from = world.now;
    const knower = await world.worker({ known, novel });
    await world.drained();
    equal(
      world.runsOfJob(id).map((run) => run.process),
      [knower.name],
      "where it ran",
    );
    between((world.runs[0]?.startedAt ?? 0) - from, 0, 2_000, "ms until it started");
  }),
  law("G22", "unknown jobs slow nobody: known ones behind 1,000 of them start at once", async (world) => {
    const { broker } = await world.worker({ known });
    await world.process({ novel }).broker.enqueue(Array.from({ length: 1_000 }, (_, n) => novel.with({ n }, { priority: "high" })));
    await broker.enqueue(known.with({ n: 1 }));
    await world.until("the known one ran", () => world.runs.length === 1, "2s");
    equal((await world.observer.count({ task: "novel" })).ready, 1_000, "unknown jobs that wait");
  }),
  law("G22", "of two workers each takes the tasks that it knows", async (world) => {
    const one = await world.worker({ known });
    const two = await world.worker({ novel });
    await world.process({ known, novel }).broker.enqueue([1, 2, 3].flatMap((n) => [known.with({ n }), novel.with({ n })]));
    await world.drained();
    equal([...new Set(world.runsOf("known").map((run) => run.process))], [one.name], "where the first task ran");
    equal([...new Set(world.runsOf("novel").map((run) => run.process))], [two.name], "where the second task ran");
  }),
  law("G22", "a job in a queue that no worker serves waits for one that does", async (world) => {
    const apart = task<{ n: number }>("apart", { queue: "apart", run: () => undefined });
    const { broker } = await world.worker({ apart }, { queues: { default: 5 } });
    const { id } = await broker.enqueue(apart.with({ n: 1 }));
    await world.advance("1m");
    equal([await world.stateOf(id), world.runs.length], ["ready", 0], "state, and runs");
    await world.worker({ apart }, { queues: { apart: 1 } });
    await world.drained();
    equal(world.runs.length, 1, "runs");
  }),
  law("G22", "a job of an event for a task that this worker does not know is left alone too", async (world) => {
    const happened = event<{ n: number }>("happened");
    await world.process({ novels: when(happened, novel) }).broker.open();
    const { broker } = await world.worker({ known });
    await broker.publish(happened.with({ n: 1 }));
    await world.advance("1m");
    equal((await world.observer.count({ task: "novel" })).ready, 1, "jobs that wait");
    await world.worker({ novels: when(happened, novel) });
    await world.drained();
    equal(world.runsOf("novel").length, 1, "runs");
  }),
];
