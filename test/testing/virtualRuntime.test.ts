import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const hour = 3_600_000;

test("time moves only when told to, for the process, the store and the measuring clock alike", async () => {
  const clock = new VirtualRuntime({ start: 1_000 });
  await clock.settle();
  assert.deepEqual([clock.now(), clock.storeTime(), clock.monotonic()], [1_000, 1_000, 0]);
  await clock.advance(24 * hour);
  assert.deepEqual([clock.now(), clock.storeTime(), clock.monotonic()], [1_000 + 24 * hour, 1_000 + 24 * hour, 24 * hour]);
});

test("timers fire at their own instant, in order of time and then of making, also those made on the way", async () => {
  const clock = new VirtualRuntime({ start: 0 });
  const fired: string[] = [];
  const note = (name: string) => (): void => void fired.push(`${name}@${clock.now()}`);
  clock.after(20, note("c"));
  clock.after(10, note("a"));
  clock.after(10, note("b"));
  clock.after(10.2, note("never early"));
  clock.after(5, () => clock.after(2, note("nested")));
  const cancelled = clock.after(10, note("cancelled"));
  clock.after(0, () => cancelled.cancel());
  clock.after(21, note("later"));
  await clock.advance(20);
  assert.deepEqual(fired, ["nested@7", "a@10", "b@10", "never early@11", "c@20"]);
  assert.equal(clock.now(), 20);
});

test("a thousand timers made in any order fire in order, and cancelled ones do not", async () => {
  const clock = new VirtualRuntime({ seed: 7 });
  const fired: number[] = [];
  const made = Array.from({ length: 1_000 }, () => Math.ceil(clock.random() * 100));
  const timers = made.map((ms) => clock.after(ms, () => fired.push(ms)));
  for (const [index, timer] of timers.entries()) if (index % 3 === 0) timer.cancel();
  await clock.advance(100);
  assert.deepEqual(
    fired,
    made.filter((_, index) => index % 3 !== 0).toSorted((a, b) => a - b),
  );
});

test("between two timers all that needs no time has happened", async () => {
  const clock = new VirtualRuntime({ start: 0 });
  const seen: string[] = [];
  clock.after(10, () => {
    clock.soon(() => void work());
  });
  const work = async (): Promise<void> => {
    await Promise.resolve();
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    clock.soon(() => void seen.push(`work@${clock.now()}`));
  };
  clock.after(11, () => void seen.push(`next@${clock.now()}`));
  await clock.advance(20);
  assert.deepEqual(seen, ["work@10", "next@11"]);
});

test("what is to be awaited at rest can be given, for work the clock cannot see", async () => {
  const clock = new VirtualRuntime({ start: 0 });
  let reading: Promise<unknown> | undefined;
  const seen: number[] = [];
  clock.after(10, () => {
    reading = readFile(new URL(import.meta.url)).then(() => seen.push(clock.now()));
  });
  clock.after(11, () => undefined);
  await clock.advance(hour, async () => {
    await clock.settle();
    await reading;
  });
  assert.deepEqual(seen, [10]);
});

test("the same seed gives the same numbers and ids, another seed others", () => {
  const draw = (seed: number): unknown[] => {
    const clock = new VirtualRuntime({ seed });
    return [clock.random(), clock.random(), clock.id(), clock.id()];
  };
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  for (const number of draw(5).slice(0, 2)) assert.ok((number as number) >= 0 && (number as number) < 1);
});

test("ids are 128 bits, and in the order of making across time", async () => {
  const clock = new VirtualRuntime();
  const ids: string[] = [];
  for (let step = 0; step < 5; step++) {
    for (let i = 0; i < 5_000; i++) ids.push(clock.id());
    await clock.advance(1);
  }
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => /^[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/.test(id)));
});

test("a beat is a task under the clock: at once, then at its pace, sooner after a failure, and not after stop", async () => {
  const clock = new VirtualRuntime({ start: 0 });
  const beats: number[] = [];
  const failed: string[] = [];
  const heard = { now: 0, isLost: false, cancelled: [], notesVersion: 0, era: "e" };
  const beat = clock.startBeat({
    process: "p",
    leaseMs: 8_000,
    everyMs: 2_000,
    maxBlockMs: 90_000,
    source: undefined,
    beat: async () => {
      beats.push(clock.now());
      if (beats.length === 3) throw new Error("no store");
      return heard;
    },
    heard: () => undefined,
    failed: (error) => void failed.push(error.message),
  });
  await clock.advance(7_000);
  await beat.stop();
  await clock.advance(7_000);
  assert.deepEqual([beats, failed], [[1, 2_001, 4_001, 4_501, 6_501], ["no store"]]);
});

test("a timer runs in the asynchronous context that asked for it", async () => {
  const clock = new VirtualRuntime();
  const job = new AsyncLocalStorage<string>();
  let seen: string | undefined;
  job.run("job-1", () => clock.after(5, () => (seen = job.getStore())));
  await job.run("the test", () => clock.advance(5));
  assert.equal(seen, "job-1");
});

test("what is logged is kept with its time", async () => {
  const clock = new VirtualRuntime({ start: 0 });
  clock.log.debug({ job: "1" }, "attempting");
  await clock.advance(5);
  clock.log.warn({}, "late");
  assert.deepEqual(clock.log.entries, [
    { at: 0, level: "debug", details: { job: "1" }, message: "attempting" },
    { at: 5, level: "warn", details: {}, message: "late" },
  ]);
});
