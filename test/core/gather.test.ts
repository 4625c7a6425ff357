/** Merged payloads beyond the laws: what a definition may say, and what merging meets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { task, type Task } from "../../src/core/task.ts";
import { testBroker } from "../../src/testing/index.ts";
import { BrokerStage } from "./brokerStage.ts";

interface Add {
  readonly key: string;
  readonly sum: number;
}
const add = (earlier: Add, later: Add): Add => ({ key: later.key, sum: earlier.sum + later.sum });
const rule = { debounce: "1s", atMost: "5s", merge: add } as const;

for (const [claim, definition, says] of [
  [
    "most without merge",
    { uniqueBy: "key", ifTaken: { debounce: "1s", atMost: "5s", most: 3 } },
    /ifTaken\.most is 3; give merge: \(earlier, later\) => … with it/,
  ],
  ["room for one only", { uniqueBy: "key", ifTaken: { ...rule, most: 1 } }, /most is 1; give a whole number from 2/],
  ["a merge that is no function", { uniqueBy: "key", ifTaken: { ...rule, merge: "sum" } }, /merge is "sum"; give a function/],
  ["no deadline", { uniqueBy: "key", ifTaken: { debounce: "1s", merge: add } }, /give \{ debounce: "5s", atMost: "1m" \}/],
  ["no key", { ifTaken: rule }, /has ifTaken without uniqueBy/],
  ["an order that the key does not tell", { uniqueBy: "key", orderedBy: "sum", ifTaken: rule }, /ordered by sum, which merge needs among uniqueBy/],
] as const) {
  test(`a task that merges with ${claim} is refused`, () => assert.throws(() => task<Add>("add", { run: () => undefined, ...definition } as never), says));
}

async function merged(
  definition: Partial<Parameters<typeof task<Add>>[1]>,
  ...sums: readonly number[]
): Promise<{ runs: Add[]; state: string; reason: string | undefined }> {
  await using stage = new BrokerStage();
  const runs: Add[] = [];
  const adding = task<Add>("add", {
    uniqueBy: "key",
    ifTaken: rule,
    retry: { backoff: "fixed", first: "100ms", attempts: 3 },
    run: (input: Add) => void runs.push(input),
    ...definition,
  } as never);
  const broker = stage.broker({ adding });
  await stage.finished(broker.start({ signals: false }));
  const accepted = await stage.finished(broker.enqueue(sums.map((sum) => adding.with({ key: "a", sum }))));
  const { state, reason } = await stage.finished(broker.result(accepted[0]?.id ?? ""));
  return { runs, state, reason };
}

test("a merge may be asynchronous", async () => {
  const { runs } = await merged({ ifTaken: { ...rule, merge: async (earlier: Add, later: Add) => add(earlier, later) } } as never, 1, 2, 3);
  assert.deepEqual(runs, [{ key: "a", sum: 6 }]);
});

test("one payload is merged with nothing", async () => {
  const { runs } = await merged({ ifTaken: { ...rule, merge: () => assert.fail("there is nothing to merge") } } as never, 7);
  assert.deepEqual(runs, [{ key: "a", sum: 7 }]);
});

test("a merge that fails is the run's failure, and is tried again", async () => {
  let tries = 0;
  const merge = (earlier: Add, later: Add): Add => {
    if (++tries === 1) throw new Error("not yet");
    return add(earlier, later);
  };
  const { runs, state } = await merged({ ifTaken: { ...rule, merge } } as never, 1, 2);
  assert.deepEqual([runs, state], [[{ key: "a", sum: 3 }], "completed"]);
});

test("each element is parsed by the schema, and merge is given what the schema answers", async () => {
  const input = z.object({ key: z.string(), sum: z.number().transform((sum) => sum * 10) });
  const { runs } = await merged({ input, ifTaken: rule } as never, 1, 2);
  assert.deepEqual(runs, [{ key: "a", sum: 30 }]);
});

test("unless and limits see what was merged", async () => {
  const { runs, state, reason } = await merged({ unless: ({ sum }: Add) => sum === 3 && "it sums up to three" } as never, 1, 2);
  assert.deepEqual([runs, state, reason], [[], "skipped", "it sums up to three"]);
});

test("a job that was stored before its task merged is its only payload", async () => {
  await using stage = new BrokerStage();
  const runs: Add[] = [];
  const plain: Task<Add> = task<Add>("add", { uniqueBy: "key", run: () => undefined });
  const merging = task<Add>("add", { uniqueBy: "key", ifTaken: rule, run: (input) => void runs.push(input) });
  const { id } = await stage.finished(stage.broker({ plain }).enqueue(plain.with({ key: "a", sum: 1 })));
  const broker = stage.broker({ merging });
  await stage.finished(broker.start({ signals: false }));
  await stage.finished(broker.result(id));
  assert.deepEqual(runs, [{ key: "a", sum: 1 }]);
});

test("of what was gathered each payload can be asserted", async () => {
  const adding = task<Add>("add", { uniqueBy: "key", ifTaken: rule, run: () => undefined });
  await using work = testBroker({ adding });
  await work.enqueue([adding.with({ key: "a", sum: 1 }), adding.with({ key: "a", sum: 2 })]);
  await work.assertEnqueued(adding.with({ key: "a", sum: 1 }));
  await work.assertEnqueued(adding.with({ sum: 2, key: "a" }));
  await work.assertNotEnqueued(adding.with({ key: "a", sum: 3 }));
  await assert.rejects(work.assertEnqueued(adding.with({ key: "a", sum: 3 })), { code: "assertion-failed" });
});
