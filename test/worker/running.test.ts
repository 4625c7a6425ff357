/** What reaches a run while it goes on: timeouts, cancels, lost leases, rejections that nobody handled. */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import test from "node:test";
import { task } from "../../src/core/task.ts";
import { derivedId } from "../../src/core/keys.ts";
import { event } from "../../src/core/event.ts";
import { when } from "../../src/core/when.ts";
import { Stage } from "./stage.ts";

/** A run that waits until it is let go, or fails with its signal. */
class Gate {
  readonly signals: AbortSignal[] = [];
  #open: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  readonly run = async (_input: {}, job: { readonly signal: AbortSignal }): Promise<void> => {
    this.signals.push(job.signal);
    await this.#open.promise;
  };

  readonly runHeeding = async (_input: {}, job: { readonly signal: AbortSignal }): Promise<void> => {
    this.signals.push(job.signal);
    const aborted = new Promise<never>((_resolve, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason)));
    await Promise.race([this.#open.promise, aborted]);
  };

  open(): void {
    this.#open.resolve();
  }

  reason(at: number = 0): unknown {
    return (this.signals[at]?.reason as { code?: unknown } | undefined)?.code;
  }
}

test("a timeout fires the signal exactly then, and costs an attempt when the run heeds it", async () => {
  const gate = new Gate();
  const work = task("work", { timeout: "3s", retry: { first: "1h" }, run: gate.runHeeding });
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(2_990);
  assert.equal(gate.signals[0]?.aborted, false);
  await stage.advance(60);
  assert.equal(gate.reason(), "job-timeout");
  const job = await stage.job(id);
  assert.deepEqual([job.state, job.attempts, job.history.at(-1)?.error?.code], ["scheduled", 1, "job-timeout"]);
});

test("a run that ignores its timeout keeps its job until the grace is over, then counts as overran, and what it answers is ignored", async () => {
  const gate = new Gate();
  const work = task("work", { timeout: "3s", retry: { first: "1h" }, run: gate.run });
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  const worker = await stage.start();
  await stage.advance(12_900);
  assert.deepEqual([(await stage.job(id)).state, worker.inFlight, worker.overran], ["running", 1, 0]);
  await stage.advance(200);
  assert.deepEqual([(await stage.job(id)).state, worker.inFlight, worker.overran], ["scheduled", 0, 1]);
  gate.open();
  await stage.advance(10);
  assert.deepEqual([(await stage.job(id)).state, worker.overran], ["scheduled", 0]);
});

test("a run that returns after its timeout has failed all the same", async () => {
  const gate = new Gate();
  const work = task("work", { timeout: "3s", retry: { attempts: 1 }, run: gate.run });
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(4_000);
  gate.open();
  await stage.advance(10);
  const job = await stage.job(id);
  assert.equal(job.state, "dead");
  assert.match(job.reason ?? "", /job-timeout/);
});

test("timeouts of different lengths fire in their order", async () => {
  const fired: number[] = [];
  const make = (seconds: number) =>
    task(`work${seconds}`, {
      timeout: `${seconds}s`,
      retry: { attempts: 1 },
      run: (_input: {}, job) => new Promise((resolve) => job.signal.addEventListener("abort", () => resolve(fired.push(seconds)))),
    });
  const tasks = [5, 2, 9, 1].map(make);
  await using stage = new Stage(Object.fromEntries(tasks.map((each) => [each.name, each])));
  await stage.enqueue(...tasks.map((each) => each.with({})));
  await stage.start();
  await stage.advance(20_000);
  assert.deepEqual(fired, [1, 2, 5, 9]);
});

test("a cancel reaches the run's signal within one beat, and the job never ends completed", async () => {
  const gate = new Gate();
  const work = task("work", gate.run);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  assert.equal(await stage.change(id ?? "", { do: "cancel", reason: "no need" }), "cancelling");
  await stage.advance(2_050);
  assert.equal(gate.reason(), "job-cancelled");
  gate.open();
  await stage.advance(10);
  assert.equal((await stage.job(id)).state, "cancelled");
});

test("a lost lease aborts the runs, writes nothing of them, and the worker goes on as a new process", async () => {
  const gate = new Gate();
  const work = task("work", gate.runHeeding);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  const worker = await stage.start();
  const first = (await stage.job(id)).claim?.process;
  stage.before = (verb) => {
    if (verb === "beat") throw new Error("the network is down for beats");
  };
  await stage.advance(9_000);
  await stage.engine.tidy({ items: 100, mayExpire: true }, stage.at);
  await stage.settled();
  stage.before = () => undefined;
  await stage.advance(3_000);
  assert.equal(gate.reason(), "lease-lost");
  assert.equal(stage.said("taken back by the store while it ran").length, 1);
  assert.deepEqual(stage.outcomes(), []);
  const job = await stage.job(id);
  assert.deepEqual([job.state, job.suspects, job.attempts], ["running", 1, 0]);
  assert.notEqual(job.claim?.process, first);
  gate.open();
  await stage.advance(10);
  assert.equal((await stage.job(id)).state, "completed");
  assert.equal(worker.inFlight, 0);
});

