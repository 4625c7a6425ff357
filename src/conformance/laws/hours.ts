/** G8: a task with hours starts its jobs within them, by the store's clock and the zone's, and holds back nothing else. */
import type { Hours } from "../../core/limits/hours.ts";
import { isOpen } from "../../core/limits/hours.ts";
import { task, type Task } from "../../core/task.ts";
import { between, equal, holds } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

interface Numbered {
  readonly n: number;
}

function nightly(hours: Hours, run: () => unknown): Task<Numbered> {
  return task<Numbered>("nightly", { hours, run });
}

const hour = 3_600_000;
/** The clock of a world begins at 2026-01-01T00:00Z. */
const from2026 = (instant: string): number => Date.parse(instant) - Date.UTC(2026, 0, 1);

const openings: readonly { readonly name: string; readonly hours: Hours; readonly waitFrom: string; readonly opens: string }[] = [
  { name: "over midnight", hours: { open: "22:00-06:00", zone: "UTC" }, waitFrom: "2026-01-01T21:59:30Z", opens: "2026-01-01T22:00:00Z" },
  { name: "in another zone", hours: { open: "08:00-18:00", zone: "Asia/Kathmandu" }, waitFrom: "2026-01-02T02:14:30Z", opens: "2026-01-02T02:15:00Z" },
  {
    name: "after the clocks were put forward",
    hours: { open: "08:00-18:00", zone: "Europe/Berlin" },
    waitFrom: "2026-03-30T05:59:30Z",
    opens: "2026-03-30T06:00:00Z",
  },
  {
    name: "where the clocks pass over their beginning",
    hours: { open: "02:30-05:00", zone: "Europe/Berlin" },
    waitFrom: "2026-03-29T00:59:30Z",
    opens: "2026-03-29T01:00:00Z",
  },
  { name: "on some days only", hours: { open: "00:00-24:00", zone: "UTC", days: "monday" }, waitFrom: "2026-01-04T23:59:30Z", opens: "2026-01-05T00:00:00Z" },
];

export const hourLaws: readonly Law[] = [
  ...lawsOf(
    "G8",
    openings,
    (row) => `a task whose hours are ${row.name} starts when they begin, and not before`,
    async (world, row) => {
      const work = nightly(row.hours, () => undefined);
      await world.advance(`${from2026(row.waitFrom)}ms`);
      const { broker } = await world.worker({ work }, { clockOffsetMs: 7 * hour });
      const { id } = await broker.enqueue(work.with({ n: 1 }));
      await world.advance("29s");
      equal(world.runs.length, 0, "runs before");
      holds((await broker.why(id)).includes("hours"), "why names the hours", await broker.why(id));
      await world.advance("3s");
      equal(world.runs.length, 1, "runs after");
      between(world.runs[0]?.startedAt, Date.parse(row.opens), Date.parse(row.opens) + 2_000, "the start");
    },
  ),
  law("G8", "when its hours end nothing of a task starts any more, also of what was claimed ahead; what runs goes on", async (world) => {
    const hours: Hours = { open: "00:00-00:05", zone: "UTC" };
    const work = nightly(hours, () => world.sleep("200ms"));
    const long = task<Numbered>("long", { hours, run: () => world.sleep("10m") });
    const { broker } = await world.worker({ work, long }, { queues: { default: 3 } });
    await broker.enqueue(long.with({ n: 0 }));
    await broker.enqueue(Array.from({ length: 6_000 }, (_, n) => work.with({ n })));
    await world.advance("11m");
    const own = world.runsOf("nightly");
    holds(own.length > 1_000 && own.every((run) => isOpen([hours], run.startedAt)), "all starts are within the hours", own.length);
    equal(
      world.runsOf("long").map((run) => run.end),
      ["returned"],
      "the long run",
    );
    equal((await world.observer.count({ task: "nightly" })).running, 0, "of the others, running now");
  }),
  law("G8", "what a worker holds ready does not start when its hours have ended", async (world) => {
    const hours: Hours = { open: "00:00-00:05", zone: "UTC" };
    let [took, n]: ["1ms" | "400ms", number] = ["1ms", 0];
    const work = nightly(hours, () => world.sleep(took));
    const { broker } = await world.worker({ work }, { queues: { default: 1 } });
    const enqueue = (count: number): Promise<unknown> => broker.enqueue(Array.from({ length: count }, () => work.with({ n: n++ })));
    await enqueue(100);
    await world.advance("299s");
    equal(world.runs.length, 100, "quick runs, from which the worker learns to claim ahead");
    took = "400ms";
    await enqueue(40);
    await world.advance("10s");
    const late = world.runs.filter((run) => !isOpen([hours], run.startedAt));
    equal([world.runs.length > 100, late.length], [true, 0], "some of the slow ones ran; starts after the hours");
    equal((await world.observer.count({ task: "nightly" })).running, 0, "running now");
  }),
  law("G8", "a closed task holds back no other of its queue, and takes no slot", async (world) => {
    const work = nightly({ open: "22:00-06:00", zone: "Asia/Tokyo" }, () => undefined);
    const free = task<Numbered>("free", () => undefined);
    const { broker } = await world.worker({ work, free }, { queues: { default: 1 } });
    await broker.enqueue([1, 2, 3].map((n) => work.with({ n })));
    await broker.enqueue([1, 2, 3].map((n) => free.with({ n })));
    await world.advance("1s");
    equal([world.runsOf("nightly").length, world.runsOf("free").length], [0, 3], "runs of each");
  }),
];
