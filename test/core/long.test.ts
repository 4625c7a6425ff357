/** Long jobs beyond the laws: what saving costs, what is refused, and what loops and steps do at their edges. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import type { Source } from "../../src/core/long/each.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { task, type Job } from "../../src/core/task.ts";
import type { Task } from "../../src/core/task.ts";
import { BrokerStage } from "./brokerStage.ts";

const once = { retry: { attempts: 1 } } as const;
const again = { retry: { backoff: "fixed", first: "1s" } } as const;

/** Runs one job of it until it has ended. */
async function ran(stage: BrokerStage, work: Task<{}>): Promise<string> {
  const broker = stage.broker({ work });
  await stage.finished(broker.start({ signals: false }));
  const { id } = await stage.finished(broker.enqueue(work.with({})));
  await stage.finished(broker.result(id, { within: "100s" }));
  return id;
}

const savesOf = (stage: BrokerStage): (string | undefined)[] => stage.outcomes().flatMap(({ is, checkpoint }) => (is === "saved" ? [checkpoint] : []));

test("a thousand saves at once are two writes, and the last one counts", async () => {
  await using stage = new BrokerStage();
  const work = task<{}>("work", {
    ...once,
    run: async (_, job) => {
      await Promise.all(Array.from({ length: 1_000 }, (_each, n) => job.save(n)));
      assert.equal(job.checkpoint, 999);
    },
  });
  const id = await ran(stage, work);
  assert.deepEqual(savesOf(stage), ['{"own":{"saved":0}}', '{"own":{"saved":999}}']);
  assert.equal((await stage.job(id)).checkpoint, '{"own":{"saved":999}}');
});

test("a save during a save is written after it, whatever came in between left out", async () => {
  await using stage = new BrokerStage();
  const work = task<{}>("work", {
    ...once,
    run: async (_, job) => {
      const first = job.save(1);
      await Promise.resolve();
      await Promise.all([first, job.save(2), job.save(3)]);
    },
  });
  await ran(stage, work);
  const saves = savesOf(stage);
  assert.ok(saves.length <= 2, saves.join());
  assert.equal(saves.at(-1), '{"own":{"saved":3}}');
});

test("saves of many jobs in one turn share a call to the store", async () => {
  await using stage = new BrokerStage();
  const work = task<{ n: number }>("work", { ...once, run: ({ n }, job) => job.save(n) });
  const broker = stage.broker({ work });
  await stage.finished(broker.start({ signals: false, queues: { default: 50 } }));
  const accepted = await stage.finished(broker.enqueue(Array.from({ length: 50 }, (_, n) => work.with({ n }))));
  await stage.finished(Promise.all(accepted.map(({ id }) => broker.result(id))));
  assert.equal(savesOf(stage).length, 50);
  const calls = stage.calls.filter(({ verb, args }) => verb === "settle" && (args[0] as { is: string }[]).some(({ is }) => is === "saved"));
  assert.ok(calls.length <= 5, `${calls.length} calls`);
});

test("the same value again is written again, and a run that saves nothing writes nothing", async () => {
  await using stage = new BrokerStage();
  const work = task<{}>("work", { ...once, run: async (_, job) => assert.equal(job.checkpoint, undefined) });
  await ran(stage, work);
  assert.deepEqual(savesOf(stage), []);
});

test("a checkpoint that does not fit the task's schema is not saved", async () => {
  await using stage = new BrokerStage();
  const work = task("work", {
    ...once,
    checkpoint: z.object({ page: z.number() }),
    run: async (_: {}, job) => {
      await job.save({ page: 1 });
      await assert.rejects(job.save({ page: "two" } as never), /payload-invalid: the payload of work \(its checkpoint\) does not fit/);
      assert.deepEqual(job.checkpoint, { page: 1 });
    },
  });
  const id = await ran(stage, work);
  assert.deepEqual([(await stage.job(id)).state, savesOf(stage)], ["completed", ['{"own":{"saved":{"page":1}}}']]);
});

