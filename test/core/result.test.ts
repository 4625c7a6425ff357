/** Waiting for results beyond the laws: what it costs, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import { task } from "../../src/core/task.ts";
import { testBroker } from "../../src/testing/index.ts";
import { BrokerStage } from "./brokerStage.ts";

const work = task<{ n: number }>("work", () => undefined);

test("waiting for long looks about once a second; many waits share each look", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  const accepted = await stage.finished(broker.enqueue(Array.from({ length: 100 }, (_, n) => work.with({ n }))));
  const before = stage.countOf("find");
  const waits = accepted.map(({ id }) => broker.result(id, { within: "2m" }).catch((error: { code: string }) => error.code));
  await stage.advance(60_000);
  const looks = stage.countOf("find") - before;
  assert.ok(looks >= 50 && looks <= 200, `${looks} looks for 100 waits in a minute`);
  const one = stage.countOf("find");
  const alone = broker.result(accepted[0]?.id ?? "", { within: "60s" }).catch((error: { code: string }) => error.code);
  assert.deepEqual([...new Set(await stage.finished(Promise.all(waits)))], ["result-timeout"]);
  assert.equal(await stage.finished(alone), "result-timeout");
  assert.ok(stage.countOf("find") - one <= 200);
});

test("a single wait on a quiet store looks at most 70 times in a minute", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  const { id } = await stage.finished(broker.enqueue(work.with({ n: 1 })));
  const before = stage.countOf("find");
  await assert.rejects(stage.finished(broker.result(id, { within: "1m" })), { code: "result-timeout" });
  const looks = stage.countOf("find") - before;
  assert.ok(looks >= 50 && looks <= 90, `${looks} looks`);
});

for (const [claim, id, options, code] of [
  ["no id", "", {}, "option-invalid"],
  ["an id that is no text", 7, {}, "option-invalid"],
  ["a time that is none", "x", { within: "soon" }, "option-invalid"],
  ["a misspelt option", "x", { witin: "1s" }, "option-unknown"],
] as const) {
  test(`a wait with ${claim} is refused`, async () => {
    await using stage = new BrokerStage();
    await assert.rejects(stage.finished(stage.broker().result(id as string, options as never)), { code });
  });
}

test("the error about a job that is not there names it", async () => {
  await using stage = new BrokerStage();
  const error: unknown = await stage.finished(stage.broker().result("nobody")).catch((thrown: unknown) => thrown);
  assert.ok(ErrandError.is(error, "job-unknown"));
  assert.deepEqual(error.details, { job: "nobody" });
});

test("a wait for no time looks once", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  const { id } = await stage.finished(broker.enqueue(work.with({ n: 1 })));
  const before = stage.countOf("find");
  await assert.rejects(stage.finished(broker.result(id, { within: "0s" })), { code: "result-timeout", message: /it is ready; it goes on/ });
  assert.equal(stage.countOf("find") - before, 1);
});

test("a job that is deleted while somebody waits for it is told as gone", async () => {
  await using stage = new BrokerStage();
  const broker = stage.broker({ work });
  const { id } = await stage.finished(broker.enqueue(work.with({ n: 1 }, { in: "1h" })));
  const result = broker.result(id, { within: "1m" });
  result.catch(() => undefined);
  await stage.advance(1_000);
  await broker.cancel(id);
  await broker.change({ ids: [id] }, { do: "delete" });
  await assert.rejects(stage.finished(result), { code: "job-unknown", message: /it was scheduled and is gone/ });
});

test("in a test a result is there when the job was drained", async () => {
  await using broker = testBroker({ work });
  const { id } = await broker.enqueue(work.with({ n: 1 }));
  await broker.drain();
  assert.deepEqual(await broker.result(id), { id, state: "completed", result: undefined, reason: undefined });
});
