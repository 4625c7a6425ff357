/** G9: limits hold, over all processes, through retries, kills and edits; and what is held back by one holds back nothing else. */
import { giveUp, snooze } from "../../core/endings.ts";
import { event } from "../../core/event.ts";
import type { Limit } from "../../core/limits/limit.ts";
import { task, type Job, type Task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { mostAtOnce, mostStartsWithin } from "../atOnce.ts";
import { between, equal, holds } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Run } from "../runs.ts";
import type { World } from "../world.ts";
import { inOrder } from "./order.ts";

interface Entry {
  readonly key: string;
  readonly n: number;
}
const keyOf = (run: Run): string => (run.input as Entry).key;

function limited(limits: readonly Limit<Entry>[], run: (entry: Entry, job: Job) => unknown): Task<Entry> {
  return task<Entry>("limited", { limits, breaker: false, retry: { backoff: "fixed", first: "1s" }, run });
}

/** Runs of different length, retries, snoozes and deaths. */
function troubled(world: World): (entry: Entry, job: Job) => Promise<void> {
  const snoozed = new Set<string>();
  return async ({ n }, job) => {
    await world.sleep(`${((n * 37) % 9) * 100 + 50}ms`);
    if (n % 5 === 1 && job.attempt < 3) throw new Error("not yet");
    if (n % 7 === 2 && !snoozed.has(job.id)) {
      snoozed.add(job.id);
      snooze("2s");
    }
    if (n % 11 === 3) giveUp("no way");
  };
}

const entries = (count: number, keys: readonly string[]): Entry[] => Array.from({ length: count }, (_, n) => ({ key: keys[n % keys.length] ?? "a", n }));

interface Bound {
  readonly name: string;
  readonly limits: readonly Limit<Entry>[];
  readonly keeps: (runs: readonly Run[]) => readonly [got: number, most: number];
}
const bounds: readonly Bound[] = [
  { name: "3 at once", limits: [{ running: 3 }], keeps: (runs) => [mostAtOnce(runs), 3] },
  { name: "4 starts in any 2 s", limits: [{ starts: 4, every: "2s" }], keeps: (runs) => [mostStartsWithin(runs, 2_000), 4] },
  { name: "2 at once of each key", limits: [{ running: 2, per: "key" }], keeps: (runs) => [worstKey(runs, (own) => mostAtOnce(own)), 2] },
  {
    name: "3 starts of each key in any 5 s",
    limits: [{ starts: 3, every: "5s", per: "key" }],
    keeps: (runs) => [worstKey(runs, (own) => mostStartsWithin(own, 5_000)), 3],
  },
  {
    name: "1 at once of each key, 3 of one that is excepted",
    limits: [{ running: 1, per: "key", except: { a: 3 } }],
    keeps: (runs) => [worstKey(runs, (own) => mostAtOnce(own) - (keyOf(own[0] as Run) === "a" ? 2 : 0)), 1],
  },
  {
    name: "5 at once, of 2 of each key and 3 starts in any second",
    limits: [{ running: 5 }, { running: 2, per: "key" }, { starts: 3, every: "1s" }],
    keeps: (runs) => [mostStartsWithin(runs, 1_000), 3],
  },
];

function worstKey(runs: readonly Run[], measure: (runs: readonly Run[]) => number): number {
  return Math.max(...[...Map.groupBy(runs, keyOf).values()].map(measure));
}