test("a checkpoint that fits the task's schema no more is dead at once, rather than begun anew in silence", async () => {
  await using stage = new BrokerStage();
  let runs = 0;
  const before = task<{}>("work", {
    ...again,
    run: async (_, job) => {
      await job.save("page 7");
      throw new Error("no");
    },
  });
  const after = task("work", { checkpoint: z.object({ page: z.number() }), run: (_: {}) => void runs++ });
  const [old, young] = [stage.broker({ before }), stage.broker({ after })];
  const worker = await stage.finished(old.start({ signals: false }));
  const { id } = await stage.finished(old.enqueue(before.with({})));
  await stage.advance(500);
  await stage.finished(worker.stop());
  await stage.finished(young.start({ signals: false }));
  const { state, reason } = await stage.finished(young.result(id));
  assert.deepEqual([state, runs], ["dead", 0]);
  assert.match(reason ?? "", /payload-invalid: the payload of work \(its checkpoint\)/);
});

test("a step's result that is no JSON, or too large, is refused, and nothing of it is kept", async () => {
  await using stage = new BrokerStage();
  const work = task<{}>("work", {
    ...once,
    run: async (_, job) => {
      await assert.rejects(
        job.step("date", () => new Date(0)),
        { code: "payload-not-json", message: /the result of step "date" would not come back equal: itself is a Date/ },
      );
      await assert.rejects(
        job.step("large", () => "x".repeat(262_000).split("x").join("xy")),
        { code: "checkpoint-too-large" },
      );
      await job.step("small", () => "x".repeat(200_000));
      await assert.rejects(
        job.step("more", () => "y".repeat(100_000)),
        /checkpoint-too-large: the progress of job .* would have 300\d{3} bytes, of 262144 allowed/,
      );
      await assert.rejects(
        job.step("my step", () => 1),
        { code: "name-invalid" },
      );
      await assert.rejects(job.step("x", 7 as never), { code: "option-invalid" });
    },
  });
  const id = await ran(stage, work);
  const job = await stage.job(id);
  assert.equal(job.state, "completed");
  assert.deepEqual(Object.keys((JSON.parse(job.checkpoint ?? "{}") as { steps: object }).steps), ["small"]);
});

test("a save that the store refuses ends the run: its signal fires though no beat told it", async () => {
  await using stage = new BrokerStage();
  let signal: AbortSignal | undefined;
  let refusal: unknown;
  const work = task<{}>("work", async (_, job) => {
    if (signal !== undefined) return;
    signal = job.signal;
    await new Promise<void>((resolve) => stage.runtime.after(1_000, resolve));
    await job.save(1).catch((error: unknown) => (refusal = error));
  });
  const broker = stage.broker({ work });
  await stage.finished(broker.start({ signals: false }));
  await stage.finished(broker.enqueue(work.with({})));
  await stage.advance(500);
  // As if another had taken it over: the claim is not the store's any more.
  stage.afterwards = (verb, answer) => (verb === "settle" ? (answer as { id: string }[]).map((each) => ({ ...each, is: "lease-lost" })) : answer);
  await stage.advance(1_000);
  assert.deepEqual([(refusal as { code: string }).code, (signal?.reason as { code: string } | undefined)?.code], ["lease-lost", "lease-lost"]);
});

test("a save that was refused for its size leaves room for others", async () => {
  await using stage = new BrokerStage();
  const work = task<{}>("work", {
    ...once,
    run: async (_, job) => {
      await job.save("small");
      await assert.rejects(job.save("x".repeat(262_140)), { code: "checkpoint-too-large" });
      await job.step("one", () => "fits");
    },
  });
  const id = await ran(stage, work);
  assert.deepEqual([(await stage.job(id)).state, savesOf(stage).at(-1)], ["completed", '{"own":{"saved":"small"},"steps":{"one":{"value":"fits"}}}']);
});

test("after its run has ended, nothing of a job is saved", async () => {
  await using stage = new BrokerStage();
  let left: Job | undefined;
  const work = task<{}>("work", { ...once, run: (_, job) => void (left = job) });
  await ran(stage, work);
  await assert.rejects(left?.save(1) ?? Promise.resolve(), { code: "lease-lost" });
  await assert.rejects(left?.step("late", () => 1) ?? Promise.resolve(), { code: "lease-lost" });
  assert.deepEqual(savesOf(stage), []);
});

