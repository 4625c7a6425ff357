/** How many partitions a store has is settled when it is made: who opens it takes what stands there, or is refused; what was made in part is made whole. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { ErrandError } from "../../../src/core/errors.ts";
import { homesOf } from "../../../src/redis/spread/homes.ts";
import { job, leaseMs } from "../../port/stage.ts";
import { freshPlace } from "../places.ts";
import type { Place } from "../places.ts";
import { redisMissing } from "../server.ts";
import { opened } from "../stage.ts";

describe("a store of several partitions", { skip: redisMissing ?? false }, () => {
  it("is opened as it stands by who does not say how many", async () => {
    await using place = await made(3);
    await using open = await opened(place.url, { prefix: place.prefix });
    assert.deepEqual(await place.homes(), ["3", "3", "3"]);
    await open.engine.enqueue([{ works: Array.from({ length: 20 }, (_, nth) => ({ ...job(`a${nth}`), rememberMs: 1_000 })) }], {});
    assert.equal((await open.engine.count({})).length, 1);
  });

  for (const [stands, asked, says] of [
    [3, 2, /the store has 3 partitions, and was opened as one of 2;/],
    [3, 1, /the store has 3 partitions, and was opened as one of 1;/],
    [1, 3, /the store has one partition, and was opened as one of 3;/],
  ] as const) {
    it(`of ${stands} that is opened as one of ${asked} is refused, with both numbers and the way out, and stays as it is`, async () => {
      await using place = await made(stands);
      const before = await place.homes();
      for (const open of [
        () => opened(place.url, { prefix: place.prefix, partitions: asked }),
        () => opened(`${place.url}?partitions=${asked}`, { prefix: place.prefix }),
      ]) {
        await assert.rejects(
          open,
          (error) => ErrandError.is(error, "option-invalid") && says.test(error.message) && /leave \{ partitions \} out .* another prefix/.test(error.message),
        );
      }
      assert.deepEqual(await place.homes(), before);
    });
  }

  it("twenty of whom open it at once is made once, with one era", async () => {
    await using place = await made();
    const opens = await Promise.all(Array.from({ length: 20 }, () => opened(place.url, { prefix: place.prefix, partitions: 4 })));
    const eras = await Promise.all(opens.map(async ({ engine }) => (await engine.beat("p", leaseMs, {})).era));
    assert.equal(new Set(eras).size, 1);
    for (const { engine } of opens) await engine.close();
  });

  it("that was made in part, since its maker died, is made whole by the next one, who need not know how many there were to be", async () => {
    await using place = await made(4);
    const era = await place.era();
    for (const home of [1, 3]) await place.empty(home);
    await using open = await opened(place.url, { prefix: place.prefix });
    assert.deepEqual(await place.homes(), ["4", "4", "4", "4"]);
    assert.notEqual((await open.engine.beat("p", leaseMs, {})).era, era);
  });

  it("whose first was emptied is opened as it was by who does not say how many there are, and all begin another era", async () => {
    for (const count of [2, 3, 64]) {
      await using place = await made(count);
      const era = await place.era();
      await place.empty(0);
      await using open = await opened(place.url, { prefix: place.prefix });
      assert.deepEqual(new Set(await place.homes()), new Set([String(count)]));
      assert.notEqual((await open.engine.beat("p", leaseMs, {})).era, era);
    }
  });

  it("that was emptied while it was open is made again with as many", async () => {
    await using place = await made(3);
    await using open = await opened(place.url, { prefix: place.prefix });
    const { era } = await open.engine.beat("p", leaseMs, {});
    for (const home of [0, 1, 2]) await place.empty(home);
    await open.engine.enqueue([{ works: [job("a")] }], {});
    assert.notEqual((await open.engine.beat("p", leaseMs, {})).era, era);
    assert.deepEqual(await place.homes(), ["3", "3", "3"]);
  });

  it("gives fences that tell whose they are", async () => {
    await using place = await made(3);
    await using open = await opened(place.url, { prefix: place.prefix });
    const homes = new Set<number>();
    for (let nth = 0; nth < 12; nth += 1) {
      const answer = await open.engine.lock({ name: `l${nth}`, mode: "write", process: "p", ticket: `t${nth}`, leaseMs, lastFence: 0 }, {});
      if (answer.is === "granted") homes.add(answer.fence % 64);
    }
    assert.deepEqual([...homes].toSorted(), [0, 1, 2]);
  });
});

interface Made extends Place, AsyncDisposable {
  /** How many each home knows of, as far as they are there. */
  homes(): Promise<readonly (string | null)[]>;
  empty(home: number): Promise<void>;
  era(): Promise<string>;
}

/** A store that was opened with so many partitions, and closed; or none. */
async function made(count?: number): Promise<Made> {
  const place = await freshPlace();
  const client = new Redis(place.url);
  const names = homesOf(place.prefix, count ?? 1);
  const open = async (): Promise<string> => {
    await using one = await opened(place.url, { prefix: place.prefix, ...(count !== undefined && { partitions: count }) });
    return (await one.engine.beat("p", leaseMs, {})).era;
  };
  if (count !== undefined) await open();
  return {
    ...place,
    homes: () => Promise.all(names.map((name) => client.hget(`${name}:m`, "homes"))),
    empty: async (home) => void (await client.unlink(...(await client.keys(`${names[home]}:*`)))),
    era: open,
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await place.done();
    },
  };
}
