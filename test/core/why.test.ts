import assert from "node:assert/strict";
import { test } from "node:test";
import { Definitions } from "../../src/core/definitions.ts";
import type { JobRow } from "../../src/core/engine.ts";
import { task } from "../../src/core/task.ts";
import { knownOf, tellKnown } from "../../src/core/why/known.ts";
import { Look } from "../../src/core/why/look.ts";
import { reasonOf } from "../../src/core/why/reasons.ts";
import { memory } from "../../src/memory/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const snoozed: JobRow = {
  id: "j1",
  task: "send",
  queue: "default",
  state: "scheduled",
  payload: "{}",
  headStartMs: 0,
  urgency: 0,
  enqueuedAt: 0,
  dueAt: 30_000,
  attempts: 0,
  starts: 1,
  suspects: 0,
  waits: { reason: "snooze", on: "", since: 0 },
  history: [{ start: 1, is: "snoozed", at: 0, reason: 'subscription "paid/send" is not defined here' }],
};
const atOnce = { now: 0 } as Look;

for (const { what, row, words } of [
  {
    what: "a snooze's reason is named",
    row: snoozed,
    words: 'until it is due in 30 s, at 1970-01-01T00:00:30.000Z (it was snoozed: subscription "paid/send" is not defined here)',
  },
  {
    what: "a snooze without a reason is just told",
    row: { ...snoozed, history: [{ start: 1, is: "snoozed", at: 0 }] },
    words: "until it is due in 30 s, at 1970-01-01T00:00:30.000Z (it was snoozed)",
  },
  {
    what: "a due job that no pass has promoted yet is to be picked up",
    row: { ...snoozed, dueAt: 0, waits: { reason: "time", on: "", since: 0 } },
    words: "to be picked up: it is due (it was delayed)",
  },
  {
    what: "a slot of a schedule is named",
    row: { ...snoozed, slotAt: 30_000, waits: { reason: "time", on: "", since: 0 } },
    words: "until it is due in 30 s, at 1970-01-01T00:00:30.000Z (its schedule's slot of 1970-01-01T00:00:30.000Z)",
  },
] as const satisfies readonly { readonly what: string; readonly row: JobRow; readonly words: string }[])
  test(what, async () => assert.equal((await reasonOf(row, atOnce)).waits, words));

test("what a task needs is told by its definition, what a worker has by the worker, and either by itself will do", async () => {
  const [engine, runtime] = [memory(), new VirtualRuntime()];
  await engine.open({ runtime });
  const definitions = new Definitions([{ send: task("send", { needs: { gpu: 2 }, run: () => undefined }) }]);
  const here = new Look({ engine, runtime, definitions });
  const elsewhere = new Look({ engine, runtime, definitions: new Definitions([]) });
  const { gates, breaker } = knownOf(definitions.task("send"));
  assert.deepEqual(await here.known("send"), { gates, breaker, needs: { gpu: 2 } });
  assert.equal(await elsewhere.known("send"), undefined);
  await tellKnown(engine, definitions, runtime, { gpu: 1, other: 7 });
  for (const look of [here, elsewhere]) assert.deepEqual(await look.known("send"), { gates, breaker, needs: { gpu: 2 }, own: { gpu: 1 } });
});
