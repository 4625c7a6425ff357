/** Jobs of one key that are claimed in a row: one after the other, and none past one that did not end. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Claim, Claimed } from "../../src/core/engine.ts";
import { giveUp, skip, snooze } from "../../src/core/endings.ts";
import { Definitions } from "../../src/core/definitions.ts";
import { Meter } from "../../src/core/metrics/meter.ts";
import { pausedTask } from "../../src/core/notes.ts";
import { task, type Job, type Task, type TaskDefinition } from "../../src/core/task.ts";
import { Planner } from "../../src/core/plan.ts";
import { Crew } from "../../src/core/worker/crew.ts";
import { Run } from "../../src/core/worker/run.ts";
import { settingsOf } from "../../src/core/worker/settings.ts";
import { memory } from "../../src/memory/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";
import { Stage } from "./stage.ts";

interface Entry {
  readonly key: string;
  readonly n: number;
}

/** What ran, and how many of each key at once. */
class Book {
  readonly starts: Entry[] = [];
  readonly #running: Map<string, number> = new Map();
  mostOfOneKey = 0;

  async run(entry: Entry, body: () => unknown): Promise<unknown> {
    const running = (this.#running.get(entry.key) ?? 0) + 1;
    this.starts.push(entry);
    this.#running.set(entry.key, running);
    this.mostOfOneKey = Math.max(this.mostOfOneKey, running);
    try {
      return await body();
    } finally {
      this.#running.set(entry.key, (this.#running.get(entry.key) ?? 0) - 1);
    }
  }

  /** The numbers of a key in the order of their first starts. */
  firsts(key: string): number[] {
    return [...new Set(this.starts.filter((entry) => entry.key === key).map(({ n }) => n))];
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const claims = (stage: Stage): Claim[] => stage.calls.filter(({ verb }) => verb === "claim").map(({ args }) => args[0] as Claim);
const rowsAsked = (stage: Stage): number => Math.max(...claims(stage).map(({ inRow = 1 }) => inRow));

function ledger(book: Book, body: (entry: Entry, job: Job) => unknown, options: Partial<TaskDefinition<Entry, Entry>> = {}): Task<Entry> {
  return task<Entry>("ledger", {
    orderedBy: "key",
    breaker: false,
    retry: { backoff: "fixed", first: "1s" },
    ...options,
    run: (entry, job) => book.run(entry, () => body(entry, job)),
  });
}

for (const isAsync of [false, true]) {
  const store = isAsync ? "an asynchronous store" : "a synchronous store";

  test(`thousands of small jobs of a few keys are claimed in rows, and each key keeps its order (${store})`, async () => {
    const book = new Book();
    const work = ledger(book, () => undefined);
    await using stage = new Stage({ work }, { isAsync });
    const keys = upTo(8).map((key) => `key ${key}`);
    await stage.enqueue(...upTo(400).flatMap((n) => keys.map((key) => work.with({ key, n }))));
    await stage.start();
    await stage.advance(500);
    for (const key of keys) assert.deepEqual(book.firsts(key), upTo(400));
    assert.equal(book.mostOfOneKey, 1);
    assert.ok(claims(stage).length < 200, `${claims(stage).length} claims`);
    assert.ok(rowsAsked(stage) > 10);
    assert.ok((await stage.jobs("ledger")).every(({ state }) => state === "completed"));
  });
}

interface Trouble {
  readonly name: string;
  /** What the 300th of the key does at its first start. */
  readonly body: (job: Job) => unknown;
  readonly options?: Partial<TaskDefinition<Entry, Entry>>;
}
const troubles: readonly Trouble[] = [
  { name: "fails", body: () => Promise.reject(new Error("not yet")) },
  { name: "is snoozed", body: () => snooze("2s") },
  { name: "is skipped", body: () => skip("no need") },
  { name: "dies, and its key goes on without it", body: () => giveUp("no way"), options: { ifDead: "continue" } },
  {
    name: "takes too long",
    body: (job) => new Promise((_, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason as Error))),
    options: { timeout: "1500ms" },
  },
];

for (const { name, body, options } of troubles) {
  test(`where one of a row ${name}, the others neither start before it has ended nor are charged for it`, async () => {
    const book = new Book();
    let isFirst = true;
    const work = ledger(
      book,
      ({ n }, job) => {
        if (n !== 300 || !isFirst) return undefined;
        isFirst = false;
        return body(job);
      },
      options,
    );
    await using stage = new Stage({ work });
    await stage.enqueue(...upTo(400).map((n) => work.with({ key: "a", n })));
    await stage.start();
    for (let second = 0; second < 60; second++) await stage.advance(1_000);
    assert.ok(rowsAsked(stage) > 10);
    assert.deepEqual(book.firsts("a"), upTo(400));
    assert.equal(book.mostOfOneKey, 1);
    const numbers = book.starts.map(({ n }) => n);
    assert.ok(
      numbers.slice(0, numbers.lastIndexOf(300)).every((n) => n <= 300),
      "nothing starts between its first try and its last",
    );
    const rows = await stage.jobs("ledger");
    assert.ok(rows.slice(301).every(({ state, starts, attempts, history }) => state === "completed" && starts === 1 && attempts === 1 && history.length === 0));
  });
}

test("where what one of a row hands over is refused, the next has not started before its second try", async () => {
  const book = new Book();
  const other = task("other", ({ a: _ }: { a: number }) => undefined);
  const work = ledger(book, ({ n }, job) => {
    if (n === 300) job.enqueue(other.with({ a: job.attempt === 1 ? 2 : 1 }, { id: "taken" }));
    else if (n > 290) job.enqueue(other.with({ a: n }));
  });
  await using stage = new Stage({ work, other });
  await stage.enqueue(other.with({ a: 1 }, { id: "taken" }), ...upTo(400).map((n) => work.with({ key: "a", n })));
  await stage.start();
  for (let second = 0; second < 10; second++) await stage.advance(1_000);
  assert.deepEqual(book.firsts("a"), upTo(400));
  const numbers = book.starts.map(({ n }) => n);
  assert.deepEqual(numbers.slice(numbers.indexOf(300), numbers.indexOf(300) + 3), [300, 300, 301]);
  assert.equal(stage.outcomes().filter(({ follow }) => follow !== undefined).length, 110);
});

/** A worker in the middle of a row of slow jobs. */
async function inTheMiddle(seen: (stage: Stage, book: Book, work: Task<Entry>) => Promise<void>): Promise<void> {
  const book = new Book();
  const work = ledger(book, ({ n }) => (n < 200 ? undefined : new Promise<void>((resolve) => stage.runtime.after(400, resolve))));
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...upTo(400).map((n) => work.with({ key: "a", n })));
  await stage.start();
  await stage.advance(100);
  assert.ok((stage.workers[0]?.inFlight ?? 0) > 10, "there is a row");
  await seen(stage, book, work);
}

const states = async (stage: Stage): Promise<Record<string, number>> =>
  Object.fromEntries([...Map.groupBy(await stage.jobs("ledger"), ({ state }) => state)].map(([state, rows]) => [state, rows.length]));

test("a stop hands back the rest of a row, uncharged", () =>
  inTheMiddle(async (stage, book) => {
    const worker = stage.workers[0];
    const stopped = worker?.stop();
    await stage.advance(1_000);
    await stopped;
    assert.equal((await stage.jobs("ledger")).filter(({ state }) => state === "running").length, 0);
    assert.deepEqual(book.firsts("a"), upTo(book.starts.length));
    assert.ok((await stage.jobs("ledger")).slice(book.starts.length).every(({ starts, state }) => starts === 0 && state !== "completed"));
  }));

test("a pause hands back the rest of a row", () =>
  inTheMiddle(async (stage, book) => {
    await stage.note(pausedTask("ledger"), "{}");
    await stage.advance(5_000);
    const count = book.starts.length;
    await stage.advance(10_000);
    assert.equal(book.starts.length, count);
    assert.equal((await states(stage))["running"], undefined);
  }));

test("one of a row that is cancelled does not start, and those behind it do, in their order", () =>
  inTheMiddle(async (stage, book) => {
    const next = (await stage.jobs("ledger")).filter(({ state }) => state === "running")[8];
    assert.equal(await stage.change(next?.id ?? "", { do: "cancel", reason: "not needed" }), "cancelling");
    await stage.advance(2_100);
    assert.equal((await stage.job(next?.id)).state, "cancelled");
    assert.ok(((await states(stage))["running"] ?? 0) < 10, "those behind it went back with it");
    await stage.advance(200_000);
    const n = (JSON.parse(next?.payload ?? "{}") as Entry).n;
    assert.deepEqual(
      book.firsts("a"),
      upTo(400).filter((each) => each !== n),
    );
  }));

/** A crew of one hand, busy for good, that holds a row of four ready behind it. */
function heldRow(): { readonly crew: Crew; readonly back: string[]; readonly head: string } {
  const runtime = new VirtualRuntime();
  const work = task<Entry>("work", { orderedBy: "key", run: () => new Promise(() => undefined) });
  const definitions = new Definitions([{ work }]);
  const settings = settingsOf({ queues: { default: 1 } }, definitions);
  const back: string[] = [];
  const crew = new Crew(
    { engine: memory(), runtime, definitions, planner: new Planner(definitions, runtime), log: runtime.log, settings, meter: new Meter() },
    { ended: () => undefined, handedBack: (runs) => back.push(...runs.map(({ claimed }) => claimed.id)), tired: () => undefined, mayStart: () => true },
  );
  const runOf = (lane: string, n: number): Run =>
    new Run(
      {
        id: `${lane}${n}`,
        task: "work",
        queue: "default",
        payload: JSON.stringify({ key: lane, n }),
        attempt: 1,
        starts: 1,
        suspects: 0,
        enqueuedAt: 0,
        dueAt: 0,
        lane,
        isOrdered: true,
      },
      { claim: "claim", fence: 1 },
      definitions.task("work"),
      crew.handsOf("default"),
    );
  crew.deliver([{ queue: "default", slots: 2, ahead: 3 }], [runOf("a", 0), ...[0, 1, 2, 3].map((n) => runOf("b", n))], 4);
  return { crew, back, head: "b0" };
}

test("a job that is handed back before it has started takes those behind it along, in their order", () => {
  const { crew, back, head } = heldRow();
  assert.equal(crew.inFlight, 5);
  crew.handBack(({ claimed }) => claimed.id === head);
  assert.deepEqual([back, crew.inFlight], [["b0", "b1", "b2", "b3"], 1]);
});

test("of rows that wait for a hand nothing is left where the worker was given up", () => {
  const { crew, back } = heldRow();
  crew.lost();
  assert.deepEqual([back, crew.inFlight], [[], 1]);
});

test("those that wait in a row behind a slow one go back to the store", () =>
  inTheMiddle(async (stage) => {
    await stage.advance(5_000);
    assert.equal((await states(stage))["running"], 1);
  }));

test("a worker that was given up starts none of the rest of its rows", () =>
  inTheMiddle(async (stage, book) => {
    stage.before = (verb) => {
      if (verb !== "tidy") throw new Error("away");
    };
    await stage.engine.tidy({ items: 1_000, mayExpire: true }, { now: stage.runtime.storeTime() + 60_000 });
    const count = book.starts.length;
    stage.before = (verb) => {
      if (verb === "claim") throw new Error("away");
    };
    await stage.advance(2_100);
    const lost = book.starts.length;
    assert.ok(lost - count < 10, "it ran on while it did not know");
    await stage.advance(10_000);
    assert.equal(book.starts.length, lost, "and nothing once it knew");
    assert.equal(stage.workers[0]?.inFlight, 0, "nothing of it is left here");
    stage.before = () => undefined;
    await stage.advance(200_000);
    assert.deepEqual(book.firsts("a"), upTo(400));
  }));

test("rows are asked for where their work is short, and not where it is long", async () => {
  const book = new Book();
  const work = ledger(book, () => new Promise<void>((resolve) => stage.runtime.after(150, resolve)));
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...upTo(60).flatMap((n) => ["a", "b", "c"].map((key) => work.with({ key, n }))));
  await stage.start();
  await stage.advance(5_000);
  assert.equal(rowsAsked(stage), 1);
});

