/** A store on a file system whose locks and shared memory cannot be relied on, really mounted: a folder seen through FUSE. */
import assert from "node:assert/strict";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { tally } from "../tally.ts";
import type { Openings } from "./fuseMain.ts";
import { mounted, mountMissing } from "./mounted.ts";

const places = ["/usr/bin/bindfs", "/usr/local/bin/bindfs"];
const bindfs = places.find((place) => existsSync(place));
const missing =
  mountMissing ??
  (bindfs === undefined ? `bindfs is not installed here (apt-get install bindfs); it is looked for in ${places.join(", ")}` : undefined) ??
  (isOpenToUs("/dev/fuse") ? undefined : "/dev/fuse is not there, or not for this user");
if (missing !== undefined) console.error(`\n!!! SQLITE: A STORE ON FUSE WAS NOT TESTED: ${missing}\n`);
const timeoutMs = 60_000;

function isOpenToUs(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

describe("a store on FUSE, on sqlite", { skip: missing === undefined ? false : `not tested: ${missing}` }, () => {
  it("is refused by its name and behind a link, and nothing is made there", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "errand-fuse-"));
    const [back, front, link] = ["back", "front", "link.db"].map((name) => path.join(folder, name)) as [string, string, string];
    for (const one of [back, front]) mkdirSync(one);
    try {
      const file = path.join(front, "work.db");
      symlinkSync(file, link);
      const program = [
        process.execPath,
        "--disable-warning=ExperimentalWarning",
        path.join(import.meta.dirname, "fuseMain.ts"),
        file,
        link,
        path.join(folder, "local.db"),
      ];
      // It is unmounted when the last process of the namespace ends.
      const { code, out, error } = await mounted(`${bindfs ?? ""} '${back}' "$0"`, front, program, timeoutMs);
      assert.equal(code, 0, error);
      const [named = "", linked = "", local = ""] = JSON.parse(out) as Openings;
      for (const refusal of [named, linked])
        assert.match(refusal, /^store-unsafe: .*front\/work\.db is on FUSE, .*use a local disk, or pass \{ unsafeFileSystem: true \}/);
      assert.equal(local, "opened");
      assert.deepEqual(readdirSync(back), []);
      tally({ layer: "disk", engine: "sqlite", seeds: "1", counts: { refusedPlaces: 2 } });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
