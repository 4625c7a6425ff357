/** G7: jobs of one key start in the order of enqueue, and one at a time, whatever happens between. */
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { task, type ErrandOptions, type Job, type Task } from "../../core/task.ts";
import type { WorkerOptions } from "../../core/worker/worker.ts";
import { equal, grows, holds, LawBroken } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Run } from "../runs.ts";
import type { World } from "../world.ts";

export interface Entry {
  readonly key: string;
  readonly n: number;
}
const keys = ["a", "b", "c"];

/** Each key's jobs started in order, and none before the one ahead of it had ended. */
export function inOrder(runs: readonly Run[]): void {
  for (const [key, ofKey] of Map.groupBy(runs, (run) => (run.input as Entry).key)) {
    const firsts = [...new Map(ofKey.toReversed().map((run) => [run.id, run])).values()].toReversed();
    grows(
      firsts.map((run) => (run.input as Entry).n),
      `the numbers of key ${key}, in the order of their first starts`,
    );
    for (const [index, run] of firsts.entries()) {
      const last = ofKey.findLast((other) => other.id === run.id);
      const next = firsts[index + 1];
      if (last === undefined || next === undefined || (last.endedAt ?? Infinity) <= next.startedAt) continue;
      throw new LawBroken(`the start of ${(next.input as Entry).n} of key ${key}`, `not before ${(run.input as Entry).n} ended`, {
        ended: last.endedAt,
        started: next.startedAt,
      });
    }
  }
}

interface Trouble {
  readonly name: string;
  readonly run: (world: World, entry: Entry, job: Job) => unknown;
  readonly options?: (n: number) => ErrandOptions;
  readonly workers?: WorkerOptions;
}
const troubles: readonly Trouble[] = [
  { name: "runs of different length", run: (world, { n }) => world.sleep(`${((n * 37) % 11) * 100}ms`) },
  { name: "retries", run: (_, { n }, job) => (n % 2 === 0 && job.attempt < 3 ? Promise.reject(new Error("not yet")) : undefined) },
  { name: "snoozes", run: snoozeOnce() },
  { name: "delays", run: () => undefined, options: (n) => (n % 3 === 0 ? { in: "7s" } : {}) },
  { name: "all priorities", run: () => undefined, options: (n) => ({ priority: (["low", "normal", "high"] as const)[n % 3] ?? "low" }) },
  { name: "skips", run: (_, { n }) => (n % 2 === 0 ? skip("no need") : undefined) },
  { name: "only one slot", run: (world) => world.sleep("100ms"), workers: { queues: { default: 1 } } },
];

function snoozeOnce(): Trouble["run"] {
  const snoozed = new WeakMap<World, Set<string>>();
  return (world, _, job) => {
    const seen = snoozed.get(world) ?? new Set();
    snoozed.set(world, seen);
    if (seen.has(job.id)) return undefined;
    seen.add(job.id);
    return snooze("3s");
  };
}

function ledger(world: World, run: Trouble["run"], policy: { readonly ifDead?: "park" | "block" | "continue" } = {}): Task<Entry> {
  return task<Entry>("ledger", { orderedBy: "key", retry: { backoff: "fixed", first: "2s" }, ...policy, run: (entry, job) => run(world, entry, job) });
}

const through: readonly Law[] = lawsOf(
  "G7",
  troubles,
  (row) => `jobs of a key start in order and one at a time, through ${row.name}`,
  async (world, row) => {
    const entries = ledger(world, row.run);
    const options = row.options ?? (() => ({}));
    const { broker } = await world.worker({ entries }, row.workers);
    await world.worker({ entries }, row.workers);
    await broker.enqueue(Array.from({ length: 5 }, (_, n) => keys.map((key) => entries.with({ key, n }, options(n)))).flat());
    for (const n of [5, 6, 7]) {
      for (const key of keys) await broker.enqueue(entries.with({ key, n }, options(n)));
      await world.advance("400ms");
    }
    await world.drained("5m");
    equal(new Set(world.runs.map((run) => run.id)).size, 24, "jobs that ran");
    inOrder(world.runs);
  },
);