const holding: readonly Law[] = [
  ...lawsOf(
    "G9",
    bounds,
    (row) => `over four workers there are never more than ${row.name}, through retries and snoozes`,
    async (world, row) => {
      const work = limited(row.limits, troubled(world));
      const workers = [];
      for (let count = 0; count < 4; count++) workers.push(await world.worker({ work }, { queues: { default: 4 } }));
      await workers[0]?.broker.enqueue(entries(60, ["a", "b", "c"]).map((entry) => work.with(entry)));
      await world.drained("5m");
      equal(new Set(world.runs.map((run) => run.id)).size, 60, "jobs that ran");
      const [got, most] = row.keeps(world.runs);
      between(got, 1, most, row.name);
    },
  ),
  ...lawsOf(
    "G9",
    bounds,
    (row) => `there are never more than ${row.name}, though workers are killed, stopped and started`,
    async (world, row) => {
      const work = limited(row.limits, troubled(world));
      const deaths = new Map<string, number>();
      const first = await world.worker({ work }, { queues: { default: 4 } });
      await first.broker.enqueue(entries(40, ["a", "b", "c"]).map((entry) => work.with(entry)));
      for (let turn = 0; turn < 4; turn++) {
        const victim = await world.worker({ work }, { queues: { default: 4 } });
        const other = await world.worker({ work }, { queues: { default: 4 } });
        await world.advance("1700ms");
        world.crash(victim);
        deaths.set(victim.name, world.now);
        await world.stop(other);
      }
      await world.drained("5m");
      const ended = world.runs.map((run) => (run.endedAt === undefined && deaths.has(run.process) ? { ...run, endedAt: deaths.get(run.process) } : run));
      const [got, most] = row.keeps(ended);
      between(got, 1, most, row.name);
    },
  ),
  law("G9", "what a killed worker held is free again with its lease, and not before", async (world) => {
    const work = limited([{ running: 2 }], ({ n }) => world.sleep(n < 2 ? "1h" : "100ms"));
    const victim = await world.worker({ work });
    await victim.broker.enqueue(entries(6, ["a"]).map((entry) => work.with(entry)));
    await world.until("two run", () => world.runs.length === 2);
    const heir = world.process({ work });
    await world.advance("1s");
    world.crash(victim);
    const from = world.now;
    await world.finished(heir.start(), "the start of the heir");
    await world.until("the next one starts", () => world.runs.length > 2, "20s");
    between(world.now - from, 4_000, 12_000, "ms until a place was free");
  }),
];

const fairness: readonly Law[] = [
  law("G9", "a key without room takes neither a slot nor an attempt, and why names the limit", async (world) => {
    const work = limited([{ running: 1, per: "key" }], ({ key }) => world.sleep(key === "full" ? "1m" : "100ms"));
    const { broker } = await world.worker({ work }, { queues: { default: 2 } });
    const full = await broker.enqueue([1, 2, 3, 4].map((n) => work.with({ key: "full", n })));
    await world.until("one of them runs", () => world.runs.length === 1);
    await broker.enqueue([5, 6, 7].map((n) => work.with({ key: `other ${n}`, n })));
    await world.until("the others have ended", () => world.runs.filter((run) => run.end !== undefined).length === 3, "5s");
    for (const { id } of full.slice(1)) {
      const { state, attempts, starts, waits } = await world.job(id);
      equal([state, attempts, starts, waits?.reason], ["blocked", 0, 0, "limit"], "a job of the full key");
      holds((await broker.why(id)).includes("full"), "why names the key", await broker.why(id));
    }
  }),
  law("G9", "a tenant with a long line does not starve the others: they take turns", async (world) => {
    const work = limited([{ running: 1, per: "key" }], () => world.sleep("100ms"));
    const tenants = ["a", "b", "c", "d"];
    await world.process({ work }).broker.enqueue(tenants.flatMap((key) => Array.from({ length: 10 }, (_, n) => work.with({ key, n }))));
    await world.worker({ work }, { queues: { default: 2 } });
    await world.drained("2m");
    const order = world.runs.map(keyOf);
    for (let at = 4; at + 8 <= order.length; at++)
      holds(new Set(order.slice(at, at + 8)).size === 4, "any eight starts in a row are of all four", order.slice(at, at + 8));
  }),
  law("G9", "a full task holds back no other task of its queue", async (world) => {
    const work = limited([{ running: 1 }], () => world.sleep("1m"));
    const free = task<Entry>("free", () => undefined);
    const { broker } = await world.worker({ work, free }, { queues: { default: 3 } });
    await broker.enqueue(entries(50, ["a"]).map((entry) => work.with(entry)));
    await world.advance("1s");
    await broker.enqueue(entries(50, ["a"]).map((entry) => free.with(entry)));
    await world.until("all of the others ran", () => world.runsOf("free").length === 50, "5s");
    equal(world.runsOf("limited").length, 1, "runs of the full one");
  }),
  law("G9", "starts come at the rate, without gaps", async (world) => {
    const work = limited([{ starts: 10, every: "1s" }], () => undefined);
    const workers = [await world.worker({ work }), await world.worker({ work })];
    await workers[0]?.broker.enqueue(entries(200, ["a"]).map((entry) => work.with(entry)));
    const from = world.now;
    await world.until("all have started", () => world.runs.length === 200, "40s");
    between(world.now - from, 19_000, 20_500, "ms for 200 starts at 10 a second");
  }),
];

