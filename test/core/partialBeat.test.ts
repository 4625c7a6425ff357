/** A heartbeat that parts of the store do not answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { task } from "../../src/index.ts";
import { BrokerStage } from "./brokerStage.ts";

/** As an engine tells it of which one partition is away. */
function inPart(stage: BrokerStage): void {
  stage.afterwards = (verb, answer) => (verb === "beat" ? { ...(answer as object), isPartial: true } : answer);
}

test("a run hears that it is to be cancelled where another part of the store is away, and beats come sooner until that is back", async () => {
  await using stage = new BrokerStage();
  const aborted: string[] = [];
  const wait = task("wait", async (_: { n: number }, job) => {
    await new Promise<void>((resolve) => job.signal.addEventListener("abort", () => resolve()));
    aborted.push(job.id);
  });
  const work = stage.broker({ wait });
  await stage.finished(work.start({ signals: false }));
  const { id } = await stage.finished(work.enqueue(wait.with({ n: 1 })));
  await stage.advance(1_000);
  inPart(stage);
  await stage.advance(4_000);
  const beats = stage.countOf("beat");
  await stage.advance(10_000);
  assert.ok(stage.countOf("beat") - beats >= 15, `${stage.countOf("beat") - beats} beats in 10 s`);
  await stage.finished(work.cancel(id));
  await stage.advance(2_000);
  assert.deepEqual(aborted, [id]);
});

test("who holds a lock is told that it may be lost when no beat was answered by all of the store for long: its part may be the one that is away", async () => {
  await using stage = new BrokerStage();
  const lock = await stage.finished(stage.broker().lock("a", { for: "1h" }));
  inPart(stage);
  await stage.advance(20_000);
  assert.equal(lock.signal.aborted, true);
});
