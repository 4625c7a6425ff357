/** A store on a disk that becomes full: what cannot be stored is refused, with the cure and as definite as it is; what runs is kept, and written once there is room. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { tally } from "../tally.ts";
import type { FullDisk } from "./fullDiskMain.ts";
import type { FullOpen } from "./fullOpenMain.ts";
import { mounted, mountMissing } from "./mounted.ts";

if (mountMissing !== undefined) console.error(`\n!!! SQLITE: A FULL DISK WAS NOT TESTED: ${mountMissing}\n`);
const skip = mountMissing === undefined ? false : `not tested: ${mountMissing}`;
const timeoutMs = 120_000;

async function onDiskOf<T>(size: string, main: string, ...more: readonly string[]): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-full-"));
  try {
    const program = [process.execPath, "--disable-warning=ExperimentalWarning", path.join(import.meta.dirname, main), folder, ...more];
    const { code, out, error } = await mounted(`mount -t tmpfs -o size=${size} errand "$0"`, folder, program, timeoutMs);
    assert.equal(code, 0, error);
    return JSON.parse(out) as T;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("a full disk, on sqlite", { skip }, () => {
  for (const size of ["3m", "6m"]) {
    it(`refuses what it cannot store, and forgets nothing else; a worker goes on once there is room (${size})`, async (context) => {
      const { warnings, refusals, ...told } = await onDiskOf<FullDisk>(size, "fullDiskMain.ts");
      context.diagnostic(JSON.stringify({ ...told, refusals }));
      const { acknowledged, missing, storedAgain } = told;
      tally({ layer: "disk", engine: "sqlite", seeds: "1", counts: { acknowledged, missing, refused: storedAgain } });
      assert.deepEqual(refusals, { "store-full, definite": storedAgain });
      assert.deepEqual({ ...told, acknowledged: 0, storedAgain: 0, settledWhileFull: 0 }, expected);
      assert.ok(acknowledged > storedAgain, "the disk was full from the start");
      assert.match(warnings.join("; "), /store-full: .* has no room left; free some/);
    });
  }

  for (const before of ["there", "new"]) {
    it(`refuses to open a store that is ${before} with store-full, until there is room`, async (context) => {
      const { refusals, jobs } = await onDiskOf<FullOpen>("1m", "fullOpenMain.ts", before);
      context.diagnostic(`${refusals.length} refusals`);
      tally({ layer: "disk", engine: "sqlite", seeds: "1", counts: { refusedOpens: refusals.length } });
      assert.ok(refusals.length > 0);
      for (const refusal of refusals) assert.match(refusal, /^store-full: .*free some, then try again|^store-unsafe: .*is full or fails/);
      assert.equal(jobs, before === "there" ? 2 : 1);
    });
  }
});

const expected = { acknowledged: 0, missing: 0, falselyDefinite: 0, settledWhileFull: 0, settled: 4, runs: 4, storedAgain: 0, cutShort: false, damage: "" };
