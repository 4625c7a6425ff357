import assert from "node:assert/strict";
import { test } from "node:test";
import { realRuntime } from "../../src/runtime/real.ts";

const day = 86_400_000;

test("a delay longer than the platform's timers is kept to, and can be cancelled in its second part", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let fired = 0;
  const runtime = realRuntime();
  runtime.after(60 * day, () => fired++);
  const cancelled = runtime.after(60 * day, () => (fired += 100));
  const pass = (days: number): void => {
    for (let i = 0; i < days; i++) context.mock.timers.tick(day);
  };
  pass(59);
  assert.equal(fired, 0);
  cancelled.cancel();
  pass(2);
  assert.equal(fired, 1);
});

test("a background timer does not keep the process alive", () => {
  const active = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = active();
  const runtime = realRuntime();
  const timers = [runtime.after(1_000, () => undefined, { background: true }), runtime.after(60 * day, () => undefined, { background: true })];
  assert.equal(active(), before);
  const held = runtime.after(1_000, () => undefined);
  assert.equal(active(), before + 1);
  for (const timer of [...timers, held]) timer.cancel();
  assert.equal(active(), before);
});
