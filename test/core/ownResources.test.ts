/** How what a worker has itself is shared out among the tasks that need it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnResources } from "../../src/core/limits/ownResources.ts";
import { task, type AnyTask } from "../../src/core/task.ts";

interface Case {
  readonly has: Readonly<Record<string, number>>;
  readonly needs: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly gives: Readonly<Record<string, number>>;
}
const cases: readonly Case[] = [
  { has: { gpu: 2 }, needs: { a: { gpu: 1 } }, gives: { a: 2 } },
  { has: { gpu: 5 }, needs: { a: { gpu: 1 }, b: { gpu: 1 } }, gives: { a: 3, b: 2 } },
  { has: { gpu: 7 }, needs: { a: { gpu: 3 }, b: { gpu: 1 } }, gives: { a: 2, b: 1 } },
  { has: { gpu: 1 }, needs: { a: { gpu: 2 } }, gives: { a: 0 } },
  { has: { mb: 1_000_000 }, needs: { a: { mb: 1 }, b: { mb: 3 } }, gives: { a: 250_000, b: 250_000 } },
  { has: { mb: 1_000_000, gpu: 2 }, needs: { a: { mb: 1 }, b: { mb: 10, gpu: 1 } }, gives: { a: 999_980, b: 2 } },
];
for (const { has, needs, gives } of cases) {
  test(`${JSON.stringify(has)} gives ${JSON.stringify(gives)} to ${JSON.stringify(needs)}, in a few steps`, () => {
    let looks = 0;
    const tasks = Object.entries(needs).map(([name, amounts]) => watched(task(name, { needs: amounts, run: () => undefined }), () => looks++));
    const shares = new OwnResources(has).shares(tasks, []);
    assert.deepEqual(Object.fromEntries(shares), gives);
    assert.ok(looks < 100, `the needs were looked at ${looks} times`);
  });
}

/** `looked` is called for each look at what the task needs. */
function watched(given: unknown, looked: () => void): AnyTask {
  const { name, policy } = given as AnyTask;
  const needs = { ...policy.needs };
  return {
    name,
    policy: {
      get needs() {
        looked();
        return needs;
      },
    },
  } as unknown as AnyTask;
}
