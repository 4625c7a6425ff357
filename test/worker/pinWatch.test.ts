/** What a worker tells an operator of: each holder of dead rows once, with the cure, and what was set aside. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pinnedAfterMs, pinsLookEveryMs } from "../../src/core/defaults.ts";
import type { Pin } from "../../src/core/engine.ts";
import { PinWatch, type PinWatchParts } from "../../src/core/worker/pinWatch.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const held: Pin = {
  key: "session 7",
  by: "session",
  transactions: 7,
  what: "session 7 holds a snapshot",
  details: { pid: 7 },
  ageMs: 600_000,
  repair: "end it",
};

function watchOf(engine: PinWatchParts["engine"]): { readonly watch: PinWatch; readonly runtime: VirtualRuntime; readonly said: () => readonly unknown[] } {
  const runtime = new VirtualRuntime();
  const said = (): readonly unknown[] => runtime.log.entries.map(({ level, message, details }) => [level, message.split(/[:,] /)[0], details]);
  return { watch: new PinWatch({ engine, runtime, log: runtime.log }), runtime, said };
}

test("a holder is told once, with the cure, and again when it has gone", async () => {
  let pins: readonly Pin[] = [held];
  const { watch, runtime, said } = watchOf({ pins: () => Promise.resolve(pins) });
  await watch.look();
  await watch.look();
  assert.match(runtime.log.entries[0]?.message ?? "", /; if it is not wanted: end it$/);
  pins = [];
  await watch.look();
  assert.deepEqual(said(), [
    ["warn", "session 7 holds a snapshot", { pid: 7 }],
    ["info", "what kept the store from taking away dead rows has ended", { pid: 7 }],
  ]);
});

test("one whose age the store does not know is told when it was seen for as long, and one that goes before is never told", async () => {
  const { repair: _repair, ...rest } = held;
  const unknown: Pin = { ...rest, ageMs: undefined };
  let pins: readonly Pin[] = [unknown, { ...unknown, key: "brief" }];
  const { watch, runtime } = watchOf({ pins: () => Promise.resolve(pins) });
  await watch.look();
  pins = [unknown];
  await runtime.advance(pinnedAfterMs - 1);
  await watch.look();
  assert.equal(runtime.log.entries.length, 0);
  await runtime.advance(1);
  await watch.look();
  assert.deepEqual(
    runtime.log.entries.map(({ message }) => message.endsWith("slower")),
    [true],
  );
});

test("what was set aside is told whenever there is more of it", async () => {
  let setAside = 2;
  const { watch, said } = watchOf({ setAside: () => Promise.resolve(setAside) });
  await watch.look();
  await watch.look();
  setAside = 1;
  await watch.look();
  setAside = 2;
  await watch.look();
  const error = ["error", "what transactions handed in could not be taken in", { setAside: 2 }];
  assert.deepEqual(said(), [error, error]);
});

test("it looks now and then for as long as it is not stopped, also where the store does not answer", async () => {
  let looks = 0;
  const { watch, runtime } = watchOf({ pins: () => (looks++, Promise.reject(new Error("away"))) });
  watch.start();
  await runtime.advance(5 * pinsLookEveryMs);
  assert.ok(looks >= 3, `${looks} looks`);
  assert.deepEqual([...new Set(runtime.log.entries.map(({ level }) => level))], ["debug"]);
  await watch.stop();
  const before = looks;
  await runtime.advance(5 * pinsLookEveryMs);
  assert.equal(looks, before);
});

test("on an engine that has no such thing it never looks", async () => {
  const { watch, runtime } = watchOf({ setAside: () => Promise.reject(new Error("not asked")) });
  watch.start();
  await runtime.advance(5 * pinsLookEveryMs);
  assert.deepEqual(runtime.log.entries, []);
  await watch.look();
  assert.equal(runtime.log.entries.length, 1);
});