const restarts: readonly Law[] = [
  law("G7", "jobs of a key keep their order through a crash of the worker", async (world) => {
    const entries = ledger(world, () => world.sleep("3s"));
    const first = await world.worker({ entries });
    await first.broker.enqueue(keys.flatMap((key) => [1, 2, 3, 4].map((n) => entries.with({ key, n }))));
    await world.advance("4s");
    world.crash(first);
    await world.worker({ entries });
    await world.drained("2m");
    inOrder(world.runs);
    equal((await world.observer.count()).completed, 12, "completed jobs");
  }),
  law("G7", "jobs of a key keep their order through stops and starts of the worker", async (world) => {
    const entries = ledger(world, (_, __, job) => world.sleep("1s", job.signal));
    const stored = keys.flatMap((key) => [1, 2, 3, 4, 5, 6].map((n) => entries.with({ key, n })));
    await world.process({ entries }).broker.enqueue(stored);
    for (let turn = 0; turn < 4; turn++) {
      const worker = await world.worker({ entries });
      await world.advance("1500ms");
      await world.stop(worker);
    }
    await world.worker({ entries });
    await world.drained();
    inOrder(world.runs);
  }),
  law("G7", "the order of enqueue holds across processes, and in whatever process it runs", async (world) => {
    const entries = ledger(world, (_, { n }) => world.sleep(`${((n * 53) % 7) * 100}ms`));
    const processes = [await world.worker({ entries }), await world.worker({ entries }), world.process({ entries })];
    for (let n = 0; n < 30; n++) await processes[n % 3]?.broker.enqueue(entries.with({ key: "a", n }));
    await world.drained();
    inOrder(world.runs);
    equal(world.runs.length, 30, "runs");
  }),
  law("G7", "one call of 200 jobs of a key, and four workers: one at a time, in order", async (world) => {
    const entries = ledger(world, () => world.sleep("20ms"));
    const [first] = await Promise.all([1, 2, 3, 4].map(() => world.worker({ entries })));
    await first?.broker.enqueue(Array.from({ length: 200 }, (_, n) => entries.with({ key: "a", n })));
    await world.drained("10m");
    inOrder(world.runs);
    equal(world.runs.length, 200, "runs");
  }),
  law("G7", "hundreds of small jobs of few keys keep their order, and none starts before a second try of the one before it", async (world) => {
    const entries = ledger(world, (_, { n }, job) => (n % 50 === 49 && job.attempt < 3 ? Promise.reject(new Error("not yet")) : undefined));
    const two = { queues: { default: 5 } };
    const { broker } = await world.worker({ entries }, two);
    await broker.enqueue(Array.from({ length: 300 }, (_, n) => keys.map((key) => entries.with({ key, n }))).flat());
    await world.worker({ entries }, two);
    await world.drained("5m");
    equal(new Set(world.runs.map((run) => run.id)).size, 900, "jobs that ran");
    inOrder(world.runs);
  }),
  law("G7", "hundreds of small jobs of few keys keep their order through a kill of their worker", async (world) => {
    const entries = ledger(world, () => world.sleep("5ms"));
    const victim = await world.worker({ entries });
    await victim.broker.enqueue(Array.from({ length: 300 }, (_, n) => keys.map((key) => entries.with({ key, n }))).flat());
    await world.advance("700ms");
    world.crash(victim);
    await world.worker({ entries });
    await world.drained("5m");
    for (const [key, runs] of Map.groupBy(world.runs, (run) => (run.input as Entry).key)) {
      const heirs = runs.filter((run) => run.process !== victim.name).map((run) => (run.input as Entry).n);
      grows(heirs, `the numbers of key ${key} that ran after the kill`);
      equal(new Set(runs.map((run) => run.id)).size, 300, `jobs of key ${key} that ran`);
    }
  }),
  law("G7", "enqueues of a key at the same moment take one order, and keep it", async (world) => {
    const entries = ledger(world, (_, { n }, job) => (n % 2 === 0 && job.attempt === 1 ? Promise.reject(new Error("not yet")) : undefined));
    const processes = [1, 2, 3].map(() => world.process({ entries }));
    await Promise.all(processes.flatMap(({ broker }, p) => Array.from({ length: 6 }, (_, n) => broker.enqueue(entries.with({ key: "a", n: p * 6 + n })))));
    const { jobs } = await world.observer.list({ task: "ledger" });
    await world.worker({ entries });
    await world.drained("2m");
    equal(
      [...new Set(world.runs.map((run) => run.id))],
      jobs.map(({ id }) => id),
      "the order of first starts, against the order of the list",
    );
  }),
];