test("a row is no longer than what was asked for", async () => {
  const book = new Book();
  const work = ledger(book, () => undefined);
  const stage = new Stage({ work });
  await using _ending = stage;
  const answers: Claimed[] = [];
  stage.afterwards = (verb, answer) => void (verb === "claim" && answers.push(answer as Claimed));
  await stage.enqueue(...upTo(500).flatMap((n) => ["a", "b"].map((key) => work.with({ key, n }))));
  await stage.start();
  await stage.advance(500);
  for (const [index, { jobs }] of answers.entries()) {
    const longest = Math.max(0, ...[...Map.groupBy(jobs, ({ lane }) => lane).values()].map((row) => row.length));
    assert.ok(longest <= (claims(stage)[index]?.inRow ?? 1));
  }
});

test("where the first of a row goes straight back, those behind it go too, and keep their order", async () => {
  const book = new Book();
  const work = ledger(book, () => undefined);
  await using stage = new Stage({ work });
  await stage.enqueue(...upTo(500).map((n) => work.with({ key: "one", n })));
  let sentBack = 0;
  stage.afterwards = (verb, answer) => {
    if (verb !== "claim") return;
    const [first, second] = (answer as Claimed).jobs;
    if (sentBack > 0 || first === undefined || second?.lane !== first.lane) return;
    sentBack++;
    Object.assign(first, { isCancelled: true }); // its cancel was asked for meanwhile
  };
  await stage.start();
  await stage.advance(10_000);
  assert.equal(sentBack, 1);
  assert.deepEqual(
    book.starts.map(({ n }) => n),
    upTo(500),
  );
});