const list = [1, 2, 3, 4, 5, 6];
const sources: readonly { readonly what: string; readonly source: () => Source<number> }[] = [
  { what: "an array", source: () => list },
  { what: "a set", source: () => new Set(list) },
  { what: "a generator", source: () => list.values() },
  { what: "an asynchronous generator", source: () => slowly(list) },
  { what: "a function that answers an array", source: () => (done) => list.slice(done) },
  { what: "a function that answers a promise", source: () => async (done) => list.slice(done) },
];
async function* slowly<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}
for (const { what, source } of sources) {
  test(`a loop over ${what} goes on behind what was done`, async () => {
    await using stage = new BrokerStage();
    const done: unknown[] = [];
    const work = task<{}>("work", {
      ...again,
      run: async (_, job) => {
        for await (const item of job.each(source())) {
          if (item === 4 && job.attempt === 1) throw new Error("not yet");
          done.push(item);
        }
      },
    });
    await ran(stage, work);
    assert.deepEqual(done, list);
  });
}

test("a loop saves its place once a second at most, with every item where it is told to, and with the outcome in any case", async () => {
  for (const [saveEvery, most] of [
    [undefined, 4],
    ["0s", 31],
  ] as const) {
    await using stage = new BrokerStage();
    const work = task<{}>("work", {
      ...once,
      run: async (_, job) => {
        const items = Array.from({ length: 30 }, (_each, n) => n);
        for await (const item of job.each(items, saveEvery === undefined ? {} : { saveEvery })) {
          await new Promise<void>((resolve) => stage.runtime.after(100, () => resolve(void item)));
        }
      },
    });
    const id = await ran(stage, work);
    const saves = savesOf(stage).length;
    assert.ok(saves <= most && saves >= most - 2, `${saves} saves, of ${most}`);
    assert.equal((await stage.job(id)).checkpoint, '{"loops":{"each":{"done":30,"isOver":true}}}');
  }
});

test("a loop that was broken off leaves its item for the next run; one that came to its end is not begun again", async () => {
  await using stage = new BrokerStage();
  const seen: unknown[] = [];
  let opened = 0;
  const counted = (): number[] => (opened++, [1, 2, 3]);
  const work = task<{}>("work", {
    ...again,
    run: async (_, job) => {
      for await (const item of job.each(counted, { name: "all" })) seen.push(`all ${item}`);
      for await (const item of job.each([1, 2, 3], { name: "some" })) {
        seen.push(`some ${item}`);
        if (item === 2 && job.attempt === 1) break;
      }
      if (job.attempt === 1) throw new Error("once more");
    },
  });
  await ran(stage, work);
  assert.deepEqual(seen, ["all 1", "all 2", "all 3", "some 1", "some 2", "some 2", "some 3"]);
  assert.equal(opened, 1);
});

test("a source is closed when its loop is left, and not waited for", async () => {
  await using stage = new BrokerStage();
  let isClosed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      isClosed = true;
      await new Promise(() => undefined);
    }
  }
  const work = task<{}>("work", {
    ...once,
    run: async (_, job) => {
      for await (const item of job.each(source())) if (item === 1) break;
    },
  });
  await ran(stage, work);
  assert.equal(isClosed, true);
});

test("a cursor tells the place; the source is given it back, and never what was only begun", async () => {
  await using stage = new BrokerStage();
  const froms: (string | undefined)[] = [];
  const work = task<{}>("work", {
    ...again,
    run: async (_, job) => {
      const pages = (from?: string): { id: string }[] => {
        froms.push(from);
        return ["a", "b", "c", "d"].filter((id) => id > (from ?? "")).map((id) => ({ id }));
      };
      for await (const page of job.each(pages, { cursor: ({ id }: { id: string }) => id })) {
        if (page.id === "c" && job.attempt < 3) throw new Error("not yet");
      }
    },
  });
  await ran(stage, work);
  assert.deepEqual(froms, [undefined, "b", "b"]);
});

