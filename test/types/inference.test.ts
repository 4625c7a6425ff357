import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "./compile.ts";

test("the compiler infers what inference.ts says", async () => {
  assert.equal(await compile("inference.ts"), "");
});
