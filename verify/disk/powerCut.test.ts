/**
 * The power is cut at every write of SQLite's files: all that was synced stays, and of the rest any sectors. Nothing that was acknowledged is missing, no file is damaged, no
 * step is there in part. A usual run takes some thousand images; `npm run verify -- disk` more than 100,000, in about ten minutes on a quiet machine.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Dice } from "../../test/port/dice.ts";
import { tally } from "../tally.ts";
import { Recorded } from "./cuts.ts";
import type { Cuts } from "./cuts.ts";
import { operationOf, operations } from "./operations.ts";
import { Disk } from "./powerCut.ts";
import { firstSeed, isWhole, sayIfMissing, timeoutMs } from "./scale.ts";

const skip = sayIfMissing("WHAT A POWER CUT LEAVES");
const options = { skip, timeout: timeoutMs };
const perPoint = isWhole ? 66 : 2;

function record(context: { diagnostic(message: string): void }, { complaints, ...counts }: Cuts): void {
  context.diagnostic(JSON.stringify(counts));
  tally({ layer: "power-cut", engine: "sqlite", seeds: String(firstSeed), counts });
  assert.deepEqual(complaints, []);
}

describe("a power cut, on sqlite", () => {
  for (const [n, operation] of operations.entries()) {
    it(`who ${operation.name} finds all that was acknowledged`, options, async (context) => {
      using recorded = await Recorded.of(operation);
      record(context, await recorded.cut(perPoint, firstSeed * 1_000 + n));
    });
  }

  it(
    "what was stored and not acknowledged when its process was killed, and then acknowledged to who asked again, is not lost either",
    options,
    async (context) => {
      const operation = operationOf("enqueues one");
      using clean = await Recorded.of(operation);
      for (const nth of clean.syncsUnderTest.slice(0, 2)) {
        using recorded = await Recorded.ofTwo(operation, { call: "fsync", nth });
        record(context, await recorded.cut(perPoint, firstSeed));
      }
    },
  );
});

describe("planted bugs, under power cuts", () => {
  it("synchronous = NORMAL loses what was acknowledged, and damages nothing", options, async () => {
    using recorded = await Recorded.of(operationOf("enqueues one"), "synchronous = NORMAL");
    const { missing, complaints } = await recorded.cut(6, 1);
    assert.ok(missing > 0, "no image lost anything: the cuts are too mild to tell");
    for (const complaint of complaints) assert.match(complaint, /the file holds what was there after \d+ steps/);
  });

  it("synchronous = OFF damages files", options, async () => {
    using recorded = await Recorded.of(operationOf("copies the log back, and begins it anew"), "synchronous = OFF");
    const { complaints } = await recorded.cut(6, 1);
    assert.ok(complaints.length > 0, "no image was damaged: the cuts are too mild to tell");
  });
});

describe("what a power cut leaves of files", () => {
  const bytes = Buffer.alloc(1_024, 1);

  it("is what was synced, whatever else is lost", () => {
    const disk = new Disk();
    disk.take({ is: "made", part: "" });
    disk.take({ is: "wrote", part: "", offset: 0, bytes });
    disk.take({ is: "synced", part: "" });
    assert.deepEqual(disk.cut(0, new Dice(1)).size, 0, "its name was not synced");
    disk.take({ is: "synced the folder" });
    assert.ok(disk.isSettled);
    disk.take({ is: "wrote", part: "", offset: 0, bytes: Buffer.alloc(2_048, 2) });
    assert.deepEqual(disk.cut(0, new Dice(1)).get(""), bytes);
    assert.deepEqual(disk.cut(1, new Dice(1)).get(""), Buffer.alloc(2_048, 2));
  });

  it("is whole sectors, old or new", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 40; seed += 1) {
      const disk = new Disk();
      disk.take({ is: "made", part: "" });
      disk.take({ is: "wrote", part: "", offset: 0, bytes });
      disk.take({ is: "synced", part: "" });
      disk.take({ is: "synced the folder" });
      disk.take({ is: "wrote", part: "", offset: 0, bytes: Buffer.alloc(1_024, 2) });
      const image = disk.cut(0.5, new Dice(seed)).get("") ?? Buffer.alloc(0);
      for (const from of [0, 512]) assert.equal(new Set(image.subarray(from, from + 512)).size, 1);
      seen.add(`${image[0]} ${image[512]}`);
    }
    assert.deepEqual([...seen].toSorted(), ["1 1", "1 2", "2 1", "2 2"]);
  });

  it("is a file that was removed, where its folder was not synced since", () => {
    const disk = new Disk();
    disk.take({ is: "made", part: "-journal" });
    disk.take({ is: "synced the folder" });
    disk.take({ is: "removed", part: "-journal" });
    assert.deepEqual([...disk.cut(0, new Dice(1)).keys()], ["-journal"]);
    assert.deepEqual([...disk.cut(1, new Dice(1)).keys()], []);
  });
});
