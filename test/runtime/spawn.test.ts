import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChildEnd } from "../../src/core/runtime.ts";
import { spawn } from "../../src/runtime/spawn.ts";

const module = new URL("./fixtures/alone.ts", import.meta.url).href;

function run(argument: string, signal: AbortSignal = new AbortController().signal): Promise<ChildEnd> {
  return spawn({ module, argument, signal });
}

const cases: readonly [argument: string, end: ChildEnd][] = [
  ["answer late", { is: "answered", message: "late" }],
  ["stop signals", { is: "answered", message: "alive" }],
  ["x".repeat(400_000), { is: "answered", message: 400_000 }],
  ["exit", { is: "died", code: 3, signal: null }],
  ["kill", { is: "died", code: null, signal: "SIGKILL" }],
];
for (const [argument, end] of cases) {
  test(`a child told "${argument.slice(0, 20)}" ${end.is}`, async () => assert.deepEqual(await run(argument), end));
}

test("a child asks its parent, several things at once, and is answered or refused", async () => {
  const asked = async (question: unknown): Promise<unknown> => {
    if (question === "slow") await new Promise((resolve) => setTimeout(resolve, 50));
    if (question === "bad") throw new Error("not for you");
    return { you: question };
  };
  const end = await spawn({ module, argument: "ask", signal: new AbortController().signal, asked });
  assert.deepEqual(end, { is: "answered", message: [{ you: "slow" }, { you: "quick" }, "not for you"] });
  await assert.rejects(run("ask"), /the parent answers no questions/);
});

test("a child is another process", async () => {
  const end = await run("answer");
  assert.ok(end.is === "answered");
  assert.notEqual((end.message as { pid: number }).pid, process.pid);
});

test("a child that runs out of memory died, and its parent lives", async () => {
  process.execArgv.push("--max-old-space-size=40");
  const end = await run("fill the memory").finally(() => process.execArgv.pop());
  assert.equal(end.is, "died");
});

test("the signal ends a child that hangs", async () => {
  const controller = new AbortController();
  const end = run("hang", controller.signal);
  setTimeout(() => controller.abort(), 150);
  assert.deepEqual(await end, { is: "died", code: null, signal: "SIGKILL" });
  assert.deepEqual(await run("hang", controller.signal), { is: "died", code: null, signal: "SIGKILL" });
});

test("a module that cannot be run rejects: the job has not died", async () => {
  await assert.rejects(run("throw"), /could not run its job: the module is at fault/);
  await assert.rejects(run("no json"), /BigInt/);
  await assert.rejects(spawn({ module: "file:///nowhere.js", argument: "", signal: new AbortController().signal }), /nowhere/);
});
