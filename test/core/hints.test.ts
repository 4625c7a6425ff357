/** The store's hints are heard while somebody waits for one, by those who wait, and are missed without harm. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { Hints } from "../../src/core/lock/hints.ts";

/** Counts who listens. */
class Source {
  readonly wakes: Set<() => void> = new Set();
  readonly engine: Engine = {
    listen: (wake: () => void) => {
      this.wakes.add(wake);
      return Promise.resolve(() => void this.wakes.delete(wake));
    },
  } as unknown as Engine;

  hint(): void {
    for (const wake of [...this.wakes]) wake();
  }
}
const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("each that listens hears each hint, from when it listens until it stops", async () => {
  const source = new Source();
  const hints = new Hints(source.engine);
  const heard = { one: 0, other: 0 };
  const stopOne = hints.listen(() => heard.one++);
  const stopOther = hints.listen(() => heard.other++);
  source.hint();
  stopOne();
  source.hint();
  assert.deepEqual([heard, source.wakes.size], [{ one: 1, other: 2 }, 1]);
  stopOther();
  await aTurn();
  assert.equal(source.wakes.size, 0);
  hints.listen(() => heard.one++)();
  await aTurn();
  assert.equal(source.wakes.size, 0);
});

test("where the store cannot be listened to nothing is heard, and stopping is no error", async () => {
  const hints = new Hints({ listen: () => Promise.reject(new Error("away")) } as unknown as Engine);
  const rejected: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejected.push(reason);
  process.on("unhandledRejection", onRejection);
  hints.listen(() => undefined)();
  await aTurn();
  await aTurn();
  process.off("unhandledRejection", onRejection);
  assert.deepEqual(rejected, []);
});

test("hints are heard unless the engine says that they are not", () => {
  for (const [isHearing, areHeard] of [
    [undefined, true],
    [true, true],
    [false, false],
  ] as const)
    assert.equal(new Hints({ isHearing } as unknown as Engine).areHeard, areHeard);
});
