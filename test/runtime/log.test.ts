import assert from "node:assert/strict";
import { test } from "node:test";
import { StderrLog } from "../../src/runtime/log.ts";

function linesOf(write: (log: StderrLog) => void): string[] {
  const lines: string[] = [];
  write(
    new StderrLog(
      (line) => lines.push(line),
      () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    ),
  );
  return lines;
}

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

const cases: readonly [details: object, message: string, line: string][] = [
  [{ job: "8f3", task: "send-receipt", attempt: 2 }, "a run failed", "a run failed job=8f3 task=send-receipt attempt=2"],
  [{ reason: "card was removed", none: undefined, nothing: null }, "dead", 'dead reason="card was removed" nothing=null'],
  [{ error: new TypeError('no "x"') }, "failed", 'failed error="TypeError: no \\"x\\""'],
  [new Error("bare"), "failed", 'failed error="Error: bare"'],
  [{ list: [1, "a b"], cycle }, "shown", 'shown list=[1,"a b"] cycle=[object Object]'],
  [{ text: "a\nb\u001b[31m\u009b" }, "one\nline", 'one\\u000aline text="a\\nb\\u001b[31m\\u009b"'],
  [{ long: "x".repeat(900) }, "cut", `cut long="${"x".repeat(499 + 1)}…"`],
];
for (const [details, message, line] of cases) {
  test(`a warning is one readable line: ${JSON.stringify(message)}`, () => {
    assert.deepEqual(
      linesOf((log) => log.warn(details, message)),
      [`2026-01-02T03:04:05.006Z errand warn: ${line}\n`],
    );
  });
}

test("debug and info are silent, and say so beforehand", () => {
  assert.deepEqual(
    linesOf((log) => (log.debug({}, "quiet"), log.info({}, "quiet"))),
    [],
  );
  const log = new StderrLog();
  assert.deepEqual(
    ["debug", "info", "warn", "error"].map((level) => log.isLevelEnabled(level)),
    [false, false, true, true],
  );
});
