/** G19: history has a retention, for each ending its own; what lives is never removed. */
import { giveUp, skip } from "../../core/endings.ts";
import { keepMs } from "../../core/defaults.ts";
import { event } from "../../core/event.ts";
import { task, type TaskDefinition } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

type Ending = keyof typeof keepMs;
const endings: readonly Ending[] = ["completed", "skipped", "cancelled", "dead"];
const others = { completed: "1h", skipped: "1h", cancelled: "1h", dead: "1h" } as const;

type Keep = NonNullable<TaskDefinition<unknown, unknown>["keep"]>;

/** Brings a job of a task with that `keep` to that ending. */
async function ended(world: World, ending: Ending, keep: Keep): Promise<string> {
  const work = task<{}>("work", { keep, run: () => (ending === "skipped" ? skip("no need") : ending === "dead" ? giveUp("no way") : undefined) });
  const worker = await world.worker({ work });
  const { id } = await worker.broker.enqueue(work.with({}, ending === "cancelled" ? { in: "1h" } : {}));
  if (ending === "cancelled") await worker.broker.cancel(id);
  await world.until("it has ended", () => world.hasEnded(id));
  equal(await world.stateOf(id), ending, "how it ended");
  await world.stop(worker);
  return id;
}

async function isKept(world: World, id: string): Promise<boolean> {
  const worker = await world.worker({});
  await world.advance("5s");
  await world.stop(worker);
  return (await world.observer.find(id)) !== undefined;
}

export const retentionLaws: readonly Law[] = [
  ...lawsOf(
    "G19",
    endings,
    (ending) => `a ${ending} job is kept for as long as its task says, and then removed`,
    async (world, ending) => {
      const id = await ended(world, ending, { ...others, [ending]: "10m" });
      await world.advance("9m");
      equal(await isKept(world, id), true, "whether it is there after 9 minutes");
      await world.advance("2m");
      equal(await isKept(world, id), false, "whether it is there after 11 minutes");
    },
  ),
  ...lawsOf(
    "G19",
    endings,
    (ending) => `without a word a ${ending} job is kept for ${keepMs[ending] / 86_400_000} days`,
    async (world, ending) => {
      const id = await ended(world, ending, {});
      await world.advance(`${keepMs[ending] - 3_600_000}ms`);
      equal(await isKept(world, id), true, "whether it is there an hour before");
      await world.advance("2h");
      equal(await isKept(world, id), false, "whether it is there an hour after");
    },
  ),
  law("G19", "what lives is never removed, however old", async (world) => {
    const work = task<{ key: string }>("work", {
      orderedBy: "key",
      keep: { completed: "1s", skipped: "1s", cancelled: "1s", dead: "1s" },
      run: () => giveUp("no way"),
    });
    const worker = await world.worker({ work });
    const parked = await worker.broker.enqueue([work.with({ key: "a" }), work.with({ key: "a" })]);
    await world.until("both are parked", async () => (await world.observer.count()).parked === 2);
    await world.stop(worker);
    const { broker } = world.process({ work });
    const waiting = await broker.enqueue([work.with({ key: "b" }), work.with({ key: "b" }), work.with({ key: "c" }, { in: "3000d" })]);
    await world.advance("2000d");
    for (const { id } of [...parked, ...waiting]) equal(await isKept(world, id), true, "whether it is there");
    equal((await world.observer.count()).parked, 2, "parked jobs");
  }),
  law("G19", "an event is kept for a week for those who subscribe later, and then removed", async (world) => {
    const happened = event<{ n: number }>("happened");
    const late = task<{ n: number }>("late", () => undefined);
    await world.process({}).broker.publish(happened.with({ n: 1 }));
    await world.advance("4d");
    await world.process({}).broker.publish(happened.with({ n: 2 }));
    await world.advance("4d");
    const cleaner = await world.worker({});
    await world.advance("5s");
    await world.stop(cleaner);
    await world.worker({ history: when(happened, late, { since: "beginning" }) });
    await world.advance("5s");
    equal(
      world.runs.map((run) => run.input),
      [{ n: 2 }],
      "history that a late subscriber gets",
    );
  }),
];