const together: readonly Law[] = [
  ...lawsOf(
    "G9",
    [
      { name: "1 at once", limits: [{ running: 1, per: "key" }] },
      { name: "2 starts a second", limits: [{ starts: 2, every: "1s", per: "key" }] },
      { name: "both, and one over all", limits: [{ running: 1, per: "key" }, { starts: 2, every: "1s", per: "key" }, { running: 3 }] },
      {
        name: "the same key in two limits",
        limits: [
          { running: 1, per: "key" },
          { running: 1, per: ["key", "key"] },
        ],
      },
    ] as const,
    (row) => `a task that is ordered by a key, and has ${row.name} of that key, goes on in order and comes to an end`,
    async (world, row) => {
      const work = task<Entry>("limited", {
        orderedBy: "key",
        limits: row.limits as readonly Limit<Entry>[],
        retry: { backoff: "fixed", first: "1s" },
        run: ({ n }, job) => (n % 4 === 1 && job.attempt === 1 ? Promise.reject(new Error("not yet")) : world.sleep("50ms")),
      });
      const first = await world.worker({ work });
      await world.worker({ work });
      await first.broker.enqueue(entries(24, ["a", "b", "c"]).map((entry) => work.with(entry)));
      await world.drained("5m");
      equal(new Set(world.runs.map((run) => run.id)).size, 24, "jobs that ran");
      inOrder(world.runs);
    },
  ),
  law("G9", "a publisher without the task's code keeps its limits per key", async (world) => {
    const happened = event<Entry>("happened");
    const work = limited([{ running: 1, per: "key" }], () => world.sleep("300ms"));
    const subscribed = when(happened, work);
    const worker = await world.worker({ work, subscribed });
    await world.stop(worker);
    await world.process({ happened }).broker.publish(entries(12, ["a", "b"]).map((entry) => happened.with(entry)));
    await world.worker({ work, subscribed });
    await world.drained();
    equal([world.runs.length, worstKey(world.runs, (own) => mostAtOnce(own))], [12, 1], "runs, and the most of one key at once");
  }),
];

const edits: readonly Law[] = [
  law("G9", "an edit of a limit is held to by all workers at once, and outlives them", async (world) => {
    const define = (running: number): { work: Task<Entry> } => ({ work: limited([{ running }], () => world.sleep("1s")) });
    const atOnce = (from: number): number => mostAtOnce(world.runs.filter((run) => run.startedAt >= from));
    const workers = [await world.worker(define(4)), await world.worker(define(4))];
    const { broker } = workers[0] ?? world.process({});
    await broker.enqueue(entries(400, ["a"]).map((entry) => define(4).work.with(entry)));
    await world.advance("5s");
    equal(atOnce(0), 4, "at once, as defined");
    await broker.limit({ task: "limited" }, { running: 2 });
    await world.advance("2s");
    let from = world.now;
    await world.advance("5s");
    equal(atOnce(from), 2, "at once, as edited");
    for (const worker of workers) await world.stop(worker);
    workers.push(await world.worker(define(5)), await world.worker(define(5)));
    from = world.now;
    await world.advance("5s");
    equal(atOnce(from), 2, "at once, as edited, after a deploy that defines another");
    await broker.limit({ task: "limited" }, "as-defined");
    await world.advance("2s");
    from = world.now;
    await world.advance("5s");
    equal(atOnce(from), 5, "at once, as defined again");
  }),
  law("G9", "a deploy changes a limit that nobody edited, and takes it away", async (world) => {
    const running: { work: Task<Entry> } = { work: limited([{ running: 1 }], () => world.sleep("1s")) };
    const free: { work: Task<Entry> } = { work: limited([], () => world.sleep("1s")) };
    const old = await world.worker(running);
    await old.broker.enqueue(entries(40, ["a"]).map((entry) => running.work.with(entry)));
    await world.advance("3500ms");
    equal(mostAtOnce(world.runs), 1, "at once, of the old");
    await world.stop(old);
    await world.worker(free, { queues: { default: 6 } });
    await world.advance("3500ms");
    equal(mostAtOnce(world.runs), 6, "at once, of the new");
  }),
  law("G9", "a limit that the code does not have can be set, and is heard within a heartbeat", async (world) => {
    const work = limited([], () => world.sleep("500ms"));
    const { broker } = await world.worker({ work });
    await broker.enqueue(entries(300, ["a"]).map((entry) => work.with(entry)));
    await world.advance("1s");
    await broker.limit({ task: "limited" }, { starts: 3, every: "1s" });
    await world.advance("3s");
    const from = world.now;
    await world.advance("10s");
    between(world.runs.filter((run) => run.startedAt >= from).length, 27, 33, "starts in 10 s at 3 a second");
  }),
];

export const limitLaws: readonly Law[] = [...holding, ...fairness, ...together, ...edits];
