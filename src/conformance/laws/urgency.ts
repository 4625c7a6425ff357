/** G8: urgency is due time minus head start; the smallest goes first, and it is no order of a key. */
import { task, type Priority } from "../../core/task.ts";
import { headStartMs } from "../../core/defaults.ts";
import { equal } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

const work = task<{ n: number }>("work", () => undefined);
const oneHand = { queues: { default: 1 } };

function numbersRun(world: World): number[] {
  return world.runs.map((run) => (run.input as { n: number }).n);
}

interface Pair {
  readonly first: Priority;
  readonly second: Priority;
  readonly laterMs: number;
  readonly wins: 1 | 2;
}
const pairs: readonly Pair[] = [
  { first: "normal", second: "high", laterMs: 0, wins: 2 },
  { first: "low", second: "normal", laterMs: 0, wins: 2 },
  { first: "normal", second: "normal", laterMs: 1, wins: 1 },
  { first: "high", second: "high", laterMs: 0, wins: 1 },
  { first: "normal", second: "high", laterMs: 599_000, wins: 2 },
  { first: "normal", second: "high", laterMs: 601_000, wins: 1 },
  { first: "low", second: "high", laterMs: 1_199_000, wins: 2 },
  { first: "low", second: "high", laterMs: 1_201_000, wins: 1 },
];

function isTie(pair: Pair | undefined): boolean {
  return pair?.first === pair?.second && pair?.laterMs === 0;
}

const pairLaws: readonly Law[] = lawsOf(
  "G8",
  pairs,
  (row) => `a ${row.second} job enqueued ${row.laterMs / 1_000} s after a ${row.first} one starts ${row.wins === 2 ? "before" : "after"} it`,
  async (world, row) => {
    const { broker } = world.process({ work });
    await broker.enqueue(work.with({ n: 1 }, { priority: row.first }));
    await world.advance(`${row.laterMs}ms`);
    await broker.enqueue(work.with({ n: 2 }, { priority: row.second }));
    await world.worker({ work }, oneHand);
    await world.drained();
    equal(numbersRun(world), row.wins === 1 ? [1, 2] : [2, 1], "the order of starts");
  },
);

export const urgencyLaws: readonly Law[] = [
  ...pairLaws.map((pair, at) => (isTie(pairs[at]) ? { ...pair, between: "Which of two jobs of the same urgency, to the millisecond, starts first." } : pair)),
  law("G8", "jobs of one priority start in the order of enqueue", async (world) => {
    await world.process({ work }).broker.enqueue(Array.from({ length: 60 }, (_, n) => work.with({ n })));
    await world.worker({ work }, oneHand);
    await world.drained();
    equal(
      numbersRun(world),
      Array.from({ length: 60 }, (_, n) => n),
      "the order of starts",
    );
  }),
  law("G8", "120 jobs of all priorities and delays start in the order of their urgency", async (world) => {
    const { broker } = world.process({ work });
    const priorities = ["low", "normal", "high"] as const;
    const jobs = Array.from({ length: 120 }, (_, n) => ({ n, delayMs: (n * 104_729) % 1_500_000, priority: priorities[(n * 31) % 3] ?? "normal" }));
    await broker.enqueue(jobs.map(({ n, delayMs, priority }) => work.with({ n }, { in: `${delayMs}ms`, priority })));
    await world.advance("30m");
    await world.worker({ work }, oneHand);
    await world.drained("2m");
    const urgency = (job: (typeof jobs)[number]): number => job.delayMs - headStartMs[job.priority];
    equal(
      numbersRun(world),
      jobs.toSorted((a, b) => urgency(a) - urgency(b) || a.n - b.n).map(({ n }) => n),
      "the order of starts",
    );
  }),
  law("G8", "a call site's priority stands above its task's", async (world) => {
    const lowly = task<{ n: number }>("lowly", { priority: "low", run: () => undefined });
    const { broker } = world.process({ work, lowly });
    await broker.enqueue([lowly.with({ n: 1 }), work.with({ n: 2 }), lowly.with({ n: 3 }, { priority: "high" })]);
    await world.worker({ work, lowly }, oneHand);
    await world.drained();
    equal(numbersRun(world), [3, 2, 1], "the order of starts");
  }),
  law("G8", "an urgent job starts before less urgent ones that wait, though they were first", async (world) => {
    const slow = task<{ n: number }>("slow", () => world.sleep("3s"));
    const { broker } = await world.worker({ slow }, oneHand);
    await broker.enqueue([1, 2, 3, 4, 5].map((n) => slow.with({ n })));
    await world.advance("4s");
    await broker.enqueue(slow.with({ n: 9 }, { priority: "high" }));
    await world.drained();
    equal(numbersRun(world).indexOf(9) <= 3, true, "whether it started next, but for one that was handed out already");
  }),
  law("G8", "prioritise puts a waiting job in its new place", async (world) => {
    const { broker } = world.process({ work });
    const stored = await broker.enqueue([1, 2, 3].map((n) => work.with({ n })));
    const { jobs } = await broker.change({ ids: [stored[2]?.id ?? ""] }, { do: "prioritise", headStartMs: 60_000 });
    equal(
      jobs.map(({ is }) => is),
      ["prioritised"],
      "the answer",
    );
    await world.worker({ work }, oneHand);
    await world.drained();
    equal(numbersRun(world), [3, 1, 2], "the order of starts");
  }),
  law("G8", "priority never lets a job pass another of its key", async (world) => {
    const keyed = task<{ n: number; key: string }>("keyed", { orderedBy: "key", run: () => undefined });
    const { broker } = world.process({ keyed });
    await broker.enqueue([
      keyed.with({ n: 1, key: "a" }, { priority: "low" }),
      keyed.with({ n: 2, key: "b" }),
      keyed.with({ n: 3, key: "a" }, { priority: "high" }),
    ]);
    await world.worker({ keyed }, oneHand);
    await world.drained();
    equal(
      numbersRun(world).filter((n) => n !== 2),
      [1, 3],
      "the order of starts of the key",
    );
  }),
  law("G8", "queues do not share hands: a full one holds up no other", async (world) => {
    const slow = task<{ n: number }>("slow", { queue: "slow", run: () => world.sleep("1h") });
    const { broker } = await world.worker({ work, slow }, { queues: { default: 1, slow: 1 } });
    await broker.enqueue([1, 2, 3].map((n) => slow.with({ n })));
    await world.advance("2s");
    await broker.enqueue([4, 5].map((n) => work.with({ n })));
    await world.until("the other queue's jobs have run", () => world.runsOf("work").length === 2, "3s");
    equal(world.runsOf("slow").length, 1, "runs of the full queue");
  }),
  law("G8", "a queue runs no more jobs at once than its worker has hands for it", async (world) => {
    let running = 0;
    let most = 0;
    const counted = task<{ n: number }>("counted", async () => {
      most = Math.max(most, ++running);
      await world.sleep("1s");
      running--;
    });
    const { broker } = await world.worker({ counted }, { queues: { default: 3 } });
    await broker.enqueue(Array.from({ length: 20 }, (_, n) => counted.with({ n })));
    await world.drained();
    equal(most, 3, "most runs at once");
  }),
];
