import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Shop } from "./shop.ts";

interface Told {
  readonly locks: readonly {
    readonly name: string;
    readonly mode: string;
    readonly holders: readonly { readonly mode: string; readonly fence: number }[];
    readonly waiting: number;
  }[];
}

describe("errand locks", { concurrency: 4 }, () => {
  it("lists who holds which lock, under which fence, and how many wait", async () => {
    await using shop = new Shop();
    const held = await shop.work.lock("catalogue", { for: "1m" });
    const readers = await Promise.all([1, 2].map(() => shop.work.lock("prices", { for: "1m", mode: "read" })));
    const waiting = shop.work.lock("catalogue", { for: "1m" }).catch(() => undefined); // ends with its broker
    await shop.until("it waits", async () => (await shop.json<Told>("locks", "catalogue")).locks[0]?.waiting === 1);
    const { locks } = await shop.json<Told>("locks");
    assert.deepEqual(
      locks.map(({ name, mode, holders, waiting: line }) => [name, mode, holders.map(({ fence }) => fence), line]),
      [
        ["catalogue", "write", [held.fence], 1],
        ["prices", "read", readers.map(({ fence }) => fence), 0],
      ],
    );
    const { code, out } = await shop.errand("locks");
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual([code, rows[0], rows.length], [0, ["lock", "mode", "held by", "fence", "waiting"], 4]);
    assert.deepEqual([rows[1]?.[0], rows[1]?.[3], rows[1]?.[4]], ["catalogue", String(held.fence), "1"]);
    await held.release();
    await (await waiting)?.release();
  });

  it("ends with 3 where there is none, or none of that name", async () => {
    await using shop = new Shop();
    await shop.work.open();
    assert.deepEqual(await shop.errand("locks"), { code: 3, out: "", err: "no locks: nobody holds one or waits for one\n" });
    assert.deepEqual(await shop.errand("locks", "till"), { code: 3, out: "", err: "nobody holds lock till or waits for it\n" });
    assert.equal((await shop.errand("locks", "a", "b")).code, 2);
  });
});
