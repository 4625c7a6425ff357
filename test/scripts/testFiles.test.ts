import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { it } from "node:test";
import { inRoot, root } from "../../scripts/root.ts";

const late = "test/scripts/fixtures/late.ts";
const order = "test/scripts/fixtures/order.ts";

it("an error that nobody awaits fails its file, and is told", () => {
  const { status, output } = testFiles(late);
  assert.equal(status, 1);
  assert.match(output, /thrown late/);
  assert.match(output, /rejected late/);
  assert.match(output, /FAILED .*late\.ts/);
});

it("tests run in their order, or in a random one, the same for the same seed", () => {
  const told = (...options: string[]): string =>
    testFiles(order, ...options)
      .output.match(/<[a-h]>/g)
      ?.join("") ?? "";
  const own = "<a><b><c><d><e><f><g><h>";
  const random = told("--seed=7");
  assert.equal(told(), own);
  assert.notEqual(random, own);
  assert.equal(told("--seed=7"), random);
});

it("files run in the order given", () => {
  const { output } = testFiles(order, late);
  assert.ok(output.indexOf("order.ts:") < output.indexOf("late.ts:"), output);
});

function testFiles(...given: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { NODE_TEST_CONTEXT: _, ERRAND_TEST_REPORT: __, ...env } = process.env;
  const args = ["--disable-warning=ExperimentalWarning", path.join(root, "scripts/testFiles.ts"), ...given];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: inRoot(""), encoding: "utf8", env });
  return { status, output: stdout + stderr };
}
