/** What a caller of enqueue is told when the store fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError, type ErrorCode } from "../../src/core/errors.ts";
import { Sender } from "../../src/core/sender.ts";
import { realRuntime } from "../../src/runtime/real.ts";

/** Fails with these, one after the other. */
function failing(codes: ErrorCode[]): Pick<Engine, "enqueue"> {
  return {
    enqueue: () => {
      const code = codes.shift();
      if (code !== undefined) throw new ErrandError(code, "as the test wants it");
      return [[]];
    },
  };
}

async function errorOf(call: Promise<unknown>): Promise<ErrandError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(ErrandError.is(error));
  return error;
}

test("what may have been stored stays in doubt when repeating the call fails, however definitely", async () => {
  const sender = new Sender(failing(["store-busy", "store-failed", "store-busy", "broker-closed"]) as Engine, realRuntime());
  const first = await errorOf(sender.send([]));
  assert.deepEqual([first.code, first.isDefinite], ["store-busy", true]);
  const second = await errorOf(first.again());
  assert.deepEqual([second.code, second.isDefinite], ["store-failed", false]);
  const third = await errorOf(second.again());
  assert.deepEqual([third.code, third.isDefinite], ["store-busy", false]);
  const fourth = await errorOf(third.again());
  assert.deepEqual([fourth.code, fourth.isDefinite], ["broker-closed", false]);
  assert.deepEqual(await fourth.again(), []);
});
