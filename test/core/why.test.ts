import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobRow } from "../../src/core/engine.ts";
import { whyOf } from "../../src/core/why.ts";

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

test("why names the reason for which a job was snoozed", () => {
  const words = whyOf(snoozed, { now: 0, paused: [], processes: [], ahead: undefined });
  assert.equal(words, 'job j1 (send) waits until it is due in 30 s (it was snoozed: subscription "paid/send" is not defined here)');
});

test("a snooze without a reason is just told", () => {
  const words = whyOf({ ...snoozed, history: [{ start: 1, is: "snoozed", at: 0 }] }, { now: 0, paused: [], processes: [], ahead: undefined });
  assert.equal(words, "job j1 (send) waits until it is due in 30 s (it was snoozed)");
});
