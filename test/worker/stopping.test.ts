/** How a worker stops: it claims no more, waits, hands back, and writes what it knows. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Claimed } from "../../src/core/engine.ts";
import { task } from "../../src/core/task.ts";
import { Stage } from "./stage.ts";

function waiting(): {
  readonly run: (_input: {}, job: { readonly signal: AbortSignal }) => Promise<void>;
  readonly open: () => void;
  readonly reasons: unknown[];
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  const reasons: unknown[] = [];
  return {
    run: async (_input, job) => {
      job.signal.addEventListener("abort", () => reasons.push((job.signal.reason as { code?: unknown }).code));
      await promise;
    },
    open: resolve,
    reasons,
  };
}

for (const isAsync of [false, true]) {
  test(`a job that ends within the grace time is completed, and nothing new starts (${isAsync ? "asynchronous" : "synchronous"} store)`, async () => {
    const { run, open, reasons } = waiting();
    const work = task("work", run);
    await using stage = new Stage({ work }, { isAsync });
    const [id] = await stage.enqueue(work.with({}));
    const worker = await stage.start();
    await stage.advance(10);
    const stopped = worker.stop();
    const [late] = await stage.enqueue(work.with({}));
    await stage.advance(5_000);
    open();
    await stage.advance(1_000);
    await stopped;
    assert.deepEqual([(await stage.job(id)).state, (await stage.job(late)).state], ["completed", "ready"]);
    assert.deepEqual(reasons, []);
    assert.equal(worker.isStopped, true);
  });
}

test("a job that outlasts the grace time is signalled, handed back uncharged, and free for others", async () => {
  const { run, reasons } = waiting();
  const work = task("work", run);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  const worker = await stage.start({ grace: "5s" });
  const stopped = worker.stop();
  await stage.advance(4_900);
  assert.deepEqual(reasons, []);
  await stage.advance(2_200);
  await stopped;
  assert.deepEqual(reasons, ["worker-stopping"]);
  const job = await stage.job(id);
  assert.deepEqual([job.state, job.attempts, job.starts, job.suspects], ["ready", 0, 0, 0]);
});

test("what a worker holds ready goes back when it stops, and does not start", async () => {
  let starts = 0;
  const run = (): Promise<void> => {
    starts++;
    return new Promise((resolve) => stage.runtime.after(20, resolve));
  };
  const work = task("work", run);
  await using stage = new Stage({ work });
  const ids = await stage.enqueue(...Array.from({ length: 300 }, () => work.with({})));
  const worker = await stage.start({ queues: { default: 1 } });
  await stage.advance(2_010);
  const states = async (): Promise<string[]> => Promise.all(ids.map(async (id) => (await stage.job(id)).state));
  assert.ok((await states()).filter((state) => state === "running").length > 1, "it holds none ready");
  const before = starts;
  const stopped = worker.stop();
  await stage.advance(10_000);
  await stopped;
  assert.equal(starts, before);
  assert.deepEqual(new Set(await states()), new Set(["completed", "ready"]));
});

test("a run that fails because the worker stops is handed back, not failed", async () => {
  const work = task("work", (_input: {}, job) => new Promise((_resolve, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason))));
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  const worker = await stage.start({ grace: "1s" });
  const stopped = worker.stop();
  await stage.advance(1_100);
  await stopped;
  assert.deepEqual([(await stage.job(id)).state, (await stage.job(id)).attempts], ["ready", 0]);
});

test("stopping twice is stopping once, and a stopped worker leaves no timer that calls the store", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  const worker = await stage.start();
  await stage.advance(3_000);
  assert.equal(worker.stop(), worker.stop());
  await stage.advance(10);
  await worker.stop();
  const calls = stage.calls.length;
  await stage.advance(60_000);
  assert.equal(stage.calls.length, calls);
});

test("a worker that cannot reach the store stops all the same, after a lease, and lets it be from then on", async () => {
  const work = task("work", () => new Promise<void>((resolve) => stage.runtime.after(500, resolve)));
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(work.with({}));
  const worker = await stage.start({ grace: "1s" });
  stage.before = () => {
    throw new Error("down");
  };
  const stopped = worker.stop();
  await stage.advance(20_000);
  await stopped;
  const calls = stage.calls.length;
  await stage.advance(60_000);
  assert.equal(stage.calls.length, calls);
});

test("a stop signal stops gracefully and passes the signal on; a second one hands back at once", async () => {
  const { run } = waiting();
  const work = task("work", run);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  stage.runtime.signal("SIGTERM");
  await stage.advance(1_000);
  assert.deepEqual([(await stage.job(id)).state, stage.runtime.exitedBy], ["running", undefined]);
  stage.runtime.signal("SIGINT");
  await stage.advance(0);
  await stage.settled();
  assert.deepEqual([(await stage.job(id)).state, stage.runtime.exitedBy], ["ready", "SIGTERM"]);
});

test("without signals the process's signals are left alone", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  await stage.start({ signals: false });
  assert.equal(stage.runtime.signals.size, 0);
});

test("outcomes that the store would not take are still written when it returns while the worker stops", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  const worker = await stage.start();
  await stage.advance(10);
  stage.afterwards = (verb) => {
    if (verb === "claim")
      stage.before = (next) => {
        if (next === "claim" || next === "settle" || next === "tidy") throw new Error("down");
      };
  };
  const [id] = await stage.enqueue(work.with({}));
  await stage.advance(20);
  stage.afterwards = () => undefined;
  assert.equal((await stage.job(id)).state, "running");
  const stopped = worker.stop();
  await stage.advance(2_000);
  stage.before = () => undefined;
  await stage.advance(2_000);
  await stopped;
  assert.equal((await stage.job(id)).state, "completed");
});

test("a run that was asked back fails all the same, where what it left behind was rejected first", async () => {
  const leaking = task("leaking", {
    retry: { first: "1h" },
    run: async (_input: {}, job) => {
      await new Promise((resolve) => job.signal.addEventListener("abort", resolve));
      await Promise.resolve(stage.runtime.onUnhandled?.(new Error("left behind")));
      throw new Error("and then this");
    },
  });
  const stage = new Stage({ leaking });
  await using _ending = stage;
  const [id] = await stage.enqueue(leaking.with({}));
  const worker = await stage.start({ grace: "1s" });
  const stopped = worker.stop();
  await stage.advance(5_000);
  await stopped;
  const { state, attempts, history } = await stage.job(id);
  assert.deepEqual([state, attempts, history.at(-1)?.error?.message], ["scheduled", 1, "left behind"]);
});

test("what the store hands out while the worker is told to stop goes back, and does not start", async () => {
  let starts = 0;
  const work = task("work", () => void starts++);
  await using stage = new Stage({ work });
  const ids = await stage.enqueue(work.with({}), work.with({}));
  stage.afterwards = (verb, answer) => {
    if (verb === "claim" && (answer as Claimed).jobs.length > 0) void stage.workers[0]?.stop();
  };
  await stage.start();
  await stage.advance(5_000);
  const states = await Promise.all(ids.map(async (id) => (await stage.job(id)).state));
  assert.deepEqual([starts, states], [0, ["ready", "ready"]]);
});
