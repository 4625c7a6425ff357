import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as realTime } from "node:timers/promises";
import { event, task, when, type Task } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker } from "../../src/testing/index.ts";
import { shop } from "./shop.ts";

test("what was enqueued can be asserted before and after it ran, and nothing runs until it is told to", async () => {
  const { definitions, done, sendReceipt } = shop();
  await using work = testBroker(definitions);
  await work.enqueue(sendReceipt.with({ orderId: "7", copies: 2 }));
  await realTime(5);
  await work.assertEnqueued(sendReceipt.with({ copies: 2, orderId: "7" }));
  assert.deepEqual(done, []);
  await work.drain();
  assert.deepEqual(done, ["receipt 7"]);
  await work.assertEnqueued(sendReceipt.with({ orderId: "7", copies: 2 }));
  assert.deepEqual(
    (await work.enqueued()).map((job) => [job.task, job.input, job.state]),
    [["send-receipt", { orderId: "7", copies: 2 }, "completed"]],
  );
});

test("an assertion that fails lists what was enqueued instead", async () => {
  const { definitions, sendReceipt, remind, charge, orderPlaced } = shop();
  await using work = testBroker(definitions);
  await assert.rejects(work.assertEnqueued(remind.with({ orderId: "1" })), {
    code: "assertion-failed",
    message: 'assertion-failed: remind {"orderId":"1"} was not enqueued; nothing was enqueued',
  });
  await work.publish(orderPlaced.with({ orderId: "7" }));
  await work.enqueue(remind.with({ orderId: "7" }, { in: "10m" }));
  await assert.rejects(work.assertEnqueued(sendReceipt.with({ orderId: "8" }, { id: "mine" })), {
    message: `assertion-failed: send-receipt {"orderId":"8"} with id mine was not enqueued; enqueued were:
  order.placed {"orderId":"7"}, of which drain() makes charge
  send-receipt {"orderId":"7"} (ready)
  remind {"orderId":"7"} (scheduled, due 2026-01-01T00:10:00.000Z)`,
  });
  await assert.rejects(work.assertNotEnqueued(remind), /remind was enqueued and should not have been; enqueued were:\n {2}remind/);
  await work.assertNotEnqueued(remind.with({ orderId: "8" }));
  await work.assertNotEnqueued(charge);
  await work.drain();
  await work.assertEnqueued(charge.with({ invoiceId: "i7" }));
});

const given = [
  [{ in: "10m" }, { in: "10m" }, true],
  [{ in: "10m" }, {}, true],
  [{ in: "10m" }, { in: "11m" }, false],
  [{}, { in: "10m" }, false],
  [{ at: new Date("2026-01-02") }, { at: new Date("2026-01-02") }, true],
  [{ at: new Date("2026-01-02") }, { at: new Date("2026-01-03") }, false],
  [{ priority: "high" }, { priority: "high" }, true],
  [{ priority: "high" }, { priority: "low" }, false],
  [{ id: "a" }, { id: "a" }, true],
  [{ id: "a" }, { id: "b" }, false],
] as const;
for (const [stored, expected, isThere] of given) {
  test(`of an errand with ${JSON.stringify(stored)}, ${JSON.stringify(expected)} ${isThere ? "holds" : "does not hold"}`, async () => {
    const { definitions, remind } = shop();
    await using work = testBroker(definitions);
    await work.enqueue(remind.with({ orderId: "1" }, stored));
    const assertion = work.assertEnqueued(remind.with({ orderId: "1" }, expected));
    await (isThere ? assertion : assert.rejects(assertion, { code: "assertion-failed" }));
  });
}

test("what was published can be asserted, and reaches its subscribers through their mappings and follow-ups", async () => {
  const { definitions, done, orderPlaced, remind } = shop();
  await using work = testBroker(definitions);
  await assert.rejects(work.assertPublished(orderPlaced.with({ orderId: "7" })), /order\.placed \{"orderId":"7"\} was not published; nothing was published/);
  await work.publish(orderPlaced.with({ orderId: "7" }));
  await work.assertPublished(orderPlaced.with({ orderId: "7" }));
  await assert.rejects(work.assertPublished(orderPlaced.with({ orderId: "8" })), /published were:\n {2}order\.placed \{"orderId":"7"\}/);
  await work.drain();
  assert.deepEqual(done.toSorted(), ["charge i7", "receipt 7"]);
  await work.assertEnqueued(remind.with({ orderId: "i7" }, { in: "1d" }));
  assert.deepEqual(
    (await work.published()).map(({ name, payload }) => [name, payload]),
    [["order.placed", { orderId: "7" }]],
  );
});

