/** What a person changes about limits: what is refused, what is stored, and what becomes of two who do it at once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import type { Limitable, NewLimit } from "../../src/core/limits/edit.ts";
import { ErrandError, resource, task, type ErrorCode } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker } from "../../src/testing/index.ts";

const work = task("work", { limits: [{ running: 5 }, { starts: 9, every: "1s" }], run: () => undefined });
const gpu = resource("gpu", { capacity: 2 });
const is =
  (code: ErrorCode, says: RegExp) =>
  (error: unknown): boolean =>
    ErrandError.is(error, code) && error.isDefinite && says.test(error.message);

/** An engine with verbs of its own. */
function withOwn(own: Partial<Engine>, engine: Engine = memory()): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      const member: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

async function stored(engine: Engine, key: string): Promise<unknown> {
  const note = await engine.readNote(key, { now: 0 });
  return note && JSON.parse(note.value);
}

describe("refused", () => {
  const rows: readonly (readonly [what: string, of: unknown, to: unknown, code: ErrorCode, says: RegExp])[] = [
    ["a bare name", "work", { running: 1 }, "option-invalid", /limit is .*give \{ task: "…" \} or/],
    ["nothing to limit", {}, { running: 1 }, "option-invalid", /either \{ task/],
    ["a task and a resource", { task: "work", resource: "gpu" }, { running: 1 }, "option-invalid", /either \{ task/],
    ["a misspelt option", { tsk: "work" }, { running: 1 }, "option-unknown", /did you mean "task"/],
    ["a name that is none", { task: "" }, { running: 1 }, "name-invalid", /task/],
    ["a capacity of a task", { task: "work" }, { capacity: 1 }, "option-unknown", /limit of task work/],
    ["a number of runs of a resource", { resource: "gpu" }, { running: 1 }, "option-unknown", /limit of resource gpu/],
    ["half a limit", { task: "work" }, { starts: 1 }, "option-invalid", /every/],
    ["a resource without a capacity", { resource: "gpu" }, {}, "option-invalid", /capacity/],
    ["a task nothing is like", { task: "zzzzzzzz" }, { running: 1 }, "task-unknown", /limit it where its code is/],
    ["a resource nothing is like", { resource: "zzzzzzzz" }, { capacity: 1 }, "resource-unknown", /limit it where the code is/],
  ];
  for (const [what, of, to, code, says] of rows)
    test(what, async () => {
      await using broker = testBroker({ work, gpu });
      await assert.rejects(broker.limit(of as Limitable, to as NewLimit), is(code, says));
    });
});

test("an edit stands beside what the code defines, which comes back as it was", async () => {
  const engine = memory();
  await using broker = testBroker.with({ engine }, { work, gpu });
  await broker.limit({ task: "work" }, { running: 1 });
  await broker.limit({ task: "work" }, { starts: 1, every: "1m" });
  await broker.limit({ resource: "gpu" }, { capacity: 7 });
  assert.deepEqual(await stored(engine, "limit/task/work/running"), { running: 1, defined: { running: 5 }, isEdited: true });
  assert.deepEqual(await stored(engine, "limit/task/work/starts-in-60000ms"), { starts: 1, everyMs: 60_000, isEdited: true });
  assert.deepEqual(await stored(engine, "resource/gpu"), { capacity: 7, defined: { capacity: 2 }, isEdited: true });
  await broker.limit({ task: "work" }, "as-defined");
  await broker.limit({ resource: "gpu" }, "as-defined");
  assert.deepEqual(await stored(engine, "limit/task/work/running"), { running: 5, defined: { running: 5 } });
  assert.equal(await stored(engine, "limit/task/work/starts-in-60000ms"), undefined);
  assert.deepEqual(await stored(engine, "resource/gpu"), { capacity: 2, defined: { capacity: 2 } });
});

test("what nobody edited is as defined already, and nothing is written", async () => {
  const inner = memory();
  let writes = 0;
  const engine = withOwn({ enqueue: (atoms, at) => (writes++, inner.enqueue(atoms, at)) }, inner);
  await using broker = testBroker.with({ engine }, { work, other: task("other", { needs: { licence: 1 }, run: () => undefined }) });
  await broker.open();
  const before = writes;
  await broker.limit({ task: "work" }, "as-defined");
  await broker.limit({ resource: "licence" }, "as-defined");
  assert.equal(writes, before);
});

describe("two at once", () => {
  test("are both taken, on what the other one wrote", async () => {
    const engine = memory();
    await using one = testBroker.with({ engine }, { work, gpu });
    await using other = testBroker.with({ engine }, { work, gpu });
    await Promise.all([one.open(), other.open()]);
    await Promise.all([1, 2, 3, 4].map((running) => (running % 2 === 0 ? one : other).limit({ task: "work" }, { running })));
    const { running, ...rest } = (await stored(engine, "limit/task/work/running")) as { readonly running: number };
    assert.ok([1, 2, 3, 4].includes(running));
    assert.deepEqual(rest, { defined: { running: 5 }, isEdited: true });
  });

  for (const [code, tries] of [
    ["note-conflict", 5],
    ["store-busy", 1],
  ] as const)
    test(`a store that always answers ${code} is asked ${tries} times`, async () => {
      const inner = memory();
      let [isOpen, asked] = [false, 0];
      const refusal = new ErrandError(code, "as the test wants it; wait");
      const engine = withOwn({ enqueue: (atoms, at) => (isOpen ? (asked++, [refusal] as never) : inner.enqueue(atoms, at)) }, inner);
      await using broker = testBroker.with({ engine }, { work });
      await broker.open();
      isOpen = true;
      await assert.rejects(broker.limit({ task: "work" }, { running: 1 }), (error) => error === refusal);
      assert.equal(asked, tries);
      isOpen = false;
    });
});