test("of many keys with short jobs few are claimed at a time, each in a longer row", async () => {
  const book = new Book();
  const work = ledger(book, () => undefined);
  await using stage = new Stage({ work });
  let [jobs, rows] = [0, 0];
  stage.afterwards = (verb, answer) => {
    if (verb !== "claim") return;
    jobs += (answer as Claimed).jobs.length;
    rows += new Set((answer as Claimed).jobs.map(({ lane }) => lane)).size;
  };
  const keys = upTo(100).map((key) => `key ${key}`);
  await stage.enqueue(...upTo(100).flatMap((n) => keys.map((key) => work.with({ key, n }))));
  await stage.start({ queues: { default: 100 } });
  await stage.advance(2_000);
  for (const key of keys) assert.deepEqual(book.firsts(key), upTo(100));
  assert.ok(jobs / rows > 20, `${jobs} jobs in ${rows} rows`);
});

test("many keys with one short job each take all hands", async () => {
  const work = ledger(new Book(), () => undefined);
  await using stage = new Stage({ work });
  await stage.enqueue(...upTo(4_000).map((n) => work.with({ key: n < 3_000 ? `key ${n % 20}` : `own ${n}`, n })));
  await stage.start({ queues: { default: 100 } });
  await stage.advance(2_000);
  assert.ok((await stage.jobs("ledger")).every(({ state }) => state === "completed"));
  assert.ok(claims(stage).length < 40, `${claims(stage).length} claims`);
});
