/** Trying at once beyond the laws: what is refused, what it costs, and what bounds it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { batch } from "../../src/core/compose/batch.ts";
import { tryNowMax } from "../../src/core/defaults.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { task } from "../../src/core/task.ts";
import { testBroker } from "../../src/testing/index.ts";
import { BrokerStage } from "./brokerStage.ts";

const work = task<{ n: number }>("work", () => undefined);

for (const [claim, call, code] of [
  ["without a timeout", (stage: BrokerStage) => stage.broker({ work }).tryNow(work.with({ n: 1 }), {} as never), "option-invalid"],
  ["with a timeout that is none", (stage: BrokerStage) => stage.broker({ work }).tryNow(work.with({ n: 1 }), { timeout: 50 as never }), "option-invalid"],
  [
    "with a misspelt option",
    (stage: BrokerStage) => stage.broker({ work }).tryNow(work.with({ n: 1 }), { timeout: "1s", timeuot: "1s" } as never),
    "option-unknown",
  ],
  ["of a task that this broker does not know", (stage: BrokerStage) => stage.broker().tryNow(work.with({ n: 1 }), { timeout: "1s" }), "task-unknown"],
  ["of a batch", (stage: BrokerStage) => stage.broker({ work }).tryNow(batch([work.with({ n: 1 })]), { timeout: "1s" }), "option-invalid"],
] as const) {
  test(`a try ${claim} is refused, and nothing is stored`, async () => {
    await using stage = new BrokerStage();
    await assert.rejects(stage.finished(call(stage) as Promise<unknown>), { code });
    assert.deepEqual(
      stage.calls.filter(({ verb, args }) => verb === "enqueue" && (args[0] as { works: unknown[] }[]).some(({ works }) => works.length > 0)),
      [],
    );
  });
}

test("tries of one turn share a commit for storing and one for what became of them", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  await stage.finished(broker.tryNow(work.with({ n: 0 }), { timeout: "1s" }));
  const before = [stage.countOf("enqueue"), stage.countOf("settle")];
  const answers = await stage.finished(Promise.all(Array.from({ length: 50 }, (_, n) => broker.tryNow(work.with({ n }), { timeout: "1s" }))));
  assert.deepEqual([...new Set(answers.map(({ state }) => state))], ["completed"]);
  assert.deepEqual([stage.countOf("enqueue") - (before[0] ?? 0), stage.countOf("settle") - (before[1] ?? 0)], [1, 1]);
});

test("above so many at once the rest is stored, and left to workers", async () => {
  await using stage = new BrokerStage();
  const slow = task<{ n: number }>("slow", () => new Promise<void>((resolve) => stage.runtime.after(1_000, resolve)));
  const broker = stage.broker({ slow });
  const first = await stage.finished(broker.tryNow(slow.with({ n: 0 }), { timeout: "5s" }));
  assert.equal(first.state, "completed");
  const many = Array.from({ length: tryNowMax }, (_, n) => broker.tryNow(slow.with({ n }), { timeout: "5s" }));
  await stage.advance(100);
  const more = await broker.tryNow(slow.with({ n: -1 }), { timeout: "5s" });
  assert.deepEqual([more.state, more.reason], ["later", `this process tries ${tryNowMax} jobs already`]);
  assert.equal((await stage.job(more.id)).state, "ready");
  const answers = await stage.finished(Promise.all(many));
  assert.ok(answers.every(({ state }) => state === "completed"));
});

test("a broker that tries nothing any more stops beating", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  await stage.finished(broker.tryNow(work.with({ n: 1 }), { timeout: "1s" }));
  await stage.advance(20_000);
  const beats = stage.countOf("beat");
  await stage.advance(600_000);
  assert.equal(stage.countOf("beat"), beats);
});

test("the task's own timeout holds too: it has failed by then, and spent an attempt", async () => {
  await using stage = new BrokerStage();
  const slow = task<{}>("slow", {
    timeout: "200ms",
    retry: { first: "1h" },
    run: (_, job) => new Promise((_resolve, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason as Error))),
  });
  const answer = await stage.finished(stage.broker({ slow }).tryNow(slow.with({}), { timeout: "5s" }));
  assert.equal(answer.state, "later");
  assert.match(answer.reason ?? "", /job-timeout/);
  assert.equal((await stage.job(answer.id)).attempts, 1);
});

test("what a try hands over and the store refuses fails the job, as in a worker", async () => {
  await using stage = new BrokerStage();
  const next = task<{ n: number }>("next", () => undefined);
  const twice = task<{}>("twice", {
    retry: { first: "1h" },
    run: (_, job) => {
      job.enqueue(next.with({ n: 1 }, { id: "one" }));
      job.enqueue(next.with({ n: 2 }, { id: "one" }));
    },
  });
  const answer = await stage.finished(stage.broker({ next, twice }).tryNow(twice.with({}), { timeout: "1s" }));
  assert.equal(answer.state, "later");
  assert.match(answer.reason ?? "", /id-conflict/);
  assert.equal((await stage.job(answer.id)).attempts, 1);
});

test("while a limit cannot be read, a job is stored and left to a worker", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  await stage.finished(broker.open());
  stage.before = (verb) => {
    if (verb === "find") throw new Error("no");
  };
  const answer = await stage.finished(broker.tryNow(work.with({ n: 1 }), { timeout: "1s" }));
  stage.before = () => undefined;
  assert.deepEqual([answer.state, answer.reason], ["later", "its limits could not be read"]);
  assert.equal((await stage.job(answer.id)).state, "ready");
});

test("in a test a job is tried without a worker", async () => {
  const done: number[] = [];
  const noting = task<{ n: number }>("noting", ({ n }) => void done.push(n));
  await using broker = testBroker({ noting });
  assert.equal((await broker.tryNow(noting.with({ n: 7 }), { timeout: "1s" })).state, "completed");
  assert.deepEqual(done, [7]);
  await broker.assertEnqueued(noting.with({ n: 7 }));
});

test("a try whose limits cannot be read is stored for a worker, also where tasks have hours", async () => {
  await using stage = new BrokerStage();
  const nightly = task<{ n: number }>("nightly", { run: () => undefined, hours: { open: "22:00-06:00", zone: "Europe/Berlin" } });
  const broker = stage.broker({ work, nightly });
  await stage.finished(broker.open());
  stage.before = (verb) => {
    if (verb === "find") throw new ErrandError("store-failed", "the store does not answer; wait for it");
  };
  const tried = await stage.finished(broker.tryNow(work.with({ n: 1 }), { timeout: "1s" }));
  assert.deepEqual([tried.state, tried.reason], ["later", "its limits could not be read"]);
  assert.equal((await stage.job(tried.id)).state, "ready");
});

test("a caller is answered when its broker closes, also where the store does not take what became of the job", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  await stage.finished(broker.open());
  stage.before = (verb) => {
    if (verb === "settle") throw new ErrandError("store-failed", "the store does not answer; wait for it");
  };
  const tried = broker.tryNow(work.with({ n: 1 }), { timeout: "1h" });
  await stage.advance(100);
  await stage.finished(broker.close());
  const { state, reason } = await stage.finished(tried, 1_000);
  assert.deepEqual([state, reason], ["later", "its broker was closed before the store had answered"]);
});

test("a try whose job was taken back before its outcome was written does not say that it is completed", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  stage.afterwards = (verb, answer) => (verb === "settle" ? (answer as readonly object[]).map((one) => ({ ...one, is: "lease-lost" })) : answer);
  const { state, reason } = await stage.finished(broker.tryNow(work.with({ n: 1 }), { timeout: "1s" }));
  assert.deepEqual([state, reason], ["later", "its lease was lost"]);
});
