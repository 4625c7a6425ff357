/** A partition that is emptied, or goes back in time, while jobs are on their way through several: none of those that the others keep waits for ever, and every key is free in the end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import type { Engine, NewJob } from "../../../src/core/engine.ts";
import { homesOf } from "../../../src/redis/spread/homes.ts";
import { job, leaseMs } from "../../port/stage.ts";
import { freshPlace } from "../places.ts";
import { redisMissing } from "../server.ts";
import { opened } from "../stage.ts";

const jobsCount = 60;
const liveStates = ["scheduled", "blocked", "ready", "running"];
let claims = 0;

describe("a partition that", { skip: redisMissing ?? false }, () => {
  for (const [lost, how] of [0, 1, 2].flatMap((home) => [[home, "emptied"] as const, [home, "brought back"] as const])) {
    it(`was ${how} (${lost}) takes with it what it had; what others keep goes on, and ends; no key stays held`, async () => {
      const place = await freshPlace();
      {
        await using open = await opened(place.url, { prefix: place.prefix, partitions: 3 });
        const { engine } = open;
        const home = homesOf(place.prefix, 3)[lost] ?? "";
        const client = new Redis(place.url);
        await engine.enqueue([{ works: works("a") }], {});
        await end(engine, 10);
        const { era } = await engine.beat("p", leaseMs, {});
        const dumps = how === "emptied" ? [] : await dumped(client, home);
        if (how !== "emptied") await end(engine, 15);
        await client.unlink(...(await client.keys(`${home}:*`)));
        for (const [key, dump] of dumps) await client.restore(key, 0, dump);
        if (how !== "emptied") await client.hset(`${home}:m`, "history", "another another");
        client.disconnect();
        assert.notEqual((await engine.beat("p", leaseMs, {})).era, era);
        await engine.enqueue([{ works: works("b") }], {});
        await endAll(engine);
        const { rows } = await engine.find({ of: "jobs", ids: [...works("a"), ...works("b")].map(({ id }) => id) }, {});
        assert.deepEqual(
          rows.filter(({ state }) => state !== "completed").map(({ id, state }) => `${id} ${state}`),
          [],
        );
        assert.ok(rows.length > jobsCount);
        const [fresh] = await engine.enqueue([{ works: works("c") }], {});
        assert.ok(Array.isArray(fresh) && fresh.every(({ isDuplicate }) => !isDuplicate));
        await endAll(engine);
        assert.deepEqual(
          (await engine.count({})).filter(({ state, jobs }) => liveStates.includes(state) && jobs > 0),
          [],
        );
      }
      await place.done();
    });
  }
});

async function dumped(client: Redis, home: string): Promise<readonly (readonly [key: string, dump: Buffer])[]> {
  const keys = await client.keys(`${home}:*`);
  return Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
}

/** Each has a unique key, a lane and a limit, mostly of different partitions. */
function works(name: string): NewJob[] {
  return Array.from({ length: jobsCount }, (_, nth) =>
    job(`${name}${nth}`, {
      unique: { key: `send["u${nth}"]`, mode: { is: "keep" } },
      lane: { key: `send["l${nth % 20}"]`, width: 1, ifDead: "continue" },
      keyLimits: [{ key: `send["k${nth % 7}"]`, is: { running: 5 } }],
    }),
  );
}

/** So many, at most. Answers how many. */
async function end(engine: Engine, slots: number): Promise<number> {
  const claim = `c${(claims += 1)}`;
  const wanted = {
    process: "p2",
    leaseMs,
    claim,
    lastFence: 0,
    queues: [{ queue: "mail", slots, ahead: 0 }],
    tasks: ["send"],
    alone: "no" as const,
    settling: [],
  };
  const { jobs, fence } = await engine.claim(wanted, {});
  await engine.settle(
    jobs.map(({ id, fence: own = fence }) => ({ id, claim, fence: own, is: "completed" as const, ranMs: 1 })),
    {},
  );
  return jobs.length;
}

async function endAll(engine: Engine): Promise<void> {
  for (let isOver = false; !isOver;) {
    const { hasMore } = await engine.tidy({ items: 100, mayExpire: false }, {});
    isOver = (await end(engine, 25)) === 0 && !hasMore;
  }
}
