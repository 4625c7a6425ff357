/** Whatever is thrown can be stored. */
import assert from "node:assert/strict";
import test from "node:test";
import { errorMessageMax, errorStackMax } from "../../src/core/defaults.ts";
import { storedError, storedReason } from "../../src/core/worker/storedError.ts";

class Hostile extends Error {
  override get message(): string {
    throw new Error("no message for you");
  }
  override get stack(): string {
    throw new Error("no stack either");
  }
}
const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;
const ownCause = new Error("own cause");
ownCause.cause = ownCause;

const thrown: readonly (readonly [string, unknown, string])[] = [
  ["an error", new TypeError("wrong"), "wrong"],
  ["a text", "plain", "plain"],
  ["undefined", undefined, "undefined"],
  ["null", null, "null"],
  ["a record", { status: 500 }, '{"status":500}'],
  ["a record with a message", { message: "odd" }, "odd"],
  ["a cycle", cyclic, "a value that cannot be shown"],
  ["a symbol", Symbol("s"), "Symbol(s)"],
  ["an object without prototype", Object.create(null), "{}"],
  ["a text with U+0000", "a\0b", "ab"],
  ["half a surrogate pair", "a\ud83d", "a"],
  ["an error with getters that throw", new Hostile(), "Error"],
  ["an error that is its own cause", ownCause, "own cause"],
];

for (const [name, value, message] of thrown) {
  test(`${name} is stored as ${JSON.stringify(message)}`, () => {
    const stored = storedError(value);
    assert.equal(stored.message, message);
    assert.ok(stored.name.length > 0);
    assert.ok(JSON.stringify(stored).isWellFormed());
  });
}

test("causes are told in the stack, code and name are kept, and all is bounded", () => {
  const root = Object.assign(new Error("ECONNREFUSED 127.0.0.1"), { code: "ECONNREFUSED" });
  const stored = storedError(Object.assign(new RangeError("m".repeat(1e6), { cause: root }), { code: 42 }));
  assert.deepEqual([stored.name, stored.code, stored.message.length], ["RangeError", "42", errorMessageMax]);
  assert.ok((stored.stack ?? "").length <= errorStackMax);
  assert.match(storedError(new Error("short", { cause: root })).stack ?? "", /caused by: Error: ECONNREFUSED 127/);
  assert.equal(storedReason("r".repeat(5_000)).length, 1_000);
});
