/** How a worker comes by its jobs: at once, not too many, and not for ever. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Claim, Claimed, Tidy } from "../../src/core/engine.ts";
import { pausedTask } from "../../src/core/notes.ts";
import { task } from "../../src/core/task.ts";
import { Stage } from "./stage.ts";

const claims = (stage: Stage): Claim[] => stage.calls.filter(({ verb }) => verb === "claim").map(({ args }) => args[0] as Claim);

for (const isAsync of [false, true]) {
  const store = isAsync ? "an asynchronous store" : "a synchronous store";

  test(`thousands of small jobs are claimed ahead in growing batches, and each runs once (${store})`, async () => {
    const seen: number[] = [];
    const work = task("work", async ({ n }: { n: number }) => void seen.push(n));
    await using stage = new Stage({ work }, { isAsync });
    await stage.enqueue(...Array.from({ length: 3_000 }, (_, n) => work.with({ n })));
    await stage.start();
    await stage.advance(100);
    assert.deepEqual(
      seen,
      Array.from({ length: 3_000 }, (_, n) => n),
    );
    assert.ok(claims(stage).length < 40, `${claims(stage).length} claims`);
    assert.ok((await stage.jobs("work")).every(({ state }) => state === "completed"));
  });

  test(`a freed slot is filled at once, with its outcome in the same call (${store})`, async () => {
    const starts: number[] = [];
    const work = task(
      "work",
      ({ n }: { n: number }) =>
        new Promise<void>((resolve) => {
          starts.push(stage.runtime.now());
          stage.runtime.after(n * 700, resolve);
        }),
    );
    const stage = new Stage({ work }, { isAsync });
    await using _ending = stage;
    await stage.enqueue(work.with({ n: 1 }), work.with({ n: 2 }), work.with({ n: 3 }));
    await stage.start({ queues: { default: 1 } });
    await stage.advance(5_000);
    const first = starts[0] ?? 0;
    assert.deepEqual(
      starts.map((at) => at - first),
      [0, 700, 2_100],
    );
    assert.equal(stage.calls.filter(({ verb }) => verb === "settle").length, 0);
  });
}

test("long jobs are never claimed ahead", async () => {
  const work = task("work", () => new Promise<void>((resolve) => stage.runtime.after(5_000, resolve)));
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.enqueue(...Array.from({ length: 100 }, () => work.with({})));
  const worker = await stage.start();
  for (let second = 0; second < 30; second++) {
    await stage.advance(1_000);
    assert.ok(worker.inFlight <= 10, `${worker.inFlight} in flight`);
  }
});

test("held jobs that wait behind long ones go back to the store", async () => {
  const work = task("work", ({ isLong }: { isLong: boolean }) => (isLong ? new Promise<void>((resolve) => stage.runtime.after(600_000, resolve)) : undefined));
  const stage = new Stage({ work });
  await using _ending = stage;
  const mixed = Array.from({ length: 2_000 }, (_, n) => work.with({ isLong: n >= 500 && n < 520 }));
  await stage.enqueue(...mixed);
  const worker = await stage.start();
  await stage.advance(4_000);
  assert.equal(worker.inFlight, 10);
  const states = Map.groupBy(await stage.engine.count(stage.at), ({ state }) => state);
  assert.equal(states.get("running")?.[0]?.jobs, 10);
  assert.equal((await stage.jobs("work")).filter(({ state, starts }) => state === "ready" && starts > 0).length, 0);
});

test("an enqueue wakes an idle worker without a poll, and a job due later starts when it is due", async () => {
  const starts: number[] = [];
  const work = task("work", () => void starts.push(stage.runtime.now()));
  const stage = new Stage({ work });
  await using _ending = stage;
  await stage.start();
  await stage.advance(100);
  await stage.enqueue(work.with({}));
  await stage.advance(0);
  assert.equal(starts.length, 1);
  await stage.enqueue(work.with({}, { in: "350ms" }));
  const due = stage.runtime.now() + 350;
  await stage.advance(360);
  assert.ok(Math.abs((starts[1] ?? 0) - due) <= 2);
});

test("an idle worker still looks about once a second, though no hint comes", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  await stage.start();
  await stage.advance(100);
  const before = claims(stage).length;
  await stage.advance(20_000);
  const looks = claims(stage).length - before;
  assert.ok(looks >= 15 && looks <= 28, `${looks} looks in 20 s`);
});

test("a pause takes effect within a beat: held jobs of it go back, others stay", async () => {
  let runs = 0;
  const make = (name: string) => task(name, () => new Promise<void>((resolve) => (runs++, runs > 600 ? stage.runtime.after(3_000, resolve) : resolve())));
  const [good, bad] = [make("good"), make("bad")];
  const stage = new Stage({ good, bad });
  await using _ending = stage;
  await stage.enqueue(...Array.from({ length: 1_500 }, (_, n) => (n % 2 ? good : bad).with({})));
  const worker = await stage.start();
  await stage.advance(1);
  assert.ok(worker.inFlight > 10, "some are held");
  await stage.note(pausedTask("bad"), "{}");
  await stage.advance(2_000);
  const running = (await stage.jobs("bad")).filter(({ state }) => state === "running").length;
  assert.ok(running <= 10, `${running} of the paused task are still held`);
});

test("a cancelled job that is still held never starts", async () => {
  const started: number[] = [];
  const work = task(
    "work",
    ({ n }: { n: number }) => new Promise<void>((resolve) => (started.push(n), n < 400 ? resolve() : stage.runtime.after(60_000, resolve))),
  );
  const stage = new Stage({ work });
  await using _ending = stage;
  const ids = await stage.enqueue(...Array.from({ length: 500 }, (_, n) => work.with({ n })));
  const worker = await stage.start();
  await stage.advance(1);
  assert.ok(worker.inFlight > 10);
  assert.equal(await stage.change(ids[499] ?? "", { do: "cancel", reason: "" }), "cancelling");
  await stage.advance(2_000);
  assert.equal((await stage.job(ids[499])).state, "cancelled");
  assert.equal(started.includes(499), false);
});

test("an outage costs no outcome, one log line, and at most two seconds after the store's return", async () => {
  const starts: number[] = [];
  let runs = 0;
  const work = task(
    "work",
    () =>
      new Promise<void>((resolve) => {
        starts.push(stage.runtime.now());
        if (runs++ === 0) stage.runtime.after(500, resolve);
        else resolve();
      }),
  );
  const stage = new Stage({ work });
  await using _ending = stage;
  const [first] = await stage.enqueue(work.with({}));
  await stage.start();
  stage.before = () => {
    throw new Error("ECONNREFUSED");
  };
  await stage.advance(5_000);
  const [second] = await stage.enqueue(work.with({}));
  await stage.advance(60_000);
  stage.before = () => undefined;
  const returned = stage.runtime.now();
  await stage.advance(2_000);
  assert.deepEqual([(await stage.job(first)).state, (await stage.job(second)).state], ["completed", "completed"]);
  assert.ok((starts[1] ?? 0) - returned <= 2_000);
  assert.equal(stage.said("cannot be reached").length, 1);
  assert.equal(stage.said("answers again").length, 1);
});

test("jobs of a claim whose reply was lost are found and handed back, though the worker's beat keeps them", async () => {
  let runs = 0;
  const work = task("work", () => void runs++);
  await using stage = new Stage({ work });
  const worker = await stage.start();
  await stage.advance(100);
  let isLost = false;
  stage.afterwards = (verb, answer) => {
    if (verb !== "claim" || isLost || (answer as Claimed).jobs.length === 0) return;
    isLost = true;
    throw new Error("ECONNRESET");
  };
  const [id] = await stage.enqueue(work.with({}));
  await stage.advance(3_000);
  assert.equal(isLost, true);
  const job = await stage.job(id);
  assert.deepEqual([job.state, runs, job.suspects, worker.inFlight], ["completed", 1, 0, 0]);
});

test("a worker that was given up after its first claim's reply was lost goes on as another process", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  const [id] = await stage.enqueue(work.with({}));
  const unreachable = (): never => {
    throw new Error("ECONNRESET");
  };
  let isLost = false;
  stage.afterwards = (verb, answer) => {
    if (verb !== "claim" || isLost || (answer as Claimed).jobs.length === 0) return;
    isLost = true;
    stage.before = unreachable;
    unreachable();
  };
  await stage.start({ lease: "8s" });
  await stage.advance(20_000);
  stage.before = () => undefined;
  await stage.engine.tidy({ items: 10, mayExpire: true }, stage.at);
  assert.equal((await stage.job(id)).history.at(-1)?.is, "crashed");
  await stage.advance(10_000);
  assert.equal((await stage.job(id)).state, "completed");
});

test("an outcome whose reply was lost is written once, without an alarm", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  await stage.start();
  await stage.advance(100);
  let failures = 0;
  stage.afterwards = (verb) => {
    const settling = verb === "claim" ? claims(stage).at(-1)?.settling.length : 0;
    if (settling && failures++ === 0) throw new Error("ECONNRESET");
  };
  const [id] = await stage.enqueue(work.with({}));
  await stage.advance(3_000);
  assert.equal(failures > 0, true);
  assert.equal((await stage.job(id)).state, "completed");
  assert.equal(stage.said("taken over or ended elsewhere").length, 0);
});

test("others' leases are expired only after one full lease of contact, and those that ended while the store was away only as much later", async () => {
  const work = task("work", () => undefined);
  await using stage = new Stage({ work });
  await stage.start({ lease: "8s" });
  const passes = (): Tidy[] => stage.calls.filter(({ verb }) => verb === "tidy").map(({ args }) => args[0] as Tidy);
  await stage.advance(7_900);
  assert.ok(passes().every(({ mayExpire }) => !mayExpire));
  await stage.advance(1_500);
  assert.equal(passes().at(-1)?.mayExpire, true);
  stage.before = () => {
    throw new Error("down");
  };
  await stage.advance(3_000);
  stage.before = () => undefined;
  const before = passes().length;
  const behind: number[] = [];
  stage.before = (verb, args) => {
    const { mayExpire = false, expireUntil = 0 } = verb === "tidy" ? (args[0] as Tidy) : {};
    if (mayExpire) behind.push(stage.runtime.storeTime() - expireUntil);
  };
  await stage.advance(7_500);
  assert.ok(passes().length > before && behind.length > 0);
  // Two seconds in which the others come back count as away.
  assert.ok(Math.min(...behind) >= 3_000, behind.join(" "));
  await stage.advance(5_000);
  assert.ok((behind.at(-1) ?? 0) < 5, behind.join(" "));
});

test("a worker is idle when all is done, and says so", async () => {
  const work = task("work", () => new Promise<void>((resolve) => stage.runtime.after(100, resolve)));
  const stage = new Stage({ work });
  await using _ending = stage;
  const worker = await stage.start();
  await stage.advance(10);
  assert.equal(worker.idle(), true);
  let said = 0;
  worker.onIdle(() => said++);
  await stage.enqueue(work.with({}));
  await stage.advance(50);
  assert.deepEqual([worker.idle(), worker.inFlight, said], [false, 1, 0]);
  await stage.advance(100);
  assert.deepEqual([worker.idle(), worker.inFlight], [true, 0]);
  assert.ok(said > 0 && worker.lastFence > 0);
});

const options = [
  [{ queus: {} }, "option-unknown", /did you mean "queues"/],
  [{ queues: { default: 0 } }, "option-invalid", /whole number/],
  [{ queues: {} }, "option-invalid", /queues/],
  [{ grace: 5 }, "option-invalid", /duration/],
  [{ isolate: "./tasks.js" }, "option-invalid", /import\.meta\.url/],
  [{ lease: "1ms" }, "option-invalid", /at least/],
] as const;
for (const [given, code, message] of options) {
  test(`the options ${JSON.stringify(given)} are refused with ${code}`, async () => {
    const work = task("work", () => undefined);
    await using stage = new Stage({ work });
    await assert.rejects(
      () => stage.start(given as never),
      (error: { code?: unknown; message: string }) => error.code === code && message.test(error.message),
    );
  });
}
