/** Where one home of a store has lost something, all begin another era: once, whoever notices; what lay about arrives, and what was lost is told again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rebirthScript } from "../../../src/redis/rebirth.ts";
import { redisMissing } from "../server.ts";
import { Homes } from "./stage.ts";

const pass = { items: 100, mayExpire: false };

describe("a store of three homes", { skip: redisMissing ?? false }, () => {
  it("has one era, whoever asks, from its making on", async () => {
    await using homes = await Homes.of(3);
    const eras = new Set(await Promise.all(Array.from({ length: 10 }, () => homes.era())));
    assert.equal(eras.size, 1);
    assert.deepEqual(new Set(await homes.told()), eras);
  });

  for (const [what, lost] of [
    ["the first", [0]],
    ["another", [2]],
    ["two of them", [0, 1]],
    ["all of them", [0, 1, 2]],
  ] as const) {
    it(`of which ${what} was emptied begins another era, once, though twenty notice it at the same time`, async () => {
      await using homes = await Homes.of(3);
      const era = await homes.era();
      for (const home of lost) await homes.empty(home);
      const eras = new Set(await Promise.all(Array.from({ length: 20 }, () => homes.era())));
      const [second = ""] = await homes.told();
      assert.deepEqual([...new Set(await homes.told())], [second]);
      assert.notEqual(second, era);
      assert.ok(eras.has(second) && !eras.has(era));
      assert.deepEqual(await Promise.all([0, 1, 2].map((home) => homes.places(home))), [
        ["3", "0"],
        ["3", "1"],
        ["3", "2"],
      ]);
    });
  }

  it("goes on with an era that somebody began and did not bring to its end", async () => {
    await using homes = await Homes.of(3);
    await homes.empty(1);
    await assert.rejects(
      homes.eraBy((home, number) => ({ call: (...call) => (number === 2 && isRebirth(call) ? Promise.reject(new Error("dead")) : home.call(...call)) })),
    );
    const begun = (await homes.told())[0];
    assert.equal(await homes.era(), begun);
    assert.deepEqual(await homes.told(), [begun, begun, begun]);
  });

  it("carries nothing from and to a home that has lost something, until all know; then all that lay about", async () => {
    await using homes = await Homes.of(3);
    const carrier = homes.carrier();
    await homes.send(0, 1, "a", 3);
    await homes.send(1, 0, "b", 2);
    await homes.empty(0);
    await homes.send(0, 1, "a");
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const)
      await carrier.carry(from, [to], {});
    assert.deepEqual([await homes.writtenAt(1), await homes.writtenAt(0)], [0, 0]);
    await homes.era();
    await carrier.carry(0, [1], {});
    await carrier.carry(1, [0], {});
    await carrier.close();
    assert.deepEqual([await homes.writtenAt(1), await homes.writtenAt(0)], [1, 2]);
    assert.deepEqual([await homes.lying(0, 1), await homes.lying(1, 0)], [0, 0]);
  });

  it("one of which went back in time: what it sends from then on is taken once, though it was given the numbers of what was taken before", async () => {
    await using homes = await Homes.of(3);
    const carrier = homes.carrier();
    await homes.send(0, 1, "a", 3);
    await carrier.carry(0, [1], {});
    await carrier.close();
    const back = await homes.snapshot(0);
    await homes.send(0, 1, "a", 5);
    await carrier.carry(0, [1], {});
    await carrier.close();
    await back();
    await homes.send(0, 1, "a", 7);
    assert.equal(await homes.writtenAt(1), 8);
    await carrier.carry(0, [1], {});
    await homes.era();
    const others = [homes.carrier(), homes.carrier(), carrier];
    await Promise.all(others.map((one) => one.carry(0, [1], {})));
    await Promise.all(others.map((one) => one.close()));
    assert.deepEqual([await homes.writtenAt(1), await homes.noteAt(1, "a"), await homes.lying(0, 1)], [15, homes.sent, 0]);
  });

  it("takes again nothing that was taken, between two homes that lost nothing, nor by an era that begins twice", async () => {
    await using homes = await Homes.of(3);
    await homes.send(1, 2, "a", 4);
    const dying = homes.carrier((home) => ({ call: (...call) => ("isLast" in call[2] ? Promise.reject(new Error("dead")) : home.call(...call)) }));
    await dying.carry(1, [2], {});
    await dying.close();
    assert.equal(await homes.lying(1, 2), 4);
    for (let again = 0; again < 2; again += 1) {
      await homes.empty(0);
      await homes.era();
      await homes.carrier().carry(1, [2], {});
      assert.equal(await homes.writtenAt(2), 4);
    }
  });

  it("takes again nothing of a home that lost something before, by an era of somebody who saw it then", async () => {
    await using homes = await Homes.of(3);
    await homes.empty(2);
    const seen = await homes.told();
    await homes.era();
    await homes.send(2, 0, "a", 4);
    const dying = homes.carrier((home) => ({ call: (...call) => ("isLast" in call[2] ? Promise.reject(new Error("dead")) : home.call(...call)) }));
    await dying.carry(2, [0], {});
    await dying.close();
    const late = { number: 3, era: "late", lost: [{ home: 2, era: seen[2] }] };
    for (const verbs of homes.verbs) await verbs.call(rebirthScript, "write", late, {});
    await homes.carrier().carry(2, [0], {});
    assert.deepEqual([await homes.told(), await homes.writtenAt(0)], [["late", "late", "late"], 4]);
  });

  it("tells all homes the notes again that the first one has, and those that it has not are gone", async () => {
    await using homes = await Homes.of(3);
    const verbs = homes.listening(0, () => undefined);
    const carry = (): Promise<unknown> => homes.carrier().carry(0, [1, 2], {});
    const keys = Array.from({ length: 250 }, (_, nth) => `n${String(nth).padStart(3, "0")}`);
    await verbs.enqueue(
      keys.map((key) => ({ works: [], notes: [{ key, value: '"old"' }] })),
      {},
    );
    await carry();
    const back = await homes.snapshot(0);
    await verbs.enqueue(
      [
        {
          works: [],
          notes: [
            { key: "n007", value: '"new"' },
            { key: "n100", value: undefined },
            { key: "later", value: "1" },
          ],
        },
      ],
      {},
    );
    await carry();
    await back();
    await homes.era();
    await homes.empty(2);
    await homes.era();
    for (let hasMore = true; hasMore;) ({ hasMore } = await verbs.tidy(pass, {}));
    await carry();
    for (const home of [1, 2]) assert.deepEqual(await homes.notesAt(home), await homes.notesAt(0));
    assert.equal((await homes.notesAt(0)).length, 250);
    assert.equal((await verbs.tidy(pass, {})).hasMore, false);
  });
});

function isRebirth([{ verb }]: readonly [{ readonly verb: string }, ...unknown[]]): boolean {
  return verb === "rebirth";
}