test("a rejection that nobody handled fails the job it came from, and no other", async () => {
  const gate = new Gate();
  const taken: unknown[] = [];
  const leaking = task("leaking", {
    retry: { first: "1h" },
    run: async (_input: {}, job) => {
      void Promise.resolve().then(() => taken.push(stage.runtime.onUnhandled?.(new Error("left behind"))));
      await new Promise((resolve) => job.signal.addEventListener("abort", resolve));
    },
  });
  const innocent = task("innocent", gate.run);
  const stage = new Stage({ leaking, innocent });
  await using _ending = stage;
  const [bad, good] = await stage.enqueue(leaking.with({}), innocent.with({}));
  await stage.start();
  await stage.advance(20);
  const job = await stage.job(bad);
  assert.deepEqual([job.state, job.history.at(-1)?.error?.message, taken], ["scheduled", "left behind", [true]]);
  assert.equal(stage.runtime.onUnhandled?.(new Error("from elsewhere")), false);
  gate.open();
  await stage.advance(10);
  assert.equal((await stage.job(good)).state, "completed");
});

test("a rejection after the job has ended is logged with its id, and the worker goes on", async () => {
  const later = Promise.withResolvers<void>();
  const work = task("work", async () => void later.promise.then(() => stage.runtime.onUnhandled?.(new Error("too late"))));
  const stage = new Stage({ work });
  await using _ending = stage;
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10);
  later.resolve();
  await stage.advance(10);
  assert.deepEqual(
    stage.said("left behind was rejected").map(({ details }) => (details as { job?: unknown }).job),
    [id],
  );
  assert.equal((await stage.job(id)).state, "completed");
});

test("an app's own asynchronous context does not leak from one job into the jobs that it enqueues", async () => {
  const context = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const next = task("next", () => void seen.push(context.getStore()));
  const work = task("work", () =>
    context.run("of work", async () => {
      await stage.enqueue(next.with({}));
      await new Promise<void>((resolve) => stage.runtime.after(100, resolve)); // the hint comes while this still runs
    }),
  );
  const stage = new Stage({ work, next });
  await using _ending = stage;
  await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(1_500);
  assert.deepEqual(seen, [undefined]);
});

test("a mapped subscription's hop leaves one job, made of the event's output, with an id that both derive from", async () => {
  const got: unknown[] = [];
  const charge = task("charge", (input: { invoice: string }) => void got.push(input));
  const placed = event<{ order: string; isFree: boolean }>("placed");
  const charges = when(placed, charge, { with: ({ order, isFree }) => (isFree ? undefined : { invoice: order }) });
  await using stage = new Stage({ charge, charges });
  await stage.register();
  await stage.publish(placed.with({ order: "7", isFree: false }, { id: "event-7" }));
  await stage.publish(placed.with({ order: "8", isFree: true }, { id: "event-8" }));
  await stage.start();
  await stage.advance(1_500);
  assert.deepEqual(got, [{ invoice: "7" }]);
  const rows = await stage.jobs("charge");
  assert.deepEqual(rows.map(({ state, reason }) => reason ?? state).sort(), ["completed", "completed", "not for this subscriber"]);
  const made = await stage.job(derivedId("event-7", "placed/charge", "job"));
  assert.deepEqual(made.from, { event: "placed", eventId: "event-7", subscription: "placed/charge", isHop: false });
});

test("a hop of a subscription that is not defined here is put off, uncharged, with one warning", async () => {
  const charge = task("charge", () => undefined);
  const placed = event<{ order: string }>("placed");
  const charges = when(placed, charge, { with: () => ({}) });
  await using stage = new Stage({ charge, charges });
  await stage.register();
  await stage.publish(placed.with({ order: "7" }));
  await stage.publish(placed.with({ order: "8" }));
  await stage.start({}, { charge });
  await stage.advance(40_000);
  const rows = await stage.jobs("charge");
  assert.deepEqual(
    rows.map(({ state, attempts, waits }) => [state, attempts, waits?.reason]),
    [
      ["scheduled", 0, "snooze"],
      ["scheduled", 0, "snooze"],
    ],
  );
  assert.equal(stage.said("is not defined here").length, 1);
});

test("the log of a run goes from scheduling to attempting to doing to finishing, with job, task and attempt", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  await stage.start();
  await stage.advance(10);
  const lines = stage.runtime.log.entries.filter(({ level }) => level === "debug");
  assert.deepEqual(
    lines.map(({ message }) => message),
    ["scheduling", "attempting", "doing", "finishing"],
  );
  assert.deepEqual(lines[1]?.details, { job: id, task: "work", attempt: 1 });
});
