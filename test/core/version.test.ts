/** Versions beyond the laws: what a definition may say, and what upgrading meets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { task } from "../../src/core/task.ts";
import { BrokerStage } from "./brokerStage.ts";

for (const [claim, definition, says] of [
  ["an upgrade without a version", { upgrade: () => ({}) }, /has upgrade without version/],
  ["version 0", { version: 0 }, /version is 0; give a whole number from 1/],
  ["a version that is no whole number", { version: 1.5 }, /version is 1\.5/],
  ["an upgrade that is no function", { version: 2, upgrade: "yes" }, /upgrade is "yes"; give a function/],
] as const) {
  test(`a task with ${claim} is refused`, () => assert.throws(() => task<{}>("x", { run: () => undefined, ...definition } as never), says));
}

const first = task<{ name: string }>("greet", () => undefined);

test("an upgrade may be asynchronous", async () => {
  await using stage = new BrokerStage();
  const greeted: unknown[] = [];
  const third = task<{ who: string }>("greet", {
    version: 3,
    async upgrade(old: { name: string }, from) {
      await Promise.resolve();
      return { who: `${old.name} of ${from}` };
    },
    run: (input) => void greeted.push(input),
  });
  const { id } = await stage.finished(stage.broker({ first }).enqueue(first.with({ name: "Ada" })));
  const broker = stage.broker({ third });
  await stage.finished(broker.start({ signals: false }));
  await stage.finished(broker.result(id));
  assert.deepEqual(greeted, [{ who: "Ada of 1" }]);
});

test("a newer version without an upgrade takes the older payloads as they are", async () => {
  await using stage = new BrokerStage();
  const greeted: unknown[] = [];
  const second = task<{ name: string; title?: string }>("greet", { version: 2, run: (input) => void greeted.push(input) });
  const { id } = await stage.finished(stage.broker({ first }).enqueue(first.with({ name: "Ada" })));
  const broker = stage.broker({ second });
  await stage.finished(broker.start({ signals: false }));
  await stage.finished(broker.result(id));
  assert.deepEqual(greeted, [{ name: "Ada" }]);
});

test("payloads of two versions are gathered apart, and each is upgraded", async () => {
  await using stage = new BrokerStage();
  interface Add {
    readonly key: string;
    readonly sum: number;
  }
  const runs: Add[] = [];
  const rule = { uniqueBy: "key", ifTaken: { debounce: "1s", atMost: "5s", merge: (a: Add, b: Add) => ({ key: b.key, sum: a.sum + b.sum }) } } as const;
  const old = task<Add>("add", { ...rule, run: () => undefined });
  const young = task<Add>("add", { ...rule, version: 2, upgrade: ({ key, sum }: Add) => ({ key, sum: sum * 100 }), run: (input) => void runs.push(input) });
  const [before, after] = [stage.broker({ old }), stage.broker({ young })];
  const ids = new Set<string>();
  for (const sum of [1, 2]) ids.add((await stage.finished(before.enqueue(old.with({ key: "a", sum })))).id);
  for (const sum of [3, 4]) ids.add((await stage.finished(after.enqueue(young.with({ key: "a", sum })))).id);
  await stage.finished(after.start({ signals: false }));
  await stage.finished(Promise.all([...ids].map((id) => after.result(id))));
  assert.deepEqual(
    [ids.size, runs.toSorted((a, b) => a.sum - b.sum)],
    [
      2,
      [
        { key: "a", sum: 7 },
        { key: "a", sum: 300 },
      ],
    ],
  );
});

test("a job that nobody here knows is put off for longer and longer, up to half a minute", async () => {
  await using stage = new BrokerStage();
  const second = task<{ name: string }>("greet", { version: 2, run: () => undefined });
  const { id } = await stage.finished(stage.broker({ second }).enqueue(second.with({ name: "Ada" })));
  await stage.finished(stage.broker({ first }).start({ signals: false }));
  await stage.advance(10 * 60_000);
  const { history, attempts } = await stage.job(id);
  const gaps = history.slice(1).map(({ at }, index) => Math.round((at - (history[index]?.at ?? 0)) / 1_000));
  assert.equal(attempts, 0);
  assert.ok(Math.max(...gaps) <= 39 && Math.min(...gaps.slice(-5)) >= 20, gaps.join());
  assert.equal(stage.said("is not known here").length, 1);
});