test("time passes at once, and each job runs at the instant at which it is due", async () => {
  const { definitions, done, remind } = shop();
  await using work = testBroker(definitions);
  assert.equal(work.now.toISOString(), "2026-01-01T00:00:00.000Z");
  await work.enqueue([remind.with({ orderId: "week" }, { in: "7d" }), remind.with({ orderId: "hour" }, { in: "1h" }), remind.with({ orderId: "now" })]);
  await work.advance("0s");
  assert.deepEqual(done, ["remind now 1"]);
  await work.advance("59m");
  assert.deepEqual(done, ["remind now 1"]);
  await work.advance("1m");
  assert.deepEqual(done, ["remind now 1", "remind hour 1"]);
  await work.advance("30d");
  assert.deepEqual(done, ["remind now 1", "remind hour 1", "remind week 1"]);
  assert.equal(work.now.toISOString(), "2026-01-31T01:00:00.000Z");
  assert.deepEqual(
    work
      .story()
      .filter((line) => line.includes("attempting"))
      .map((line) => line.split(" ")[0]),
    ["+0s", "+1h", "+7d"],
  );
});

test("failures are tried again after their backoff, snoozes run later, skips have their reason: the story tells", async () => {
  const { definitions, done, sendReceipt, remind } = shop();
  await using work = testBroker.with({ seed: 5 }, definitions);
  await work.enqueue(sendReceipt.with({ orderId: "broken" }, { id: "r-1" }));
  await work.enqueue(sendReceipt.with({ orderId: "sent" }, { id: "r-2" }));
  await work.enqueue(remind.with({ orderId: "asleep" }, { id: "r-3", in: "1m" }));
  await work.drain();
  assert.deepEqual(done, []);
  await work.advance("1h");
  assert.deepEqual(done.toSorted(), ["receipt broken", "remind asleep 1", "snoozed"]);
  const story = work.story().map((line) => line.replace(/again in \d+ s/, "again in … s"));
  const at = (time: string, line: string): string => `${time.padEnd(6)} ${line}`;
  for (const line of [
    at("+0s", "send-receipt r-1 scheduling"),
    at("+0s", "remind r-3 scheduling, due +1m"),
    at("+0s", "send-receipt r-1 attempting"),
    at("+0s", "send-receipt r-1 failing, again in … s: no printer"),
    at("+0s", 'send-receipt r-2 skipping "already sent"'),
    at("+1m", "remind r-3 attempting"),
    at("+6m", "remind r-3 finishing"),
  ])
    assert.ok(story.includes(line), `${line}\n\n${story.join("\n")}`);
  assert.equal(story.filter((line) => line.endsWith("r-1 attempting")).length, 3);
});

test("the same seed tells the same story", async () => {
  const tell = async (seed: number): Promise<readonly string[]> => {
    const { definitions, orderPlaced, sendReceipt } = shop();
    await using work = testBroker.with({ seed }, definitions);
    await work.enqueue(sendReceipt.with({ orderId: "broken" }));
    await work.publish(orderPlaced.with({ orderId: "7" }));
    await work.advance("1h");
    return work.story();
  };
  assert.deepEqual(await tell(3), await tell(3));
  assert.notDeepEqual(await tell(3), await tell(4));
});

test("handlers that await real files and real timers are waited for", async () => {
  const seen: string[] = [];
  const slow = task("slow", async () => {
    const text = await readFile(new URL(import.meta.url), "utf8");
    await realTime(30);
    seen.push(text.slice(0, 6));
  });
  await using work = testBroker({ slow });
  await work.enqueue([slow.with({}), slow.with({}, { in: "1h" })]);
  await work.drain();
  assert.deepEqual(seen, ["import"]);
  await work.advance("2h");
  assert.deepEqual(seen, ["import", "import"]);
});

test("a run that waits for time gets it: its timeout fires, once for all that hang", async () => {
  const seen: unknown[] = [];
  const hang = task("hang", {
    run: (_input, job) =>
      new Promise((_, reject) =>
        job.signal.addEventListener("abort", () => {
          seen.push((job.signal.reason as { code?: string }).code);
          reject(job.signal.reason as Error);
        }),
      ),
    timeout: "10m",
    retry: { attempts: 2, backoff: "fixed", first: "1m" },
  });
  await using work = testBroker({ hang });
  await work.enqueue([hang.with({}), hang.with({})]);
  await work.advance("9m");
  assert.deepEqual(seen, []);
  await work.advance("1h");
  assert.deepEqual(
    seen,
    Array.from({ length: 4 }, () => "job-timeout"),
  );
  assert.equal((await work.count()).dead, 2);
});

