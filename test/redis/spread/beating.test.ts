/** The thread that beats keeps what a process holds in all partitions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { openBeat } from "../../../src/redis/beatConnection.ts";
import { homesOf } from "../../../src/redis/spread/homes.ts";
import { job, leaseMs } from "../../port/stage.ts";
import { freshPlace } from "../places.ts";
import { redisMissing } from "../server.ts";
import { opened } from "../stage.ts";

const count = 3;
const longMs = 600_000;
const jobs = 30;

describe("a thread that beats over several partitions", { skip: redisMissing ?? false }, () => {
  it("renews the lease of its process in each, and hears of what is to be cancelled in any", async () => {
    const place = await freshPlace();
    await using open = await opened(place.url, { prefix: place.prefix, partitions: count });
    const { engine } = open;
    await engine.enqueue(
      Array.from({ length: jobs }, (_, nth) => ({ works: [job(`j${nth}`)] })),
      {},
    );
    const queues = [{ queue: "mail", slots: jobs, ahead: 0 }];
    const claimed = await engine.claim({ process: "p", leaseMs, claim: "c", lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, {});
    assert.equal(claimed.jobs.length, jobs);
    assert.equal(new Set(claimed.jobs.map(({ fence }) => fence)).size, count);
    const ids = claimed.jobs.map(({ id }) => id);
    await engine.change({ ids }, { do: "cancel", reason: "no need" }, jobs, {});
    const thread = openBeat(structuredClone(engine.beatSource?.().data));
    const heard = await thread.beat("p", longMs);
    assert.equal(heard.isLost, false);
    assert.deepEqual(heard.cancelled.toSorted(), ids.toSorted());
    assert.equal(heard.era, (await engine.beat("q", leaseMs, {})).era);
    const { rows, now } = await engine.find({ of: "jobs", ids }, {});
    for (const { claim } of rows) assert.ok((claim?.leaseUntil ?? 0) > now + longMs / 2);
    await thread.close();
    await engine.close();
    await place.done();
  });

  it("finds that a partition was emptied, and brings all into one era", async () => {
    const place = await freshPlace();
    await using open = await opened(place.url, { prefix: place.prefix, partitions: count });
    const thread = openBeat(structuredClone(open.engine.beatSource?.().data));
    const { era } = await thread.beat("p", leaseMs);
    const client = new Redis(place.url);
    const [, lost = ""] = homesOf(place.prefix, count);
    const keys = await client.keys(`${lost}:*`);
    await client.unlink(...keys);
    client.disconnect();
    const heard = await thread.beat("p", leaseMs);
    assert.notEqual(heard.era, era);
    assert.equal((await open.engine.beat("q", leaseMs, {})).era, heard.era);
    await thread.close();
    await open.engine.close();
    await place.done();
  });
});
