/** A long loop through a deploy and a crash of real processes: it goes on where it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { looping } from "./definitions.ts";
import { Fleet, now } from "./fleet.ts";

test("a loop goes on behind its last item after SIGTERM, and a second's worth behind after SIGKILL; no item is left out", async () => {
  await using fleet = new Fleet();
  const count = 300;
  const first = await fleet.worker();
  const { id } = await fleet.work.enqueue(looping.with({ count, ms: 20 }));
  const done = (): number[] => fleet.lines().flatMap(({ is, n }) => (is === "end" ? [n] : []));
  await fleet.until("fifty are done", () => done().length >= 50, 20);

  const stopping = now();
  await fleet.end(first, "SIGTERM");
  assert.ok(now() - stopping < 2_000, `the stop took ${now() - stopping} ms, of a grace of 2 s`);
  const handedBack = await fleet.work.find(id);
  assert.deepEqual([handedBack?.state, handedBack?.attempts, handedBack?.starts], ["ready", 0, 0]);
  const atStop = done();
  assert.deepEqual(atStop, [...new Set(atStop)]);

  const second = await fleet.worker();
  await fleet.until("a hundred and fifty are done", () => done().length >= 150, 20);
  assert.equal(done()[atStop.length], atStop.length, "the first item of the second run");
  await fleet.end(second, "SIGKILL");
  const atKill = done().length;

  await fleet.worker();
  await fleet.until("completed", async () => (await fleet.work.find(id))?.state === "completed", 40);
  const all = done();
  assert.deepEqual(
    [...new Set(all)].toSorted((a, b) => a - b),
    Array.from({ length: count }, (_, n) => n),
  );
  const repeated = all.length - count;
  assert.ok(repeated <= 100, `${repeated} items were done twice after the kill at ${atKill}`);
  const job = await fleet.work.find(id);
  assert.deepEqual([job?.attempts, job?.suspects], [1, 0]);
});