const flow: readonly Law[] = [
  law("G7", "the next of a key starts soon after the one before has ended", async (world) => {
    const entries = ledger(world, () => world.sleep("1s"));
    const { broker } = await world.worker({ entries });
    await broker.enqueue([1, 2, 3, 4, 5].map((n) => entries.with({ key: "a", n })));
    await world.drained();
    for (const [index, run] of world.runs.entries()) {
      const before = world.runs[index - 1];
      if (before !== undefined)
        holds(run.startedAt - (before.endedAt ?? 0) <= 2_000, "ms between an end and the next start are 2,000 at most", run.startedAt - (before.endedAt ?? 0));
    }
  }),
  ...lawsOf(
    "G7",
    [
      { trouble: "is delayed", options: { in: "30s" } as const, end: () => undefined },
      { trouble: "runs long", options: {}, end: (world: World) => world.sleep("30s") },
      { trouble: "is tried again", options: {}, end: (_: World, job: Job) => (job.attempt < 9 ? Promise.reject(new Error("not yet")) : undefined) },
      { trouble: "is dead", options: {}, end: () => giveUp("no way") },
    ],
    (row) => `other keys flow while the head of a key ${row.trouble}`,
    async (world, row) => {
      const entries = ledger(world, (_, { key }, job) => (key === "stuck" ? row.end(world, job) : undefined));
      const { broker } = await world.worker({ entries }, { queues: { default: 2 } });
      await broker.enqueue([entries.with({ key: "stuck", n: 1 }, row.options), entries.with({ key: "stuck", n: 2 })]);
      await world.advance("2s");
      const from = world.now;
      await broker.enqueue([1, 2, 3].flatMap((n) => ["x", "y"].map((key) => entries.with({ key, n }))));
      await world.until(
        "the other keys have ended",
        () => world.runs.filter((run) => (run.input as Entry).key !== "stuck" && run.end !== undefined).length === 6,
        "10s",
      );
      holds(world.now - from <= 10_000, "other keys flow");
      equal(world.runs.filter((run) => (run.input as Entry).key === "stuck" && (run.input as Entry).n === 2).length, 0, "runs of the one behind");
    },
  ),
  law("G7", "a key of several fields is one key only if all of them are equal", async (world) => {
    const pair = task<{ a: string; b: number }>("pair", { orderedBy: ["a", "b"], run: () => world.sleep("2s") });
    const { broker } = await world.worker({ pair });
    await broker.enqueue([pair.with({ a: "x", b: 1 }), pair.with({ a: "x", b: 1 }), pair.with({ a: "x", b: 2 }), pair.with({ a: "y", b: 1 })]);
    await world.advance("1s");
    equal(world.runs.length, 3, "runs at once");
    await world.drained();
    equal(world.runs.length, 4, "runs in all");
  }),
  law("G7", "cancelling the head of a key lets the next start", async (world) => {
    const entries = ledger(world, () => undefined);
    const { broker } = await world.worker({ entries });
    const head = await broker.enqueue(entries.with({ key: "a", n: 1 }, { in: "1h" }));
    await broker.enqueue(entries.with({ key: "a", n: 2 }));
    await world.advance("3s");
    equal(world.runs.length, 0, "runs while the head is delayed");
    await broker.cancel(head.id);
    await world.drained();
    equal(
      world.runs.map((run) => (run.input as Entry).n),
      [2],
      "what ran",
    );
  }),
  law("G7", "cancelling one in the middle of a key leaves the order of the others", async (world) => {
    const entries = ledger(world, () => world.sleep("1s"));
    const { broker } = await world.worker({ entries });
    const [, middle] = await broker.enqueue([1, 2, 3].map((n) => entries.with({ key: "a", n })));
    await broker.cancel(middle?.id ?? "");
    await world.drained();
    equal(
      world.runs.map((run) => (run.input as Entry).n),
      [1, 3],
      "what ran",
    );
    inOrder(world.runs);
  }),
  law("G7", "jobs of one key but of two tasks do not wait for each other", async (world) => {
    const one = task<Entry>("one", { orderedBy: "key", run: () => world.sleep("5s") });
    const two = task<Entry>("two", { orderedBy: "key", run: () => undefined });
    const { broker } = await world.worker({ one, two });
    await broker.enqueue([one.with({ key: "a", n: 1 }), two.with({ key: "a", n: 1 })]);
    await world.until("the second task ran", () => world.runsOf("two").length === 1, "2s");
  }),
];

export const orderLaws: readonly Law[] = [...through, ...restarts, ...flow];
