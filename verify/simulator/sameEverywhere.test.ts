/** The same seed is the same life, on the oldest Node.js that errand runs on as on this one. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { oldestNode } from "./oldestNode.ts";

const lives = 5;
const timeout = 400_000;
const script = path.join(import.meta.dirname, "traces.ts");

const run = promisify(execFile);

async function traces(node: string): Promise<readonly string[]> {
  const { stdout } = await run(node, ["--disable-warning=ExperimentalWarning", script, "1", String(lives)], { timeout });
  return stdout.trim().split("\n");
}

if (process.env["SIMULATOR_PLAN"] === undefined) {
  test("the same seed is the same life a second time, and on Node.js 22", { timeout }, async (context) => {
    const [once, again] = [await traces(process.execPath), await traces(process.execPath)];
    assert.equal(once.length, 2 * lives);
    assert.deepEqual(again, once, "the second time");
    const oldest = oldestNode();
    if ("missing" in oldest) {
      context.skip(`engine not tested: node22, ${oldest.missing}`);
      return;
    }
    assert.deepEqual(await traces(oldest.path), once, "on Node.js 22");
  });
}