test("a run that never ends is named by drain, and the broker closes all the same", async () => {
  const hang = task("hang", () => new Promise(() => undefined));
  const work = testBroker.with({ patience: "50ms" }, { hang });
  await work.enqueue(hang.with({}, { id: "h-1" }));
  await assert.rejects(work.drain(), /assertion-failed: drain\(\) waited 50 ms for hang h-1 \(start 1\); a handler that waits for time needs advance\(\)/);
  await work.close();
});

test("work that makes itself again for ever is stopped and said", async () => {
  const again: Task<{}> = task("again", (_input: {}, job) => job.enqueue(again.with({})));
  const work = testBroker({ again });
  await work.enqueue(again.with({}));
  await assert.rejects(work.drain(), /assertion-failed: errand does not come to rest/);
  await work.close();
});

test("an event that waits to be mapped is not yet the task's job, not even with the same payload", async () => {
  const { orderPlaced } = shop();
  const greet = task("greet", (_input: { orderId: string }) => undefined);
  const forFirst = when(orderPlaced, greet, { with: ({ orderId }) => (orderId === "1" ? { orderId } : undefined) });
  await using work = testBroker({ forFirst });
  await work.publish([orderPlaced.with({ orderId: "1" }), orderPlaced.with({ orderId: "2" })]);
  await assert.rejects(work.assertEnqueued(greet.with({ orderId: "1" })), { code: "assertion-failed" });
  await work.drain();
  await work.assertEnqueued(greet.with({ orderId: "1" }));
  await work.assertNotEnqueued(greet.with({ orderId: "2" }));
});

for (const how of ["drain", "advance"] as const)
  test(`the history of a new subscriber is part of what is due at ${how}`, async () => {
    const { orderPlaced } = shop();
    const engine = memory();
    const before = testBroker.with({ engine });
    await before.publish([orderPlaced.with({ orderId: "1" }), orderPlaced.with({ orderId: "2" })]);
    const seen: string[] = [];
    const count = task("count", ({ orderId }: { orderId: string }) => void seen.push(orderId));
    await using after = testBroker.with({ engine }, { all: when(orderPlaced, count, { since: "beginning" }) });
    await (how === "drain" ? after.drain() : after.advance("0s"));
    assert.deepEqual(seen.toSorted(), ["1", "2"]);
  });

test("a test that starts the worker itself has it until it stops it", async () => {
  const { definitions, done, remind } = shop();
  await using work = testBroker(definitions);
  const worker = await work.start({ queues: { default: 1 } });
  await work.enqueue(remind.with({ orderId: "1" }));
  await work.drain();
  await work.enqueue(remind.with({ orderId: "2" }, { in: "10m" }));
  await work.advance("11m");
  assert.deepEqual(done, ["remind 1 1", "remind 2 1"]);
  await worker.stop();
  await work.enqueue(remind.with({ orderId: "3" }));
  await work.drain();
  assert.equal(done.length, 3);
});

test("jobs of a paused queue wait, and jobs handed in by a run are seen", async () => {
  const outer = task("outer", async () => void (await work.enqueue(inner.with({}))));
  const inner = task("inner", () => undefined);
  await using work = testBroker({ outer, inner });
  await work.pause({ task: "inner" });
  await work.enqueue(outer.with({}));
  await work.drain();
  await work.advance("1h");
  assert.deepEqual(
    (await work.enqueued()).map((job) => [job.task, job.state]),
    [
      ["outer", "completed"],
      ["inner", "ready"],
    ],
  );
  await work.resume({ task: "inner" });
  await work.drain();
  assert.equal((await work.count({ task: "inner" })).completed, 1);
});

test("misuse gets a helpful error", async () => {
  const { definitions } = shop();
  const stranger = task("sned-receipt", () => undefined);
  const noted = event("noted");
  await using work = testBroker(definitions);
  await assert.rejects(work.assertEnqueued(stranger.with({})), /task-unknown: this broker has no task "sned-receipt", did you mean "send-receipt"\?/);
  await assert.rejects(work.assertPublished(noted as never), { code: "option-invalid" });
  await assert.rejects(work.advance("1 hour" as never), { code: "option-invalid" });
  assert.throws(() => testBroker.with({ sead: 1 } as never), /option-unknown: testBroker\.with has no option "sead", did you mean "seed"\?/);
});
