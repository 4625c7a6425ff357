import assert from "node:assert/strict";
import { test } from "node:test";
import { checkNodeVersion } from "../../src/runtime/nodeVersion.ts";

test("an older Node gets a clear sentence", () => {
  for (const version of ["20.19.5", "18.0.0", "21.7.3"]) {
    assert.throws(() => checkNodeVersion(version), {
      code: "node-too-old",
      message: `node-too-old: errand needs Node.js 22 or later and this is ${version}; install a newer one, as in "nvm install 24"`,
    });
  }
  for (const version of ["22.0.0", "24.21.0", "100.1.0"]) checkNodeVersion(version);
});
