import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heard } from "../../src/core/engine.ts";
import type { BeatPlan } from "../../src/core/runtime.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { at, type CountingData } from "./fixtures/counting.ts";

const runtime = realRuntime();
const heardNothing: Heard = { now: 0, isLost: false, cancelled: [], notesVersion: 0, era: "e" };

/** A beat in a thread, and what came of it. */
class Beating {
  readonly counts: Int32Array = new Int32Array(new SharedArrayBuffer(16));
  readonly heard: Heard[] = [];
  readonly failed: Error[] = [];
  readonly plan: BeatPlan;
  loopBeats = 0;
  #changed: (() => void) | undefined;

  constructor(options: Partial<BeatPlan> = {}) {
    const data: CountingData = { words: this.counts.buffer as SharedArrayBuffer };
    this.plan = {
      process: "p1",
      leaseMs: 1_000,
      everyMs: 20,
      maxBlockMs: 60_000,
      source: { module: new URL("./fixtures/counting.ts", import.meta.url).href, data },
      beat: () => Promise.resolve({ ...heardNothing, now: ++this.loopBeats }),
      heard: (heard) => this.#note(this.heard, heard),
      failed: (error) => this.#note(this.failed, error),
      ...options,
    };
  }

  async until(isTrue: () => boolean): Promise<void> {
    const isOver = AbortSignal.timeout(5_000);
    while (!isTrue()) {
      isOver.throwIfAborted();
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  #note<T>(list: T[], value: T): void {
    list.push(value);
    this.#changed?.();
  }
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("a thread beats over a connection of its own, and what it hears arrives in order", async () => {
  const beating = new Beating();
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.heard.length >= 3);
  await beat.stop();
  assert.deepEqual(
    beating.heard.slice(0, 3).map((heard) => [heard.now, heard.cancelled, heard.notesVersion]),
    [
      [1, ["p1"], 1_000],
      [2, ["p1"], 1_000],
      [3, ["p1"], 1_000],
    ],
  );
  assert.deepEqual([beating.counts[at.openings], beating.counts[at.closings], beating.loopBeats], [1, 1, 0]);
});

test("a main loop that is blocked keeps its lease", async () => {
  const beating = new Beating();
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.heard.length >= 1);
  const before = Atomics.load(beating.counts, at.beats);
  block(400);
  assert.ok(Atomics.load(beating.counts, at.beats) >= before + 5);
  await beat.stop();
});

test("a main loop that is blocked for too long loses its lease, and beats again when it is back", async () => {
  const beating = new Beating({ maxBlockMs: 150 });
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.heard.length >= 1);
  block(400);
  const stopped = Atomics.load(beating.counts, at.beats);
  block(200);
  assert.equal(Atomics.load(beating.counts, at.beats), stopped);
  await beating.until(() => beating.heard.length > stopped);
  await beat.stop();
});

test("a beat that fails is told, with its code, and tried again over a new connection", async () => {
  const beating = new Beating();
  Atomics.store(beating.counts, at.order, 1);
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.failed.length >= 2);
  Atomics.store(beating.counts, at.order, 0);
  await beating.until(() => beating.heard.length >= 1);
  await beat.stop();
  const [error] = beating.failed as (Error & { code?: string })[];
  assert.deepEqual([error?.name, error?.message, error?.code], ["StoreError", "no store for p1", "store-failed"]);
  assert.equal(beating.counts[at.openings], beating.counts[at.closings]);
  assert.ok(beating.failed.length < (beating.counts[at.openings] ?? 0));
});

test("a beat without an answer within the lease has failed, and the next one asks over a new connection", async () => {
  const beating = new Beating({ leaseMs: 60 });
  Atomics.store(beating.counts, at.order, 2);
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.failed.length >= 1);
  Atomics.store(beating.counts, at.order, 0);
  await beating.until(() => beating.heard.length >= 1);
  await beat.stop();
  assert.match(beating.failed[0]?.message ?? "", /no answer to a heartbeat within 60 ms/);
});

test("when the thread is lost the main loop beats", async () => {
  const beating = new Beating();
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.heard.length >= 1);
  Atomics.store(beating.counts, at.order, 3);
  await beating.until(() => beating.failed.length >= 1);
  await beating.until(() => beating.loopBeats >= 2);
  await beat.stop();
  assert.match(beating.failed[0]?.message ?? "", /the main loop does: the thread .* ended with code 7/);
});

for (const [name, module] of [
  ["that is not there", "./nowhere.ts"],
  ["without openBeat", "./alone.ts"],
] as const) {
  test(`a beat module ${name} is told and asked for again`, async () => {
    const beating = new Beating({ source: { module: new URL(`./fixtures/${module}`, import.meta.url).href, data: {} } });
    const beat = runtime.startBeat(beating.plan);
    await beating.until(() => beating.failed.length >= 2);
    await beat.stop();
  });
}

test("data that no thread can take leaves the beat to the main loop", async () => {
  const beating = new Beating({ source: { module: "x", data: () => undefined } });
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.heard.length >= 1);
  await beat.stop();
  assert.equal(beating.failed.length, 1);
});

test("without a source the main loop beats, never two at a time, and not after stop", async () => {
  let running = 0;
  let most = 0;
  let beats = 0;
  const slow = async (): Promise<Heard> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 15));
    running--;
    beats++;
    return heardNothing;
  };
  const beating = new Beating({ source: undefined, everyMs: 5, beat: slow });
  const beat = runtime.startBeat(beating.plan);
  await beating.until(() => beating.heard.length >= 3);
  await beat.stop();
  const atStop = beats;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual([most, beats], [1, atStop]);
});