const misuse: readonly { readonly claim: string; readonly args: readonly unknown[]; readonly says: RegExp }[] = [
  { claim: "no source", args: [undefined], says: /job\.each\(source\) is undefined; give something to iterate over/ },
  { claim: "a number", args: [7], says: /job\.each\(source\) is 7/ },
  { claim: "a function that answers nothing", args: [() => undefined], says: /what the source of job\.each answered is undefined/ },
  { claim: "a misspelt option", args: [[1], { saveEver: "1s" }], says: /no option "saveEver", did you mean "saveEvery"/ },
  { claim: "a cursor that is no function", args: [[1], { cursor: "id" }], says: /cursor is "id"; give a function/ },
  {
    claim: "a cursor that answers no JSON",
    args: [[1], { cursor: () => new Date(0) }],
    says: /the cursor of loop "each" would not come back equal: itself is a Date/,
  },
];
for (const { claim, args, says } of misuse) {
  test(`a loop over ${claim} is refused`, async () => {
    await using stage = new BrokerStage();
    const work = task<{}>("work", {
      ...once,
      run: async (_, job) => {
        for await (const item of (job.each as (...given: readonly unknown[]) => AsyncIterable<unknown>).apply(job, [...args])) void item;
      },
    });
    const id = await ran(stage, work);
    assert.match((await stage.job(id)).reason ?? "", says);
  });
}

test("a loop that waits for its next item ends with the run's signal, and what it waits for later is nobody's", async () => {
  await using stage = new BrokerStage();
  let thrown: unknown;
  const work = task<{}>("work", {
    ...once,
    timeout: "1s",
    run: async (_, job) => {
      try {
        for await (const item of job.each({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) })) void item;
      } catch (error) {
        thrown = error;
      }
    },
  });
  const id = await ran(stage, work);
  assert.ok(ErrandError.is(thrown, "job-timeout"), String(thrown));
  assert.match((await stage.job(id)).reason ?? "", /ran longer than 1 s/);
});

test("a run that catches what ends its loop does not complete its job by that", async () => {
  await using stage = new BrokerStage();
  const work = task<{}>("work", async (_, job) => {
    try {
      for await (const item of job.each([1, 2, 3])) await new Promise<void>((resolve) => stage.runtime.after(1_000, () => resolve(void item)));
    } catch {
      // as some do
    }
  });
  const broker = stage.broker({ work });
  const worker = await stage.finished(broker.start({ signals: false }));
  const { id } = await stage.finished(broker.enqueue(work.with({})));
  await stage.advance(1_500);
  await stage.finished(worker.stop());
  const { state, attempts, starts, checkpoint } = await stage.job(id);
  assert.deepEqual([state, attempts, starts, checkpoint], ["ready", 0, 0, '{"loops":{"each":{"done":2}}}']);
});

for (const none of [undefined, null]) {
  for (const fails of [1, 2, 3]) {
    test(`a loop whose last cursor is ${none} does no page twice, where the run fails behind page ${fails} of 3`, async () => {
      await using stage = new BrokerStage();
      const pages: { readonly name: string; readonly next: number | null | undefined }[] = [
        { name: "a", next: 1 },
        { name: "b", next: 2 },
        { name: "c", next: none },
      ];
      const done: string[] = [];
      const pagesFrom = async function* (from: number | null | undefined): AsyncGenerator<(typeof pages)[number]> {
        for (let at: number | null | undefined = from ?? 0; at !== undefined && at !== null; at = pages[at]?.next) {
          yield pages[at] ?? { name: "?", next: none };
          // The source cannot tell what comes next.
          if (job?.attempt === 1 && done.length === fails) throw new Error("down");
        }
      };
      let job: Job | undefined;
      const work = task<{}>("work", {
        ...again,
        run: async (_, given) => {
          job = given;
          for await (const page of given.each(pagesFrom, { cursor: (each) => each.next as number })) done.push(page.name);
        },
      });
      await ran(stage, work);
      assert.deepEqual(done, ["a", "b", "c"]);
    });
  }
}
