/** The fault run can fail: each bug that is planted in an engine is found by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inRoot } from "../../scripts/root.ts";
import { brokenIn, faultRun } from "./faultRun.ts";

const planted = [
  { bug: "losing", finds: ["I1"], what: "loses acknowledged jobs" },
  { bug: "doubling", finds: ["I3", "I4", "I5"], what: "hands jobs out twice" },
  { bug: "reusing", finds: ["I4"], what: "gives fences out again" },
] as const;

for (const { bug, finds, what } of planted) {
  test(`an engine that ${what} is found`, async (context) => {
    const verified = await faultRun(inRoot(`test/verify/fixtures/${bug}.ts`), { seconds: 8, workers: 3, producers: 2 });
    const broken = brokenIn(verified);
    context.diagnostic(broken.map((one) => one.slice(0, 200)).join("\n"));
    assert.ok(!verified.report.verdict.held);
    assert.ok(
      broken.some((one) => finds.some((id) => one.startsWith(`${id}:`))),
      broken.join("\n"),
    );
  });
}
