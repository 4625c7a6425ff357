/** What homes tell each other arrives: each message once, in the order of its sending, whoever carries it and wherever he dies. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { outScript, takeScript } from "../../../src/redis/mail.ts";
import type { Mailing } from "../../../src/redis/spread/carrier.ts";
import { redisMissing } from "../server.ts";
import { Homes } from "./stage.ts";

const many = 1_203;

describe("what one home tells another", { skip: redisMissing ?? false }, () => {
  it("is taken there in its order, and lies nowhere any more", async () => {
    await using homes = await Homes.of(2);
    await homes.send(0, 1, "a", many);
    assert.equal(await homes.lying(0, 1), many);
    await homes.carrier().carry(0, [1], {});
    assert.deepEqual([await homes.noteAt(1, "a"), await homes.writtenAt(1), await homes.noteAt(0, "a")], [many, many, 0]);
    await homes.send(0, 1, "a");
    const carrier = homes.carrier();
    await carrier.carry(0, [1], {});
    await carrier.close();
    assert.deepEqual([await homes.noteAt(1, "a"), await homes.lying(0, 1)], [many + 1, 0]);
  });

  it("is taken once, though eight carry it at the same time, between three homes and both ways, while more comes", async () => {
    await using homes = await Homes.of(3);
    const carriers = Array.from({ length: 8 }, () => homes.carrier());
    const sends = Array.from({ length: 40 }, async (_, nth) => {
      const [from, to] = [nth % 3, (nth + 1 + (nth % 2)) % 3];
      await homes.send(from, to, `${from}-${to}`, 1 + (nth % 7));
      await Promise.all(carriers.map((carrier) => carrier.carry(from, [to], {})));
    });
    await Promise.all(sends);
    await Promise.all(carriers.map((carrier) => carrier.close()));
    const written = await Promise.all([0, 1, 2].map((home) => homes.writtenAt(home)));
    assert.equal(
      written.reduce((sum, one) => sum + one),
      homes.sent,
    );
    for (const from of [0, 1, 2]) for (const to of [0, 1, 2]) assert.equal(await homes.lying(from, to), 0);
    assert.deepEqual(homes.runtime.said, []);
  });

  it("is there when a carry that began after it was written has ended, though another one is under way", async () => {
    await using homes = await Homes.of(2);
    const carrier = homes.carrier();
    await Promise.all(
      Array.from({ length: 30 }, async (_, nth) => {
        await homes.send(0, 1, `${nth}`);
        await carrier.carry(0, [1], {});
        assert.ok((await homes.noteAt(1, `${nth}`)) > 0);
      }),
    );
    await carrier.close();
  });

  for (const [where, dies] of [
    ["before it is taken", (main, call) => (main === takeScript ? Promise.reject(new Error("dead")) : call())],
    ["after it was taken, and before anybody knows", async (main, call) => (await call(), main === takeScript ? Promise.reject(new Error("dead")) : call())],
    ["before it is dropped", (main, call, asked) => (main === outScript && "isLast" in asked ? Promise.reject(new Error("dead")) : call())],
  ] satisfies readonly (readonly [string, Dies])[]) {
    it(`arrives once though its carrier dies ${where}`, async () => {
      await using homes = await Homes.of(2);
      await homes.send(0, 1, "a", 5);
      const dying = homes.carrier((home) => dyingOne(home, dies));
      await dying.carry(0, [1], {});
      await dying.close();
      assert.equal(homes.runtime.of("warn").length, 1);
      await homes.send(0, 1, "a", 2);
      const carrier = homes.carrier();
      await carrier.carry(0, [1], {});
      await carrier.close();
      assert.deepEqual([await homes.noteAt(1, "a"), await homes.writtenAt(1), await homes.lying(0, 1)], [7, 7, 0]);
    });
  }

  it("keeps nobody waiting for a home that cannot be reached, but the first one; it is tried again, and arrives with what that causes", async () => {
    await using homes = await Homes.of(2);
    const gate = Promise.withResolvers<undefined>();
    let tries = 0;
    const carrier = homes.carrier((home, number) => ({
      call: async (...call) => {
        if (number === 1 && (tries += 1) < 3) {
          if (tries === 2) await gate.promise;
          throw new Error("away");
        }
        return home.call(...call);
      },
    }));
    await homes.send(0, 1, "a");
    await Promise.all(Array.from({ length: 5 }, () => carrier.carry(0, [1], {})));
    for (let nth = 0; nth < 5; nth += 1) await carrier.carry(0, [1], {});
    assert.deepEqual([tries, homes.runtime.of("warn").length], [1, 1]);
    while (tries < 2) await Promise.all([carrier.carry(0, [1], {}), homes.noteAt(1, "a")]);
    await carrier.carry(0, [1], {});
    assert.equal(tries, 2);
    gate.resolve(undefined);
    while ((await homes.noteAt(1, "a")) === 0) await carrier.carry(0, [1], {});
    await carrier.close();
    await homes.send(0, 1, "a");
    await carrier.carry(0, [1], {});
    assert.deepEqual([await homes.writtenAt(1), homes.runtime.of("warn").length], [2, 1]);
    await carrier.close();
  });

  it("stays, with all behind it, where it is of a kind that is not known, and what came before it is taken", async () => {
    await using homes = await Homes.of(2);
    await homes.send(0, 1, "a", 3);
    await homes.client.hset(`${homes.names[0]}:out:1`, "2", '1 1 {"is":"newer"}');
    const carrier = homes.carrier();
    await carrier.carry(0, [1], {});
    await carrier.close();
    assert.deepEqual([await homes.noteAt(1, "a"), await homes.lying(0, 1)], [1, 2]);
    assert.match(JSON.stringify(homes.runtime.said), /cannot be carried now/);
  });

  it("of an era that is over is not taken, and what was taken then takes nothing away now", async () => {
    await using homes = await Homes.of(2);
    await homes.send(0, 1, "a", 3);
    await homes.client.hset(`${homes.names[1]}:m`, "number", "2");
    await homes.carrier().carry(0, [1], {});
    assert.deepEqual([await homes.writtenAt(1), await homes.lying(0, 1)], [0, 3]);
    await homes.client.hset(`${homes.names[0]}:m`, "number", "2");
    await homes.verbs[0]?.call(outScript, "run", { to: 1, number: 1, upTo: 2, isLast: true }, {});
    assert.equal(await homes.lying(0, 1), 3);
    const carrier = homes.carrier();
    await carrier.carry(0, [1], {});
    await carrier.close();
    assert.deepEqual([await homes.writtenAt(1), await homes.lying(0, 1)], [3, 0]);
  });

  it("is told by every verb that wrote it, and by a tidy while it lies about", async () => {
    await using homes = await Homes.of(3);
    const told: unknown[] = [];
    const verbs = homes.listening(0, (to) => void told.push(to.toSorted()));
    await verbs.enqueue([{ works: [], notes: [{ key: "a", value: "1" }] }], {});
    await verbs.tidy({ items: 10, mayExpire: false }, {});
    await homes.carrier().carry(0, [1, 2], {});
    await verbs.tidy({ items: 10, mayExpire: false }, {});
    assert.deepEqual(told, [
      [1, 2],
      [1, 2],
    ]);
    assert.deepEqual([await homes.noteAt(1, "a"), await homes.noteAt(2, "a")], [1, 1]);
  });
});

type Dies = (main: unknown, call: () => Promise<readonly unknown[]>, asked: object) => Promise<readonly unknown[]>;

function dyingOne(home: Mailing, dies: Dies): Mailing {
  return { call: (main, how, asked, at, texts) => dies(main, () => home.call(main, how, asked, at, texts), asked) };
}
