/** A server that stood still for longer than a lease, and then answers first who looks for dead workers: nobody could beat meanwhile, so nobody is taken for dead. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { job } from "../port/stage.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer } from "./server.ts";
import { opened } from "./stage.ts";

const leaseMs = 1_000;

for (const [says, isNamed, takenBack] of [
  ["takes nobody's jobs who names the time at which it asks", true, 0],
  ["would take those of the living, did it not", false, 1],
] as const) {
  it(`a call that waited for a server that stood still ${says}`, { skip: noServer ?? false }, async () => {
    await using server = await PrivateServer.start();
    await using living = await opened(server.url);
    await using asking = await opened(server.url);
    await living.engine.enqueue([{ works: [job("a")] }], {});
    const queues = [{ queue: "mail", slots: 1, ahead: 0 }];
    const { jobs } = await living.engine.claim({ process: "p", leaseMs, claim: "c", lastFence: 0, queues, tasks: ["send"], alone: "no", settling: [] }, {});
    assert.equal(jobs.length, 1);
    const { now } = await asking.engine.tidy({ items: 100, mayExpire: false }, {});
    const paused = server.pause();
    const passed = asking.engine.tidy({ items: 100, mayExpire: true, ...(isNamed && { expireUntil: now }) }, {});
    await sleep(2 * leaseMs);
    paused.resume();
    assert.equal((await passed).takenBack, takenBack);
    assert.equal((await living.engine.beat("p", leaseMs, {})).isLost, takenBack > 0);
  });
}
